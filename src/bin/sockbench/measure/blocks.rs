//! What is compared, and how: two series at a time, in two blocks right after each other, turn by turn.
//!
//! A machine changes from one second to the next. What strikes both blocks of a pair alike does no harm
//! to their ratio, and so the ratios of pairs are what a verdict rests on. A turn is a pair of each
//! comparison (four of each latency comparison), all in random order. The first turn warms up.
//!
//! Some luck lasts as long as a connection, and some as long as a process. So both ends connect anew
//! before every pair, and the server starts anew with every turn (but for connections). With one server
//! for a whole run, Unix was 0.85 to 0.97 times as fast as TCP in 8 runs (64K, both ends on one CPU), and
//! 1.36 times in another; with a new one for each turn 1.30 to 1.40 times in 6 runs on the same quiet
//! machine.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::time::{Duration, Instant};

use super::server::{Kind, Link, Request, Server};
use super::transport::{Network, Wait};
use super::{connect, latency, throughput};
use crate::args::Options;
use crate::machine::{self, Cpus, Placement};
use crate::output::text;
use crate::stats::{MOST_TURNS, Ratio, median};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Benchmark {
    Latency,
    Throughput,
    Connect,
}

impl Benchmark {
    pub fn name(self) -> &'static str {
        ["latency", "throughput", "connect"][self as usize]
    }

    /// The sizes of messages to measure where nobody asks for others.
    pub fn sizes(self) -> Vec<usize> {
        match self {
            Benchmark::Throughput => vec![64 << 10, 512 << 10],
            Benchmark::Latency | Benchmark::Connect => vec![128],
        }
    }

    /// How long a block takes. That decides verdicts, as these ratios of Unix to TCP show, each over 20
    /// turns on a quiet machine with 2 CPUs, an end on each:
    ///
    /// | ms | data, 64K | 512K | | ms | round trips | | ms | connections |
    /// | --- | --- | --- | --- | --- | --- | --- | --- | --- |
    /// | 5 | 0.55 to 1.26 | 0.54 to 1.64 | | 2 | 1.43 to 1.58 | | 5 | 1.82 to 2.03 |
    /// | 10 | 0.78 to 1.28 | 0.78 to 1.19 | | 5 | 1.43 to 1.68 | | 10 | 2.07 to 2.23 |
    /// | 20 | 0.74 to 1.05 | 0.81 to 1.29 | | 10 | 1.47 to 1.72 | | 20 | 1.94 to 2.21 |
    /// | 40 | 0.89 to 1.28 | 1.00 to 1.29 | | 20 | 1.54 to 1.70 | | 40 | 1.49 to 2.48 |
    /// | 80 | 1.11 to 1.37 | 1.21 to 1.49 | | | | | | |
    /// | 160 | 1.28 to 1.53 | 1.11 to 1.41 | | | | | | |
    ///
    /// Data takes long to settle. On one CPU nothing depends on the length: 1.36 to 1.45 with 80 ms at
    /// 64K, 1.31 to 1.50 with 160. More connections in a row would use up the free ports (TIME_WAIT).
    pub fn length(self) -> Duration {
        Duration::from_millis([10, 80, 20][self as usize])
    }
}

/// How long a block takes on a schedule, where messages may be far between.
const SCHEDULED: Duration = Duration::from_millis(100);

/// What a block is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    pub benchmark: Benchmark,
    pub network: Network,
    pub wait: Wait,
    pub cpus: Cpus,
    /// Bytes in a message.
    pub size: usize,
    /// How long a block takes.
    pub length: Duration,
}

impl Series {
    /// Pipes have no connections, and only block.
    fn is_possible(self) -> bool {
        let blocks = self.wait == Wait::Block && self.benchmark != Benchmark::Connect;
        self.network != Network::Pipe || blocks
    }

    /// `Unix`, `polling TCP`
    pub fn who(self) -> String {
        let polls = if self.wait == Wait::Spin { "polling " } else { "" };
        format!("{polls}{}", self.network.in_words())
    }

    pub fn in_words(self) -> String {
        format!("{} {}", self.who(), self.cpus.in_words())
    }
}

/// What was measured of a series.
#[derive(Clone, Debug)]
pub struct Measured {
    pub series: Series,
    /// A figure a block: the median round trip in nanoseconds, or bytes or visits a second.
    pub blocks: Vec<f64>,
    /// All round trips, in nanoseconds.
    pub round_trips: Vec<f32>,
    /// How long the blocks took.
    pub elapsed: Duration,
}

impl Measured {
    fn new(series: Series) -> Measured {
        Measured { series, blocks: Vec::new(), round_trips: Vec::new(), elapsed: Duration::ZERO }
    }

    /// The figure of the series.
    pub fn mid(&self) -> f64 {
        median(&self.blocks)
    }

    fn merge(&mut self, other: &Measured) {
        self.blocks.extend(&other.blocks);
        self.round_trips.extend(&other.round_trips);
        self.elapsed += other.elapsed;
    }
}

/// How two series compare.
#[derive(Clone, Debug)]
pub struct Comparison {
    pub a: Measured,
    pub b: Measured,
    /// How many times as fast `a` is as `b`.
    pub ratio: Ratio,
    /// The CPU time that other programs had on the CPUs of both ends during the blocks, and that there
    /// was in all, in seconds; 0 where nothing says so.
    others: f64,
    time: f64,
    /// The longest that a turn of it took.
    longest: Duration,
    failed: bool,
}

/// The share of their CPUs' time that others may have before a run counts as busy: on a quiet machine
/// it was up to 0.08, beside one busy loop at least 0.20, beside two 0.43 to 0.97. How long the ends
/// waited for a CPU does not tell: being woken up on one that sleeps counts as waiting.
const BUSY: f64 = 0.15;

impl Comparison {
    pub fn new(a: Series, b: Series) -> Comparison {
        let [a, b] = [a, b].map(Measured::new);
        let (ratio, longest) = (Ratio::default(), Duration::ZERO);
        Comparison { a, b, ratio, others: 0.0, time: 0.0, longest, failed: false }
    }

    /// Which share of their CPUs' time other programs had meanwhile; `None` where nothing says so.
    pub fn others(&self) -> Option<f64> {
        (self.time > 0.0).then(|| (self.others / self.time).max(0.0))
    }

    pub fn was_busy(&self) -> bool {
        self.others().is_some_and(|others| others > BUSY)
    }

    /// Whether both are the same, so that any difference comes from chance.
    pub fn is_null(&self) -> bool {
        self.a.series == self.b.series
    }

    /// Two networks, in blocks of the ordinary length.
    pub fn is_plain(&self) -> bool {
        !self.is_null() && self.a.series.length == self.a.series.benchmark.length()
    }

    fn wants_more(&self) -> bool {
        self.ratio.wants_more() && !self.failed
    }
}

/// All that a run has found.
pub struct Run {
    /// The machine, and its load at the start.
    pub machine: String,
    pub load: Option<f64>,
    pub placement: Placement,
    pub comparisons: Vec<Comparison>,
    /// What could not be measured, and why.
    pub failures: Vec<String>,
    /// The share of CPU time that the host took away.
    pub steal: Option<f64>,
    pub turns: usize,
    pub took: Duration,
}

impl Run {
    /// What was measured of each series, in all comparisons that it takes part in.
    pub fn series(&self) -> Vec<Measured> {
        let mut all: Vec<Measured> = Vec::new();
        for one in self.comparisons.iter().flat_map(|comparison| [&comparison.a, &comparison.b]) {
            match all.iter_mut().find(|known| known.series == one.series) {
                Some(known) => known.merge(one),
                None => all.push(one.clone()),
            }
        }
        all
    }
}

/// The comparisons of one benchmark: the first network with each other one, and polling with blocking.
/// Where there is only one of each, it is compared with itself, which shows what chance does.
pub fn pairs(
    options: &Options,
    benchmark: Benchmark,
    size: usize,
    cpus: &[Cpus],
) -> Vec<(Series, Series)> {
    let (first, others) = (options.networks[0], &options.networks[1..]);
    let mut kinds = Vec::new();
    for &wait in &options.waits {
        kinds.extend(others.iter().map(|other| ((first, wait), (*other, wait))));
    }
    if options.waits.len() > 1 {
        let both = |one: &Network| ((*one, Wait::Spin), (*one, Wait::Block));
        kinds.extend(options.networks.iter().map(both));
    }
    if kinds.is_empty() {
        kinds.push(((first, options.waits[0]), (first, options.waits[0])));
    }
    let length = if options.rate.is_some() { SCHEDULED } else { benchmark.length() };
    let mut pairs = Vec::new();
    for (a, b) in kinds {
        for &cpus in cpus {
            let series = |(network, wait)| Series { benchmark, network, wait, cpus, size, length };
            pairs.push((series(a), series(b)));
        }
    }
    pairs.retain(|(a, b)| a.is_possible() && b.is_possible());
    pairs
}

/// Takes turns until every comparison is decided or the time is up. Whatever fails is left out.
pub fn measure(
    options: &Options,
    (machine, load): (String, Option<f64>),
    placement: Placement,
    plan: Vec<(Series, Series)>,
) -> Run {
    let steal_before = machine::steal();
    let mut comparisons: Vec<Comparison> =
        plan.into_iter().map(|(a, b)| Comparison::new(a, b)).collect();
    let (servers, failures, samples) = (HashMap::new(), Vec::new(), Vec::new());
    let mut bench = Bench { options, placement, servers, failures, samples };
    let mut turns = 0;
    for turn in 0..=MOST_TURNS {
        let open = || comparisons.iter().filter(|one| one.wants_more());
        let needed: Duration = open().map(|one| one.longest).sum();
        if open().next().is_none() || options.start.elapsed() + needed > options.time {
            break;
        }
        take_turn(&mut bench, &mut comparisons, turn);
        turns = turn;
    }
    progress("");
    comparisons.retain(|one| !one.failed);
    for one in comparisons.iter_mut().filter(|one| one.wants_more()) {
        one.ratio.look(true);
    }
    let steal = steal_before.zip(machine::steal()).map(|((stolen, all), (stolen_now, all_now))| {
        (stolen_now - stolen) as f64 / (all_now - all).max(1) as f64
    });
    let Bench { placement, failures, .. } = bench;
    let failures = failures.into_iter().map(|(place, why)| format!("{place}: {why}")).collect();
    let took = options.start.elapsed();
    Run { machine, load, placement, comparisons, failures, steal, turns, took }
}

/// A turn of all comparisons that are open. Turn 0 warms up.
fn take_turn(bench: &mut Bench<'_>, all: &mut [Comparison], turn: usize) {
    // The others are started anew. A new one for connections would mostly be starting threads.
    bench.servers.retain(|(_, benchmark), _| *benchmark == Benchmark::Connect);
    let mut order = Vec::new();
    for (at, one) in all.iter().enumerate().filter(|(_, one)| one.wants_more()) {
        // A pair of latency blocks is short.
        let is_short = one.a.series.length == Benchmark::Latency.length();
        order.extend(vec![at; if is_short { 4 } else { 1 }]);
    }
    order.sort_by_cached_key(|_| random());
    let mut ratios = vec![Vec::new(); all.len()];
    let mut times = vec![Duration::ZERO; all.len()];
    for at in order {
        let one = &mut all[at];
        if one.failed {
            continue;
        }
        show(bench.options, one, turn);
        let start = Instant::now();
        match bench.pair(one, turn > 0) {
            Ok(ratio) => ratios[at].push(ratio),
            Err(failure) => {
                one.failed = true;
                if bench.failures.iter().all(|(place, _)| *place != failure.0) {
                    bench.failures.push(failure);
                }
            }
        }
        times[at] += start.elapsed();
    }
    for (at, one) in all.iter_mut().enumerate() {
        one.longest = one.longest.max(times[at]);
        if turn > 0 && !one.failed && !ratios[at].is_empty() {
            one.ratio.add(median(&ratios[at]));
            one.ratio.look(false);
        }
    }
}

/// Std seeds its hash maps with random numbers.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// What cannot be measured, and why.
type Failure = (String, String);

/// What measuring a pair takes.
struct Bench<'a> {
    options: &'a Options,
    placement: Placement,
    /// The other end for each placement and benchmark, or why there is none; started when it is first
    /// needed.
    servers: HashMap<(Cpus, Benchmark), Result<Server, String>>,
    failures: Vec<Failure>,
    /// The round trips of a block. One buffer for all: only the first block has to fault it in.
    samples: Vec<f32>,
}

impl Bench<'_> {
    /// Opens both connections, and then runs a block over each, in the same order: the one that is opened
    /// first, to a new server, is 2 to 4 % faster. Returns how many times as fast the first of the two
    /// series was.
    fn pair(&mut self, one: &mut Comparison, counts: bool) -> Result<f64, Failure> {
        let is_turned = random().is_multiple_of(2);
        let (first, second) =
            if is_turned { (&mut one.b, &mut one.a) } else { (&mut one.a, &mut one.b) };
        let mut link_first = self.open(first.series)?;
        let mut link_second = self.open(second.series)?;
        let servers = [link_first.pid, link_second.pid];
        let cpus = self.placement.cpus(first.series.cpus).to_vec();
        let before = machine::others(servers, &cpus);
        let start = Instant::now();
        let figure_first = self.block(first, &mut link_first, counts)?;
        let figure_second = self.block(second, &mut link_second, counts)?;
        if let (Some(before), Some(after)) = (before, machine::others(servers, &cpus)) {
            one.others += after - before;
            one.time += start.elapsed().as_secs_f64() * cpus.len() as f64;
        }
        let ratio = figure_first / figure_second;
        // Of round trips, less is faster.
        let is_less = one.a.series.benchmark == Benchmark::Latency;
        Ok(if is_turned != is_less { 1.0 / ratio } else { ratio })
    }

    fn server(&mut self, cpus: Cpus, benchmark: Benchmark) -> Result<&Server, String> {
        let start = |cpu| Server::start(cpu).map_err(|e| format!("no server starts: {e}"));
        let server = || match &self.options.connect {
            Some(addr) => Ok(Server::elsewhere(addr)),
            None => self.placement.server(cpus).and_then(start),
        };
        let server = self.servers.entry((cpus, benchmark)).or_insert_with(server);
        server.as_ref().map_err(String::clone)
    }

    fn request(&self, series: Series) -> Request {
        let Options { recv, spin, buffers, .. } = *self.options;
        let is_throughput = series.benchmark == Benchmark::Throughput;
        let kind = if is_throughput { Kind::Sink } else { Kind::Echo };
        let spin = if series.wait == Wait::Spin { spin } else { Duration::ZERO };
        Request { kind, size: series.size, recv, spin, buffers }
    }

    fn open(&mut self, series: Series) -> Result<Link, Failure> {
        let request = self.request(series);
        let server = self.server(series.cpus, series.benchmark);
        let opened = server.map_err(|why| (series.cpus.in_words().to_string(), why))?;
        let opened = opened.open(series.network, request);
        opened.map_err(|e| self.failed(series, e))
    }

    /// Runs a block and returns its figure, which is also noted if it counts.
    fn block(
        &mut self,
        measured: &mut Measured,
        link: &mut Link,
        counts: bool,
    ) -> Result<f64, Failure> {
        let start = Instant::now();
        let done = self.timed(measured.series, link);
        let elapsed = start.elapsed();
        let figure = done.map_err(|e| self.failed(measured.series, e))?;
        if counts {
            measured.blocks.push(figure);
            measured.round_trips.extend(&self.samples);
            measured.elapsed += elapsed;
        }
        Ok(figure)
    }

    fn timed(&mut self, series: Series, link: &mut Link) -> io::Result<f64> {
        self.samples.clear();
        match (series.benchmark, self.options.rate) {
            (Benchmark::Throughput, _) => throughput::send(&mut link.end, series),
            (Benchmark::Connect, _) => {
                let request = self.request(series);
                let server =
                    self.server(series.cpus, series.benchmark).map_err(io::Error::other)?;
                connect::visit(server, series, request)
            }
            (Benchmark::Latency, None) => {
                latency::closed_loop(&mut link.end, series, &mut self.samples)
            }
            (Benchmark::Latency, Some(rate)) => {
                latency::on_schedule(&mut link.end, series, rate, &mut self.samples)
            }
        }
    }

    /// What went wrong, in the words of who knows: a server that has ended, above all.
    fn failed(&self, series: Series, e: io::Error) -> Failure {
        use ErrorKind::*;
        let elsewhere = self.options.connect.as_ref();
        let place = elsewhere.map_or(series.in_words(), |addr| addr.to_string());
        let why = match e.kind() {
            NotFound | ConnectionRefused if elsewhere.is_some() => {
                format!("{e}; start one there first: sockbench serve {place}")
            }
            UnexpectedEof | BrokenPipe | ConnectionReset | ConnectionRefused => {
                "the server has ended in the middle of a run".to_string()
            }
            WouldBlock | TimedOut => {
                "the server does not answer within 10 s; it may have too many clients".to_string()
            }
            AddrNotAvailable => "no free port is left for now; try again in a minute".to_string(),
            _ => e.to_string(),
        };
        (place, why)
    }
}

/// What is being measured, for a person who watches.
fn show(options: &Options, one: &Comparison, turn: usize) {
    let [a, b] = text::names(one);
    let (topic, cpus) = (text::topic(one), one.a.series.cpus.in_words());
    let ratio = one.ratio.mid().map_or(String::new(), |ratio| format!(", {ratio:.2} so far"));
    let left = options.time.saturating_sub(options.start.elapsed()).as_secs();
    progress(&format!("turn {turn}: {topic}, {a} and {b} {cpus}{ratio}; at most {left} s left"));
}

/// A line that is written over; nothing when nobody watches.
fn progress(line: &str) {
    if io::stderr().is_terminal() {
        let _ = io::stderr().write_all(format!("\r\x1b[K{line}").as_bytes());
    }
}
