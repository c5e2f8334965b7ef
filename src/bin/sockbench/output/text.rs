//! What is said to a person: the answer in sentences, then tables, then how it was measured.

use std::borrow::Borrow;
use std::fmt::Write;

use crate::args::Options;
use crate::machine::{self, Cpus};
use crate::measure::blocks::{Benchmark, Comparison, Measured, Run, Series};
use crate::measure::transport::{Network, Wait};
use crate::stats::{MOST_TURNS, Verdict, sign_interval};

/// All of it.
pub fn whole(options: &Options, run: &Run) -> String {
    let mut text = answer(run, &run.comparisons);
    if !run.comparisons.is_empty() {
        let _ = write!(text, "\n{}", comparison_table(run.comparisons.iter()));
    }
    let series = run.series();
    let of = |benchmark| series.iter().filter(move |one| one.series.benchmark == benchmark);
    for (benchmark, table) in [
        (Benchmark::Latency, latency_table(of(Benchmark::Latency), options.rate.is_none())),
        (Benchmark::Throughput, throughput_table(of(Benchmark::Throughput))),
        (Benchmark::Connect, connect_table(of(Benchmark::Connect))),
    ] {
        if of(benchmark).next().is_some() {
            let _ = write!(text, "\n{}\n\n{table}", title(benchmark, options));
        }
    }
    text += "\nHow it was measured:\n";
    for note in notes(options, run) {
        text += &wrap(&format!("- {note}"), "  ");
    }
    text
}

/// The machine, a sentence for each of these comparisons, and what to do.
pub fn answer(run: &Run, comparisons: &[Comparison]) -> String {
    let mut text = format!("{}; {}\n", run.machine.in_words(), load(run));
    for group in comparisons.chunk_by(|one, next| topic(one) == topic(next)) {
        let _ = writeln!(text, "\n{}:", topic(&group[0]));
        for one in group {
            let _ = writeln!(text, "  {:13}{}", short(one.a.series.cpus), sentence(one));
        }
    }
    let mut key = String::new();
    if comparisons.iter().any(|one| one.ratio.interval.is_some()) {
        key += "In brackets: where the ratio lies, with 95 % confidence.\n";
    }
    if comparisons.iter().any(Comparison::was_busy) {
        key +=
            "[busy]: while other programs used the CPUs. A quiet machine may answer otherwise.\n";
    }
    if !run.failures.is_empty() {
        key += &wrap(&format!("Not measured: {}.", run.failures.join("; ")), "");
    }
    if !key.is_empty() {
        let _ = write!(text, "\n{key}");
    }
    text + &advice(comparisons)
}

fn load(run: &Run) -> String {
    let load = run.machine.load.map_or(String::new(), |load| format!("load {load:.1}: "));
    let busy = run.comparisons.iter().any(Comparison::was_busy);
    match (busy, run.comparisons.iter().all(|one| one.a.usage.is_none())) {
        (true, _) => format!("{load}busy with other programs"),
        (_, true) => format!("{load}what else it did is not known"),
        _ => format!("{load}quiet"),
    }
}

/// What the comparison is about, without the CPUs: a heading.
pub fn topic(one: &Comparison) -> String {
    let Series { benchmark, size, network, wait, .. } = one.a.series;
    let what = match benchmark {
        Benchmark::Latency => format!("Messages of {}, there and back", bytes(size)),
        Benchmark::Throughput => format!("Data, {} at a time", bytes(size)),
        Benchmark::Connect => {
            format!("New connections, each for one message of {}", bytes(size))
        }
    };
    match (wait, one.b.series.wait) {
        (Wait::Block, Wait::Block) => what,
        (Wait::Spin, Wait::Spin) => format!("{what}, both ends polling"),
        _ => format!("{what}, over {}", subject(network)),
    }
}

/// A comparison in a few words, for whoever watches.
pub fn about(one: &Comparison) -> String {
    let (a, b) = names(one);
    format!("{}, {}, {a} and {b}", topic(one), one.a.series.cpus.in_words())
}

/// A series in a few words, for errors.
pub fn name(series: Series) -> String {
    let wait = if series.wait == Wait::Spin { ", polling" } else { "" };
    format!("{}{wait}, {}", network_name(series.network), series.cpus.in_words())
}

fn network_name(network: Network) -> &'static str {
    match network {
        Network::Unix => "Unix",
        Network::Tcp => "TCP",
        Network::Pipe => "a pipe",
    }
}

fn subject(network: Network) -> &'static str {
    match network {
        Network::Unix => "a Unix socket",
        Network::Tcp => "TCP",
        Network::Pipe => "a pipe",
    }
}

/// What the two are called.
pub fn names(one: &Comparison) -> (&'static str, &'static str) {
    if one.a.series.wait != one.b.series.wait {
        return ("polling", "blocking");
    }
    (network_name(one.a.series.network), network_name(one.b.series.network))
}

pub fn short(cpus: Cpus) -> &'static str {
    match cpus {
        Cpus::Same => "on one CPU",
        Cpus::Apart => "on two CPUs",
        Cpus::Free => "on any CPU",
    }
}

/// What was found, as a person may repeat it. It claims no more than the interval allows.
pub fn sentence(one: &Comparison) -> String {
    let (mut a, mut b) = (&one.a, &one.b);
    let (mut name_a, mut name_b) = names(one);
    let mid = one.ratio.mid().unwrap_or(1.0);
    let (mut ratio, mut range) = (mid, one.ratio.interval);
    if one.verdict() == Verdict::Behind {
        (a, b) = (b, a);
        (name_a, name_b) = (name_b, name_a);
        ratio = 1.0 / mid;
        range = range.map(|(lo, hi)| (1.0 / hi, 1.0 / lo));
    }
    let said = match (one.verdict(), range) {
        (_, None) => {
            let turns = one.ratio.turns();
            format!("{name_a} and {name_b} cannot be compared after {turns} turns")
        }
        (_, Some((lo, hi))) if one.is_null() => {
            format!("{name_a} against itself: {ratio:.2} ({lo:.2} to {hi:.2})")
        }
        (Verdict::Ahead | Verdict::Behind, Some((lo, hi))) => {
            format!("{name_a} is {ratio:.2} times as fast as {name_b} ({lo:.2} to {hi:.2})")
        }
        (Verdict::Equal, Some((lo, hi))) => {
            format!("{name_a} and {name_b} are equally fast, within 5 % ({lo:.2} to {hi:.2})")
        }
        (Verdict::Open, Some((lo, hi))) => {
            format!("{name_a} is {} than {name_b}", between(lo, hi))
        }
    };
    let figures = match (a.blocks.is_empty(), one.is_null()) {
        (true, _) => String::new(),
        (_, true) => format!(": {}", figure(a)),
        _ => format!(": {}", figures(a, b)),
    };
    let less = match one.verdict() {
        Verdict::Ahead | Verdict::Behind => less(a, b),
        _ => String::new(),
    };
    let busy = if one.was_busy() { BUSY } else { "" };
    format!("{said}{figures}{less}{busy}")
}

const BUSY: &str = " [busy]";

/// `between 4 % slower and 9 % faster`
fn between(lo: f64, hi: f64) -> String {
    let percent = |ratio: f64| (100.0 * (ratio - 1.0).abs()).round();
    let (low, high) = (percent(lo), percent(hi));
    let is_faster = lo >= 1.0 || low == 0.0;
    let is_slower = hi <= 1.0 || high == 0.0;
    match (is_faster, is_slower) {
        (true, _) if low == 0.0 => format!("at most {high} % faster"),
        (true, _) => format!("between {low} % and {high} % faster"),
        (_, true) if high == 0.0 => format!("at most {low} % slower"),
        (_, true) => format!("between {high} % and {low} % slower"),
        _ => format!("between {low} % slower and {high} % faster"),
    }
}

/// The figure of a series, with its unit.
pub fn figure(one: &Measured) -> String {
    match one.series.benchmark {
        Benchmark::Latency => format!("{} µs", micros(one.mid())),
        Benchmark::Throughput => rate(one.mid()),
        Benchmark::Connect => format!("{} a second", thousands(one.mid())),
    }
}

/// `7.40 and 11.6 µs`: the unit once, if it is the same.
pub fn figures(a: &Measured, b: &Measured) -> String {
    let (a, b) = (figure(a), figure(b));
    match (a.split_once(' '), b.split_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number} and {b}"),
        _ => format!("{a} and {b}"),
    }
}

/// `, 4.2 µs less a call`
fn less(a: &Measured, b: &Measured) -> String {
    let (ns, unit) = match a.series.benchmark {
        Benchmark::Latency => (b.mid() - a.mid(), "call"),
        Benchmark::Connect => (1e9 / b.mid() - 1e9 / a.mid(), "connection"),
        Benchmark::Throughput => return String::new(),
    };
    if ns > 0.0 { format!(", {} µs less a {unit}", micros(ns)) } else { String::new() }
}

/// What to do about a comparison.
#[derive(Clone, Copy, PartialEq)]
enum Advice {
    UseFirst,
    UseSecond,
    Equal,
    /// They may differ, but not by much.
    Little,
    MeasureLonger,
}

impl Advice {
    fn of(one: &Comparison) -> Advice {
        match (one.verdict(), one.ratio.interval) {
            (Verdict::Ahead, _) => Advice::UseFirst,
            (Verdict::Behind, _) => Advice::UseSecond,
            (Verdict::Equal, _) => Advice::Equal,
            (Verdict::Open, Some((lo, hi))) if hi.max(1.0 / lo) < 1.5 => Advice::Little,
            _ => Advice::MeasureLonger,
        }
    }
}

/// What to do: a paragraph for each pair of what is compared.
fn advice(all: &[Comparison]) -> String {
    let mut pairs: Vec<_> = Vec::new();
    for one in all {
        if !pairs.contains(&names(one)) {
            pairs.push(names(one));
        }
    }
    let mut text = String::new();
    for &pair in &pairs {
        let same: Vec<&Comparison> = all.iter().filter(|one| names(one) == pair).collect();
        let mut said = if same[0].is_null() { noise(&same) } else { advice_on_pair(&same) };
        if pairs.len() > 1 {
            said = format!("{} or {}? {}", pair.0, pair.1, capital(&said));
        }
        let start = if text.is_empty() { "So: " } else { "    " };
        text += &wrap(&format!("{start}{said}"), "    ");
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// The most that the two may differ, in percent; `None` where the interval is missing.
fn at_most(all: impl Iterator<Item = Option<(f64, f64)>>) -> Option<f64> {
    let each = all.map(|interval| interval.map(|(lo, hi)| (hi - 1.0).max(1.0 - lo)));
    let most = each.collect::<Option<Vec<f64>>>()?.into_iter().fold(0.0, f64::max);
    Some((100.0 * most).ceil())
}

/// What a comparison of the same with itself teaches.
fn noise(all: &[&Comparison]) -> String {
    match at_most(all.iter().map(|one| one.ratio.interval)) {
        None => "there were too few turns; give it more time.".to_string(),
        Some(percent) => format!(
            "chance alone makes a difference of up to {percent} % here; do not trust a smaller one."
        ),
    }
}

fn advice_on_pair(all: &[&Comparison]) -> String {
    let (first, second) = match names(all[0]) {
        ("polling", _) => ("polling", "blocking"),
        _ => (subject(all[0].a.series.network), subject(all[0].b.series.network)),
    };
    let mut said = Vec::new();
    for advice in
        [Advice::UseFirst, Advice::UseSecond, Advice::Equal, Advice::Little, Advice::MeasureLonger]
    {
        let of: Vec<&Comparison> =
            all.iter().copied().filter(|one| Advice::of(one) == advice).collect();
        let Some(one) = of.first() else { continue };
        let matters = matters(all, advice);
        said.push(match advice {
            Advice::UseFirst => format!("use {first} rather than {second} for {matters}."),
            Advice::UseSecond => format!("{second} is faster for {matters}."),
            Advice::Equal => format!("it makes no difference for {matters}."),
            Advice::Little => {
                let most = at_most(of.iter().map(|one| one.ratio.interval)).unwrap_or_default();
                format!("speed is no reason to choose for {matters}: less than {most} % apart.")
            }
            Advice::MeasureLonger if one.ratio.turns() < MOST_TURNS => {
                let command = one.a.series.benchmark.name();
                format!("more time is needed for {matters}: sockbench {command} --time 120.")
            }
            Advice::MeasureLonger => {
                format!("the speed changes too much from moment to moment for {matters}.")
            }
        });
    }
    let rest = said.iter().skip(1).map(|sentence| capital(sentence));
    said.iter().take(1).cloned().chain(rest).collect::<Vec<_>>().join(" ")
}

/// What gets that advice, without the CPUs where all placements get the same.
fn matters(all: &[&Comparison], advice: Advice) -> String {
    let mut groups: Vec<(Option<Cpus>, Benchmark, String, Vec<String>)> = Vec::new();
    for one in all.iter().filter(|one| Advice::of(one) == advice) {
        let Series { benchmark, size, cpus, network, .. } = one.a.series;
        let over = match names(one) {
            ("polling", _) => format!(" over {}", subject(network)),
            _ => String::new(),
        };
        let mut same = all.iter().filter(|other| topic(other) == topic(one));
        let place = (!same.all(|other| Advice::of(other) == advice)).then_some(cpus);
        let size = bytes(size);
        match groups
            .iter_mut()
            .find(|group| (group.0, group.1, &group.2) == (place, benchmark, &over))
        {
            Some((.., sizes)) if sizes.contains(&size) => {}
            Some((.., sizes)) => sizes.push(size),
            None => groups.push((place, benchmark, over, vec![size])),
        }
    }
    groups.sort_by_key(|(place, ..)| place.is_some()); // what holds everywhere comes first
    let in_words =
        |(place, benchmark, over, sizes): (Option<Cpus>, Benchmark, String, Vec<String>)| {
            let sizes = join(&sizes);
            let what = match benchmark {
                Benchmark::Latency => format!("messages of {sizes}"),
                Benchmark::Throughput => format!("data in pieces of {sizes}"),
                Benchmark::Connect => "short connections".to_string(),
            };
            let place = place.map_or(String::new(), |cpus| format!(" ({})", cpus.in_words()));
            format!("{what}{over}{place}")
        };
    join(&groups.into_iter().map(in_words).collect::<Vec<_>>())
}

fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

pub fn comparison_table<'a>(all: impl Iterator<Item = &'a Comparison>) -> Table {
    let titles = ["what", "CPUs", "compared", "ratio", "lies in", "ahead in", "verdict"];
    let mut table = Table::new(titles);
    for one in all {
        let (a, b) = names(one);
        table.add([
            topic(one),
            short(one.a.series.cpus).to_string(),
            format!("{a} to {b}"),
            one.ratio.mid().map_or("-".into(), |ratio| format!("{ratio:.2}")),
            interval(one),
            format!("{} of {} turns", one.ratio.ahead(), one.ratio.turns()),
            one.verdict().name().to_string(),
        ]);
    }
    table
}

/// `1.54 to 1.58`
pub fn interval(one: &Comparison) -> String {
    one.ratio.interval.map_or("-".into(), |(lo, hi)| format!("{lo:.2} to {hi:.2}"))
}

fn title(benchmark: Benchmark, options: &Options) -> &'static str {
    match benchmark {
        Benchmark::Latency if options.rate.is_some() => {
            "Round trips in µs, from when each was due; CPU time of both ends for one:"
        }
        Benchmark::Latency => {
            "Round trips in µs (one way: half of the median); CPU time of both ends for one:"
        }
        Benchmark::Throughput => "One way, with CPU time of both ends for a GB:",
        Benchmark::Connect => "New connections, with CPU time of both ends for one, in µs:",
    }
}

pub fn latency_table<'a>(all: impl Iterator<Item = &'a Measured>, one_way: bool) -> Table {
    let ways = one_way.then_some("one way");
    let quantiles = ["median", "p90", "p99", "p99.9"];
    let titles =
        ["", "CPUs", "bytes"].into_iter().chain(ways).chain(quantiles).chain(["max", "CPU"]);
    let mut table = Table::new(titles);
    for one in all {
        let mut cells = start_of_row(one);
        cells.extend(one_way.then(|| micros(one.mid() / 2.0)));
        cells.push(micros(one.mid()));
        for q in [0.9, 0.99, 0.999] {
            cells.push(one.round_trips.quantile(q).map_or("-".into(), |ns| micros(ns as f64)));
        }
        cells.push(micros(one.round_trips.max as f64));
        cells.push(cpu(one, 1e3));
        table.add(cells);
    }
    table
}

pub fn throughput_table<'a>(all: impl Iterator<Item = &'a Measured>) -> Table {
    let titles = ["", "CPUs", "bytes", "a second", "lies in", "messages/s", "CPU s"];
    let mut table = Table::new(titles);
    for one in all {
        let mut cells = start_of_row(one);
        cells.push(rate(one.mid()));
        cells.push(range(one, rate));
        cells.push(thousands(one.mid() / one.series.size as f64));
        cells.push(cpu(one, 1.0)); // nanoseconds a byte are seconds a GB
        table.add(cells);
    }
    table
}

pub fn connect_table<'a>(all: impl Iterator<Item = &'a Measured>) -> Table {
    let mut table = Table::new(["", "CPUs", "bytes", "a second", "lies in", "µs each", "CPU"]);
    for one in all {
        let mut cells = start_of_row(one);
        cells.push(thousands(one.mid()));
        cells.push(range(one, thousands));
        cells.push(micros(1e9 / one.mid()));
        cells.push(cpu(one, 1e3));
        table.add(cells);
    }
    table
}

fn start_of_row(one: &Measured) -> Vec<String> {
    let Series { network, wait, cpus, size, .. } = one.series;
    let network = match network {
        Network::Pipe => "pipe",
        _ => network_name(network),
    };
    vec![format!("{network}, {}", wait.name()), short(cpus).to_string(), self::size(size)]
}

/// The CPU time of both ends for each unit, in so many nanoseconds.
fn cpu(one: &Measured, unit: f64) -> String {
    let usage = one.usage.filter(|_| one.count > 0);
    usage.map_or("-".into(), |usage| digits(usage.ends as f64 / one.count as f64 / unit))
}

/// Where the median of its blocks lies.
fn range(one: &Measured, show: fn(f64) -> String) -> String {
    sign_interval(&one.blocks, 0.05)
        .map_or("-".into(), |(lo, hi)| format!("{} to {}", show(lo), show(hi)))
}

/// How it was measured, in sentences.
pub fn notes(options: &Options, run: &Run) -> Vec<String> {
    let mut notes = vec![
        format!(
            "{} turns in {:.0} s, after one to warm up. A turn is a pair of blocks, right after each \
             other, of each comparison (four pairs for round trips), all in random order. Both ends \
             connect anew before every pair.",
            run.turns,
            run.took.as_secs_f64()
        ),
        "A ratio is the median over the turns. In brackets, or under \"lies in\": where it lies, with an \
         error of at most 5 % for each comparison, for this run on this day. Ahead, behind: by more than \
         5 %. Once that is clear, a comparison is measured no more."
            .to_string(),
    ];
    let lengths: Vec<String> = [Benchmark::Latency, Benchmark::Throughput, Benchmark::Connect]
        .into_iter()
        .filter_map(|benchmark| {
            let one = run.comparisons.iter().find(|one| one.a.series.benchmark == benchmark)?;
            let length = one.a.series.length.as_millis();
            Some(match benchmark {
                Benchmark::Latency => format!("round trips: {length} ms, their median"),
                Benchmark::Throughput => format!(
                    "data: {length} ms, until the receiver says that it has the last byte; it reads {} at a \
                     time",
                    size(options.recv)
                ),
                Benchmark::Connect => {
                    format!("connections: {length} ms, one after the other, to the library's serve")
                }
            })
        })
        .collect();
    notes.push(format!("A block of {}.", lengths.join("; of ")));
    notes.push(match &options.connect {
        Some(addr) => format!("The server is at {addr}."),
        None => format!("The ends are two processes; {}.", run.placement.note),
    });
    if options.waits.contains(&Wait::Spin) {
        let micros = options.spin.as_micros();
        notes.push(format!("Polling: an end that waits polls for {micros} µs before it sleeps."));
    }
    if options.rate.is_some() {
        notes.extend(schedule_notes(options, run));
    }
    if let Some(steal) = run.steal {
        notes.push(format!("The host took {:.1} % of the CPU time (steal).", 100.0 * steal));
    }
    if run.buffers.is_empty() {
        notes.extend(machine::socket_buffers());
    }
    notes.extend(run.buffers.clone());
    notes
}

fn schedule_notes(options: &Options, run: &Run) -> Vec<String> {
    let rate = options.rate.unwrap_or_default();
    let late = |q| run.late.quantile(q).map_or("-".into(), |ns| micros(ns as f64));
    let mut notes = vec![format!(
        "On a schedule: {} messages a second are due, and each counts from when it was due. The client \
         itself was late by {} µs (p50), {} µs (p99), {} µs (max).",
        thousands(rate as f64),
        late(0.5),
        late(0.99),
        micros(run.late.max as f64)
    )];
    for one in run.series() {
        let reached = one.count as f64 / (one.elapsed as f64 / 1e9);
        if reached < 0.95 * rate as f64 {
            let reached = thousands(reached);
            notes.push(format!(
                "{}: did not keep up: {reached} messages a second.",
                name(one.series)
            ));
        }
    }
    notes
}

/// A table that reads as well on a terminal as in Markdown.
pub struct Table {
    /// The titles, then the rows.
    lines: Vec<Vec<String>>,
}

impl Table {
    pub fn new<'a>(titles: impl IntoIterator<Item = &'a str>) -> Table {
        Table { lines: vec![titles.into_iter().map(String::from).collect()] }
    }

    pub fn add(&mut self, cells: impl IntoIterator<Item = String>) {
        self.lines.push(cells.into_iter().collect());
    }

    /// Numbers are flush right, words are not.
    fn is_of_numbers(&self, column: usize) -> bool {
        let is_number = |cell: &String| cell.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        self.lines.iter().skip(1).all(|line| is_number(&line[column]))
    }

    fn width(&self, column: usize) -> usize {
        let widths = self.lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or_default().max(3)
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = 0..self.lines[0].len();
        for (n, line) in self.lines.iter().enumerate() {
            for column in columns.clone() {
                let width = self.width(column);
                match self.is_of_numbers(column) {
                    true => write!(f, "| {:>width$} ", line[column])?,
                    false => write!(f, "| {:width$} ", line[column])?,
                }
            }
            writeln!(f, "|")?;
            if n == 0 {
                for column in columns.clone() {
                    let end = if self.is_of_numbers(column) { ":" } else { "-" };
                    write!(f, "| {}{end} ", "-".repeat(self.width(column) - 1))?;
                }
                writeln!(f, "|")?;
            }
        }
        Ok(())
    }
}

/// Lines of at most 100 characters, those after the first indented.
pub fn wrap(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    let text = text.replace(" %", NO_BREAK);
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > 100 {
            lines += &(std::mem::take(&mut line) + "\n");
            line += indent;
        } else if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    (lines + &line + "\n").replace(NO_BREAK, " %")
}

/// A number stays beside its percent sign.
const NO_BREAK: &str = "\u{a0}%";

/// `a`, `a and b`, `a, b and c`.
pub fn join(words: &[impl Borrow<str>]) -> String {
    match words {
        [] => String::new(),
        [one] => one.borrow().to_string(),
        [first @ .., last] => format!("{} and {}", first.join(", "), last.borrow()),
    }
}

/// Microseconds of nanoseconds, with three digits that mean something.
pub fn micros(ns: f64) -> String {
    digits(ns / 1e3)
}

/// A number with three digits that mean something, and all of those before the point.
pub fn digits(value: f64) -> String {
    match value.abs() {
        v if v < 9.995 => format!("{value:.2}"),
        v if v < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// `128`, `64K`, `16M`: what an option takes.
pub fn size(bytes: usize) -> String {
    match bytes {
        n if n >= 1 << 20 && n % (1 << 20) == 0 => format!("{}M", n >> 20),
        n if n >= 1 << 10 && n % (1 << 10) == 0 => format!("{}K", n >> 10),
        n => n.to_string(),
    }
}

/// `1 byte`, `128 bytes`, `64K`.
pub fn bytes(bytes: usize) -> String {
    match size(bytes) {
        size if size.ends_with(['K', 'M']) => size,
        size if bytes == 1 => format!("{size} byte"),
        size => format!("{size} bytes"),
    }
}

/// `950 MB/s`, `4.21 GB/s`: powers of 1000.
pub fn rate(bytes_per_s: f64) -> String {
    match bytes_per_s / 1e6 {
        mb if mb < 999.5 => format!("{} MB/s", digits(mb)),
        mb => format!("{} GB/s", digits(mb / 1e3)),
    }
}

/// `19,550`.
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
