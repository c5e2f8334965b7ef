//! What is said to a person: the answer in sentences, then tables, then how it was measured.

use std::borrow::Borrow;

use crate::args::Options;
use crate::machine::Cpus;
use crate::measure::blocks::{Benchmark, Comparison, Measured, Run, Series};
use crate::measure::transport::Wait;
use crate::stats::{MOST_TURNS, Verdict, quantile};

/// All of it.
pub fn whole(options: &Options, run: &Run) -> String {
    let mut text = answer(run, &run.comparisons);
    if !run.comparisons.is_empty() {
        text += &format!("\n{}", comparison_table(&run.comparisons));
    }
    let series = run.series();
    if series.iter().any(|one| !one.round_trips.is_empty()) {
        text += &format!("\n{}", latency_table(&series));
    }
    text += "\nHow it was measured:\n";
    for note in notes(options, run) {
        text += &wrap(&format!("- {note}"), "  ");
    }
    text
}

/// The machine, a sentence for each of these comparisons, and what to do.
pub fn answer(run: &Run, comparisons: &[Comparison]) -> String {
    let mut text = format!("{}\n{}", run.machine, meanwhile(comparisons));
    for group in comparisons.chunk_by(|one, next| topic(one) == topic(next)) {
        text += &format!("\n{}:\n", topic(&group[0]));
        for one in group {
            text += &format!("  {:13}{}\n", one.a.series.cpus.in_words(), sentence(one));
        }
    }
    if comparisons.iter().any(|one| one.ratio.interval.is_some()) {
        text += "\nOn one CPU: both ends are on it; on two: one on each. In brackets: where the ratio lies, with 95 % confidence.\n\
                 A ratio is the median of many, so that of the two figures may differ a little.\n";
    }
    if !run.failures.is_empty() {
        text += &wrap(&format!("\nNot measured: {}.", run.failures.join("; ")), "");
    }
    text + &advice(comparisons)
}

/// What else used the CPUs, where that is known.
fn meanwhile(comparisons: &[Comparison]) -> String {
    let shares = comparisons.iter().filter_map(Comparison::others);
    let Some(most) = shares.reduce(f64::max) else { return String::new() };
    let used =
        format!("While this ran, other programs used up to {:.0} % of the CPU time", 100.0 * most);
    if comparisons.iter().any(Comparison::was_busy) {
        format!("{used}. Where it says [busy], a quiet machine may answer otherwise.\n")
    } else {
        format!("{used}: the machine was quiet.\n")
    }
}

/// What a comparison is about.
pub fn topic(one: &Comparison) -> String {
    let size = bytes(one.a.series.size);
    match one.a.series.benchmark {
        Benchmark::Latency => format!("Messages of {size}, there and back"),
        Benchmark::Throughput => format!("Data, {size} at a time"),
        Benchmark::Connect => format!("New connections, each for one message of {size}"),
    }
}

/// What the two are called.
pub fn names(one: &Comparison) -> [String; 2] {
    [&one.a, &one.b].map(|side| side.series.who())
}

/// What was found, as a person may repeat it. It claims no more than the interval allows.
pub fn sentence(one: &Comparison) -> String {
    let [a, b] = names(one);
    let busy = if one.was_busy() { " [busy]" } else { "" };
    let (Some(mid), Some((lo, hi))) = (one.ratio.mid(), one.ratio.interval) else {
        let turns = one.ratio.turns();
        return format!("{a} and {b} cannot be compared after {turns} turns{busy}");
    };
    let figures = figures(&one.a, &one.b);
    let said = match one.ratio.verdict() {
        _ if one.is_null() => format!("{a} against itself: {mid:.2} ({lo:.2} to {hi:.2})"),
        Verdict::Ahead => faster(&one.a, &one.b, [mid, lo, hi]),
        Verdict::Behind => faster(&one.b, &one.a, [1.0 / mid, 1.0 / hi, 1.0 / lo]),
        Verdict::Equal => {
            format!("{a} and {b} are equally fast, within 5 % ({lo:.2} to {hi:.2}): {figures}")
        }
        Verdict::Open => format!("{a} is {} than {b}: {figures}", between(lo, hi)),
    };
    said + busy
}

fn faster(fast: &Measured, slow: &Measured, [mid, lo, hi]: [f64; 3]) -> String {
    let [name, other] = [fast, slow].map(|side| side.series.who());
    let figures = figures(fast, slow);
    let less = match fast.series.benchmark {
        Benchmark::Latency => format!(", {} µs less a call", micros(slow.mid() - fast.mid())),
        Benchmark::Throughput | Benchmark::Connect => String::new(),
    };
    format!("{name} is {mid:.2} times as fast as {other} ({lo:.2} to {hi:.2}): {figures}{less}")
}

/// `between 4 % slower and 9 % faster`
fn between(lo: f64, hi: f64) -> String {
    let side = |ratio: f64| {
        let percent = (100.0 * (ratio - 1.0)).abs();
        format!("{percent:.0} % {}", if ratio < 1.0 { "slower" } else { "faster" })
    };
    format!("between {} and {}", side(lo), side(hi))
}

/// The figure of a series, with its unit.
pub fn figure(benchmark: Benchmark, value: f64) -> String {
    match benchmark {
        _ if value.is_nan() => "-".to_string(),
        Benchmark::Latency => format!("{} µs", micros(value)),
        Benchmark::Throughput => rate(value),
        Benchmark::Connect => format!("{} a second", digits(value)),
    }
}

fn figures(a: &Measured, b: &Measured) -> String {
    let [a, b] = [a, b].map(|side| figure(side.series.benchmark, side.mid()));
    format!("{a} and {b}")
}

/// What to do: first what to use for what, then the rest. Matters on which the same was found stand
/// together.
fn advice(all: &[Comparison]) -> String {
    let mut found: Vec<(String, Vec<&Comparison>)> = Vec::new();
    for benchmark in [Benchmark::Latency, Benchmark::Connect, Benchmark::Throughput] {
        let of = all.iter().filter(|one| one.a.series.benchmark == benchmark && !one.is_null());
        let is_same = |one: &&Comparison, next: &&Comparison| {
            (topic(one), names(one)) == (topic(next), names(next))
        };
        for matter in of.collect::<Vec<_>>().chunk_by(is_same) {
            let what = conclusion(matter);
            match found.iter_mut().find(|(known, _)| *known == what) {
                Some((_, known)) => known.push(matter[0]),
                None => found.push((what, vec![matter[0]])),
            }
        }
    }
    if found.is_empty() {
        return String::new();
    }
    found.sort_by_key(|(what, _)| !what.starts_with("use"));
    let mut said: Vec<String> = Vec::new();
    for (what, of) in found {
        let sentence = what.replace("{}", &matters(&of));
        said.push(match said.len() {
            0 => sentence,
            _ => sentence[..1].to_uppercase() + &sentence[1..],
        });
    }
    let is_open = |one: &Comparison| one.ratio.verdict() == Verdict::Open && !one.is_null();
    if all.iter().any(|one| is_open(one) && one.ratio.turns() < MOST_TURNS) {
        said.push("More time may tell: --time 120.".to_string());
    }
    let busy = all.iter().any(Comparison::was_busy);
    let so = if busy { "So, while other programs use the CPUs" } else { "So" };
    wrap(&format!("\n{so}: {}", said.join(" ")), "    ")
}

/// What was found on one matter, `{}`. What was not found alike on one CPU and on two is said of each.
fn conclusion(all: &[&Comparison]) -> String {
    let stand = standing(all[0]);
    let is_alone = all.len() == 1 && all[0].a.series.cpus != Cpus::Free;
    if is_alone || all.iter().any(|one| standing(one) != stand) {
        let place =
            |one: &&Comparison| format!("{}, {}", one.a.series.cpus.in_words(), standing(one));
        let depends = if is_alone { "" } else { "it depends: " };
        let places: Vec<String> = all.iter().map(place).collect();
        return format!("for {{}}, {depends}{}.", places.join("; "));
    }
    let [a, b] = names(all[0]).map(|name| match name.as_str() {
        "Unix" => "a Unix socket".to_string(),
        _ => name,
    });
    match all[0].ratio.verdict() {
        Verdict::Ahead => format!("use {a} rather than {b} for {{}}."),
        Verdict::Behind => format!("use {b} rather than {a} for {{}}."),
        Verdict::Equal => format!("for {{}}, it makes no difference: {stand}."),
        Verdict::Open => format!("for {{}}, {stand}."),
    }
}

/// How the two compare, in a few words, which claim no more than the interval allows.
fn standing(one: &Comparison) -> String {
    let [a, b] = names(one);
    match (one.ratio.verdict(), one.ratio.interval) {
        (Verdict::Ahead, _) => format!("{a} is ahead"),
        (Verdict::Behind, _) => format!("{b} is ahead"),
        (Verdict::Equal, _) => format!("{a} and {b} are equally fast, within 5 %"),
        (Verdict::Open, Some((lo, _))) if lo > 1.0 => {
            format!("{a} is ahead, but perhaps by less than 5 %")
        }
        (Verdict::Open, Some((_, hi))) if hi < 1.0 => {
            format!("{b} is ahead, but perhaps by less than 5 %")
        }
        (Verdict::Open, _) => format!("this run could not tell whether {a} or {b} is faster"),
    }
}

/// What these are about. They differ in benchmark and size.
fn matters(all: &[&Comparison]) -> String {
    let of_one = all.chunk_by(|one, next| one.a.series.benchmark == next.a.series.benchmark);
    let matters = of_one.map(|some| {
        let sizes: Vec<String> = some.iter().map(|one| bytes(one.a.series.size)).collect();
        let sizes = join(&sizes);
        match some[0].a.series.benchmark {
            Benchmark::Latency if sizes == "128 bytes" => "small messages".to_string(),
            Benchmark::Latency => format!("messages of {sizes}"),
            Benchmark::Throughput => format!("data in pieces of {sizes}"),
            Benchmark::Connect if sizes == "128 bytes" => "short connections".to_string(),
            Benchmark::Connect => format!("connections for messages of {sizes}"),
        }
    });
    join(&matters.collect::<Vec<String>>())
}

pub fn comparison_table<'a>(all: impl IntoIterator<Item = &'a Comparison>) -> String {
    let titles = "benchmark|bytes|CPUs|first|second|ratio|lies in|ahead in|verdict";
    let mut rows = vec![titles.to_string()];
    for one in all {
        let Series { benchmark, cpus, size, .. } = one.a.series;
        let [a, b] = names(one);
        let figure = |side: &Measured| figure(benchmark, side.mid());
        rows.push(format!(
            "{}|{}|{}|{a} {}|{b} {}|{}|{}|{} of {} turns|{}{}",
            benchmark.name(),
            self::size(size),
            cpus.in_words(),
            figure(&one.a),
            figure(&one.b),
            one.ratio.mid().map_or("-".into(), |ratio| format!("{ratio:.2}")),
            one.ratio.interval.map_or("-".into(), |(lo, hi)| format!("{lo:.2} to {hi:.2}")),
            one.ratio.ahead(),
            one.ratio.turns(),
            one.ratio.verdict().name(),
            if one.was_busy() { " [busy]" } else { "" },
        ));
    }
    table(&rows)
}

/// Round trips in microseconds. One way is half of the median.
fn latency_table(all: &[Measured]) -> String {
    let mut rows = vec!["round trips, µs|CPUs|bytes|one way|median|p90|p99|p99.9|max".to_string()];
    for one in all.iter().filter(|one| !one.round_trips.is_empty()) {
        let mut sorted = one.round_trips.clone();
        sorted.sort_by(f32::total_cmp);
        let quantile = |q| quantile(&sorted, q).map_or("-".to_string(), |ns| micros(ns.into()));
        rows.push(format!(
            "{}, {}|{}|{}|{}|{}|{}|{}|{}|{}",
            one.series.network.name(),
            one.series.wait.name(),
            one.series.cpus.in_words(),
            size(one.series.size),
            micros(one.mid() / 2.0),
            micros(one.mid()),
            quantile(0.9),
            quantile(0.99),
            quantile(0.999),
            micros(sorted[sorted.len() - 1].into()),
        ));
    }
    table(&rows)
}

/// How it was measured, in sentences: what is special about this run, and then what is always so.
pub fn notes(options: &Options, run: &Run) -> Vec<String> {
    let took = run.took.as_secs_f64();
    let ends = match &options.connect {
        Some(addr) => format!("the server is at {addr}"),
        None => format!("the ends are two processes; {}", run.placement.note),
    };
    let mut notes =
        vec![format!("{} turns in {took:.0} s, after one to warm up; {ends}.", run.turns)];
    if options.waits.contains(&Wait::Spin) {
        let micros = options.spin.as_micros();
        notes.push(format!("Polling: an end that waits polls for {micros} µs before it sleeps."));
    }
    if let Some(rate) = options.rate {
        notes.push(format!(
            "On a schedule: {rate} messages a second are due, in blocks of 100 ms; each counts from when it \
             was due."
        ));
        for one in run.series() {
            let reached = one.round_trips.len() as f64 / one.elapsed.as_secs_f64();
            if reached < 0.95 * rate as f64 {
                let (name, reached) = (one.series.in_words(), digits(reached));
                notes.push(format!("{name} did not keep up: {reached} messages a second."));
            }
        }
    }
    notes.extend(run.load.map(|load| format!("When it began, the load average was {load:.1}.")));
    notes.extend(run.steal.map(|share| {
        format!("The host took {:.1} % of the CPU time meanwhile (steal).", 100.0 * share)
    }));
    notes.push(format!("The receiver of data reads {} at a time.", size(options.recv)));
    notes.extend(include_str!("method.txt").lines().map(String::from));
    notes
}

/// A table that reads as well on a terminal as in Markdown: the titles, then the rows, each with `|`
/// between its cells.
pub fn table(rows: &[String]) -> String {
    let mut rows: Vec<Vec<&str>> = rows.iter().map(|row| row.split('|').collect()).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..rows[0].len()).filter_map(width).collect();
    let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    rows.insert(1, dashes.iter().map(String::as_str).collect());
    let mut text = String::new();
    for row in &rows {
        for (cell, width) in row.iter().zip(&widths) {
            text += &format!("| {cell:width$} ");
        }
        text += "|\n";
    }
    text
}

/// Lines of at most 100 characters, those after the first indented.
pub fn wrap(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let more = word.chars().count() + 1;
        if length + more > 100 {
            lines += &format!("\n{indent}");
            length = indent.len();
        } else if length > 0 {
            lines.push(' ');
        }
        lines += word;
        length += more;
    }
    lines + "\n"
}

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

/// A number with three digits that mean something: `9.99`, `10.0`, `19,600`.
fn digits(value: f64) -> String {
    match value.abs() {
        v if v < 9.995 => format!("{value:.2}"),
        v if v < 99.95 => format!("{value:.1}"),
        v if v < 999.5 => format!("{value:.0}"),
        v => {
            let step = 10_f64.powf(v.log10().floor() - 2.0);
            thousands(((value / step).round() * step) as u64)
        }
    }
}

fn thousands(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", thousands(number / 1000), number % 1000),
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
fn bytes(bytes: usize) -> String {
    match size(bytes) {
        size if size.ends_with(['K', 'M']) => size,
        size if bytes == 1 => format!("{size} byte"),
        size => format!("{size} bytes"),
    }
}

/// `950 MB/s`, `4.21 GB/s`: powers of 1000.
fn rate(bytes_per_s: f64) -> String {
    match bytes_per_s / 1e6 {
        mb if mb < 999.5 => format!("{} MB/s", digits(mb)),
        mb => format!("{} GB/s", digits(mb / 1e3)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::transport::Network;
    use std::time::Duration;

    /// A comparison of Unix and TCP with that ratio in all of its turns, or one after the other of these.
    fn compared(benchmark: Benchmark, size: usize, cpus: Cpus, ratios: &[f64]) -> Comparison {
        let series = |network| Series {
            benchmark,
            network,
            wait: Wait::Block,
            cpus,
            size,
            length: Duration::from_millis(10),
        };
        let mut one = Comparison::new(series(Network::Unix), series(Network::Tcp));
        for ratio in ratios.iter().cycle().take(20) {
            one.ratio.add(*ratio);
            let (a, b) = match benchmark {
                Benchmark::Latency => (10_000.0, 10_000.0 * ratio),
                _ => (1e9 * ratio, 1e9),
            };
            one.a.blocks.push(a);
            one.b.blocks.push(b);
        }
        one.ratio.look(false);
        one
    }

    #[test]
    fn sentences_claim_what_the_interval_allows() {
        let say = |ratios: &[f64]| sentence(&compared(Benchmark::Latency, 128, Cpus::Same, ratios));
        assert_eq!(
            say(&[1.5]),
            "Unix is 1.50 times as fast as TCP (1.50 to 1.50): 10.0 µs and 15.0 µs, 5.00 µs less a call"
        );
        assert_eq!(
            say(&[0.5]),
            "TCP is 2.00 times as fast as Unix (2.00 to 2.00): 5.00 µs and 10.0 µs, 5.00 µs less a call"
        );
        assert_eq!(
            say(&[0.98, 1.03]),
            "Unix and TCP are equally fast, within 5 % (0.98 to 1.03): 10.0 µs and 10.1 µs"
        );
        assert_eq!(
            say(&[0.9, 1.2]),
            "Unix is between 10 % slower and 20 % faster than TCP: 10.0 µs and 10.5 µs"
        );
        let mut few = compared(Benchmark::Latency, 128, Cpus::Same, &[2.0]);
        few.ratio.interval = None;
        assert_eq!(sentence(&few), "Unix and TCP cannot be compared after 20 turns");
        few.b.series = few.a.series;
        few.ratio.interval = Some((0.99, 1.01));
        assert_eq!(sentence(&few), "Unix against itself: 2.00 (0.99 to 1.01)");
        let data = compared(Benchmark::Throughput, 1 << 20, Cpus::Apart, &[3.0]);
        let said = "Unix is 3.00 times as fast as TCP (3.00 to 3.00): 3.00 GB/s and 1.00 GB/s";
        assert_eq!(sentence(&data), said);
    }

    #[test]
    fn ranges_in_words() {
        assert_eq!(between(0.96, 1.09), "between 4 % slower and 9 % faster");
        assert_eq!(between(1.02, 1.2), "between 2 % faster and 20 % faster");
        assert_eq!(between(0.8, 0.998), "between 20 % slower and 0 % slower");
    }

    fn advised(all: &[Comparison]) -> String {
        advice(all).replace("\n    ", " ").trim().to_string()
    }

    /// The same on one CPU and on two, in which the ratios differ.
    fn both(benchmark: Benchmark, size: usize, same: &[f64], apart: &[f64]) -> Vec<Comparison> {
        [(Cpus::Same, same), (Cpus::Apart, apart)]
            .map(|(cpus, ratios)| compared(benchmark, size, cpus, ratios))
            .to_vec()
    }

    #[test]
    fn the_last_paragraph_says_what_to_do() {
        let ahead = [
            both(Benchmark::Latency, 128, &[1.5], &[1.3]),
            both(Benchmark::Throughput, 64 << 10, &[1.5], &[1.2]),
            both(Benchmark::Throughput, 512 << 10, &[1.5], &[0.9, 1.44]),
            both(Benchmark::Connect, 128, &[2.0], &[2.0]),
        ];
        assert_eq!(
            advised(&ahead.concat()),
            "So: use a Unix socket rather than TCP for small messages, short connections and data in pieces \
             of 64K. For data in pieces of 512K, it depends: on one CPU, Unix is ahead; on two CPUs, this run \
             could not tell whether Unix or TCP is faster. More time may tell: --time 120."
        );
        let mixed = [
            both(Benchmark::Throughput, 64 << 10, &[1.5], &[0.5]),
            both(Benchmark::Throughput, 512 << 10, &[1.5], &[0.5]),
            both(Benchmark::Throughput, 1 << 20, &[1.0], &[1.0]),
            both(Benchmark::Latency, 1, &[0.5], &[0.5]),
        ];
        assert_eq!(
            advised(&mixed.concat()),
            "So: use TCP rather than a Unix socket for messages of 1 byte. For data in pieces of 64K and \
             512K, it depends: on one CPU, Unix is ahead; on two CPUs, TCP is ahead. For data in pieces of \
             1M, it makes no difference: Unix and TCP are equally fast, within 5 %."
        );
        assert_eq!(advice(&[]), "");
    }

    #[test]
    fn what_is_open_is_said_as_far_as_it_is_known() {
        let open = |ratios: &[f64]| advised(&[compared(Benchmark::Connect, 8, Cpus::Free, ratios)]);
        let more = "More time may tell: --time 120.";
        let start = "So: for connections for messages of 8 bytes,";
        assert_eq!(
            [open(&[0.9, 1.2]), open(&[1.02, 1.2]), open(&[0.7, 0.98])],
            [
                format!("{start} this run could not tell whether Unix or TCP is faster. {more}"),
                format!("{start} Unix is ahead, but perhaps by less than 5 %. {more}"),
                format!("{start} TCP is ahead, but perhaps by less than 5 %. {more}"),
            ]
        );
    }

    /// An advice without a placement is for both.
    #[test]
    fn a_placement_that_was_not_measured_is_not_spoken_for() {
        let [same, apart] =
            [Cpus::Same, Cpus::Apart].map(|cpus| compared(Benchmark::Latency, 128, cpus, &[1.5]));
        let connect = compared(Benchmark::Connect, 128, Cpus::Apart, &[1.5]);
        assert_eq!(
            advised(&[same.clone(), apart, connect]),
            "So: use a Unix socket rather than TCP for small messages. For short connections, on two CPUs, \
             Unix is ahead."
        );
        let said = "So: for small messages, on one CPU, Unix is ahead.";
        assert_eq!(advised(&[same]), said);
    }

    #[test]
    fn lines_are_wrapped() {
        let text = wrap(&"word ".repeat(30), "  ");
        assert!(text.lines().count() == 2 && text.lines().all(|line| line.len() <= 100), "{text}");
        assert!(text.lines().nth(1).unwrap().starts_with("  word"));
    }

    #[test]
    fn figures_in_words() {
        let sizes = [1, 1023, 1 << 10, 1025, 1 << 20, (1 << 20) + 1024];
        assert_eq!(sizes.map(size), ["1", "1023", "1K", "1025", "1M", "1025K"]);
        assert_eq!([1, 2, 1 << 10].map(bytes), ["1 byte", "2 bytes", "1K"]);
        let values = [0.0, 9.994, 9.996, 99.94, 99.96, 999.4];
        assert_eq!(values.map(digits), ["0.00", "9.99", "10.0", "99.9", "100", "999"]);
        let values = [999.6, 9_996.0, 12_345.0, 100_499.0, 1_000_499.0, 12_345_678.0];
        let expected = ["1,000", "10,000", "12,300", "100,000", "1,000,000", "12,300,000"];
        assert_eq!(values.map(digits), expected);
        assert_eq!([999.4e6, 999.6e6].map(rate), ["999 MB/s", "1.00 GB/s"]);
        assert_eq!(figure(Benchmark::Connect, 22_506.0), "22,500 a second");
        assert_eq!(figure(Benchmark::Latency, f64::NAN), "-");
        let words = ["a", "b", "c"];
        assert_eq!(
            [join(&words[..1]), join(&words[..2]), join(&words)],
            ["a", "a and b", "a, b and c"]
        );
    }
}
