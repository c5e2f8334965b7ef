//! What is compared, and how: two series at a time, in two blocks right after each other, turn by turn.
//!
//! A machine changes from one second to the next. What strikes both blocks of a pair alike does no harm
//! to their ratio, and so the ratios of pairs are what a verdict rests on. A turn is a pair of each
//! comparison (four of each latency comparison), all in random order. The first turn warms up. Both
//! ends connect anew before every pair: which connection it is matters for as long as it lasts.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process;
use std::time::{Duration, Instant};

use super::server::{Kind, Request};
use super::transport::{Far, Link, Network, Wait};
use super::{connect, latency, throughput};
use crate::args::Options;
use crate::machine::{Cpus, Machine, Placement, Steal, Usage};
use crate::output::text;
use crate::stats::{Histogram, MOST_TURNS, Random, Ratio, Verdict, median};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Benchmark {
    Latency,
    Throughput,
    Connect,
}

impl Benchmark {
    pub fn name(self) -> &'static str {
        match self {
            Benchmark::Latency => "latency",
            Benchmark::Throughput => "throughput",
            Benchmark::Connect => "connect",
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
        match self {
            Benchmark::Latency => Duration::from_millis(10),
            Benchmark::Throughput => Duration::from_millis(80),
            Benchmark::Connect => Duration::from_millis(20),
        }
    }

    /// How many times as fast the first is as the second, by a figure of each.
    fn ratio(self, a: f64, b: f64) -> f64 {
        match self {
            Benchmark::Latency => b / a,
            Benchmark::Throughput | Benchmark::Connect => a / b,
        }
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

/// What was measured of a series.
#[derive(Clone, Debug)]
pub struct Measured {
    pub series: Series,
    /// A figure a block: the median round trip in nanoseconds, or bytes or visits a second.
    pub blocks: Vec<f64>,
    /// All round trips.
    pub round_trips: Histogram,
    /// How many round trips, bytes or visits they were.
    pub count: u64,
    /// How long the blocks took, in nanoseconds.
    pub elapsed: u64,
    /// What both ends had of the CPUs meanwhile; `None` where that cannot be known.
    pub usage: Option<Usage>,
}

impl Measured {
    pub fn new(series: Series) -> Measured {
        Measured {
            series,
            blocks: Vec::new(),
            round_trips: Histogram::default(),
            count: 0,
            elapsed: 0,
            usage: Some(Usage::default()),
        }
    }

    pub fn mid(&self) -> f64 {
        median(&self.blocks)
    }
}

/// How two series compare.
#[derive(Clone, Debug)]
pub struct Comparison {
    pub a: Measured,
    pub b: Measured,
    /// How many times as fast `a` is as `b`.
    pub ratio: Ratio,
    /// How many CPUs the two ends may use.
    cpus: usize,
    /// The longest that a turn of it took.
    longest: Duration,
    failed: bool,
}

impl Comparison {
    pub fn new(a: Series, b: Series, placement: &Placement) -> Comparison {
        let cpus = placement.cpus(a.cpus).len();
        let [a, b] = [a, b].map(Measured::new);
        Comparison { a, b, ratio: Ratio::default(), cpus, longest: Duration::ZERO, failed: false }
    }

    pub fn verdict(&self) -> Verdict {
        self.ratio.verdict()
    }

    /// Which share of their CPUs' time the two ends had, and which share all others had.
    pub fn usage(&self) -> Option<(f64, f64)> {
        let usage = self.a.usage? + self.b.usage?;
        let time = (self.a.elapsed + self.b.elapsed) as f64 * self.cpus as f64;
        (time > 0.0).then(|| {
            let others = usage.all.saturating_sub(usage.ends);
            (usage.ends as f64 / time, others as f64 / time)
        })
    }

    /// Whether other programs used a good part of the CPUs meanwhile.
    pub fn was_busy(&self) -> bool {
        self.usage().is_some_and(|(_, others)| others > BUSY)
    }

    /// Whether both are the same, so that any difference comes from chance.
    pub fn is_null(&self) -> bool {
        self.a.series == self.b.series
    }

    fn wants_more(&self) -> bool {
        self.ratio.wants_more() && !self.failed
    }
}

/// The share of their CPUs' time that others may have before a run counts as busy: on a quiet machine
/// it is up to 0.08, beside one busy loop at least 0.20, beside two 0.43 to 0.97.
const BUSY: f64 = 0.15;

/// All that a run has found.
pub struct Run {
    pub machine: Machine,
    pub placement: Placement,
    pub comparisons: Vec<Comparison>,
    /// What could not be measured, and why.
    pub failures: Vec<String>,
    /// What the system made of the socket buffers that were asked for.
    pub buffers: Vec<String>,
    /// On a schedule, how late the client itself was.
    pub late: Histogram,
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
            let Some(known) = all.iter_mut().find(|known| known.series == one.series) else {
                all.push(one.clone());
                continue;
            };
            known.blocks.extend(&one.blocks);
            known.round_trips.merge(&one.round_trips);
            known.count += one.count;
            known.elapsed += one.elapsed;
            known.usage = known.usage.zip(one.usage).map(|(a, b)| a + b);
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
    let may = |network: &Network| benchmark != Benchmark::Connect || *network != Network::Pipe;
    let networks: Vec<Network> = options.networks.iter().copied().filter(may).collect();
    let Some((&first, others)) = networks.split_first() else { return Vec::new() };
    let polls = |network: Network| network != Network::Pipe;
    let mut kinds = Vec::new();
    for &wait in &options.waits {
        for &other in others {
            if wait == Wait::Block || (polls(first) && polls(other)) {
                kinds.push(((first, wait), (other, wait)));
            }
        }
    }
    if options.waits.len() > 1 {
        let polling = networks.iter().copied().filter(|network| polls(*network));
        kinds.extend(polling.map(|one| ((one, Wait::Spin), (one, Wait::Block))));
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
    pairs
}

/// Takes turns until every comparison is decided or the time is up. Whatever fails is left out.
pub fn measure(
    options: &Options,
    machine: Machine,
    placement: Placement,
    plan: Vec<(Series, Series)>,
) -> Run {
    let steal = Steal::now();
    let new = |(a, b)| Comparison::new(a, b, &placement);
    let mut comparisons: Vec<_> = plan.into_iter().map(new).collect();
    let mut bench = Bench::new(options, placement);
    let mut random = Random::new(RandomState::new().build_hasher().finish());
    let mut turns = 0;
    for turn in 0..=MOST_TURNS {
        let open = || comparisons.iter().enumerate().filter(|(_, one)| one.wants_more());
        let needed: Duration = open().map(|(_, one)| one.longest).sum();
        if open().next().is_none() || options.start.elapsed() + needed > options.time {
            break;
        }
        let mut order: Vec<usize> =
            open().flat_map(|(at, one)| [at].repeat(pairs_a_turn(one.a.series))).collect();
        random.shuffle(&mut order);
        let mut ratios = vec![Vec::new(); comparisons.len()];
        let mut times = vec![Duration::ZERO; comparisons.len()];
        for at in order {
            let one = &mut comparisons[at];
            if one.failed {
                continue;
            }
            progress(options, turn, one);
            let start = Instant::now();
            match bench.pair(one, random.below(2) == 0, turn > 0) {
                Ok(ratio) => ratios[at].push(ratio),
                Err(why) => {
                    one.failed = true;
                    if !bench.failures.contains(&why) {
                        bench.failures.push(why);
                    }
                }
            }
            times[at] += start.elapsed();
        }
        for (at, one) in comparisons.iter_mut().enumerate() {
            one.longest = one.longest.max(times[at]);
            if turn > 0 && !one.failed && !ratios[at].is_empty() {
                one.ratio.add(median(&ratios[at]));
                one.ratio.look(false);
            }
        }
        turns = turn;
    }
    end_progress();
    comparisons.retain(|one| !one.failed);
    comparisons.iter_mut().filter(|one| one.wants_more()).for_each(|one| one.ratio.look(true));
    Run {
        machine,
        placement: bench.placement,
        comparisons,
        failures: bench.failures,
        buffers: bench.buffers,
        late: bench.late,
        steal: Steal::now().zip(steal).map(|(end, start)| end.share_since(start)),
        turns,
        took: options.start.elapsed(),
    }
}

/// A pair of latency blocks is short.
fn pairs_a_turn(series: Series) -> usize {
    if series.benchmark == Benchmark::Latency && series.length < SCHEDULED { 4 } else { 1 }
}

/// What measuring a pair takes.
struct Bench<'a> {
    options: &'a Options,
    placement: Placement,
    /// The other end of each placement, or why there is none; started when it is first needed.
    fars: Vec<(Cpus, Result<Far, String>)>,
    failures: Vec<String>,
    buffers: Vec<String>,
    samples: Vec<u64>,
    late: Histogram,
}

impl<'a> Bench<'a> {
    fn new(options: &'a Options, placement: Placement) -> Bench<'a> {
        Bench {
            options,
            placement,
            fars: Vec::new(),
            failures: Vec::new(),
            buffers: Vec::new(),
            samples: Vec::new(),
            late: Histogram::default(),
        }
    }

    /// Opens both connections, and then runs a block over each. Returns their ratio.
    fn pair(&mut self, one: &mut Comparison, a_first: bool, counted: bool) -> Result<f64, String> {
        let mut links = [self.open(one.a.series)?, self.open(one.b.series)?];
        let [link_a, link_b] = &mut links;
        let (a, b);
        if a_first {
            a = self.block(&mut one.a, link_a, counted)?;
            b = self.block(&mut one.b, link_b, counted)?;
        } else {
            b = self.block(&mut one.b, link_b, counted)?;
            a = self.block(&mut one.a, link_a, counted)?;
        }
        Ok(one.a.series.benchmark.ratio(a, b))
    }

    fn far(&mut self, cpus: Cpus) -> Result<&Far, String> {
        let known = self.fars.iter().position(|(known, _)| *known == cpus);
        let at = known.unwrap_or_else(|| {
            let started = match &self.options.connect {
                Some(addr) => Ok(Far::Elsewhere(addr.clone())),
                None => self.placement.server(cpus).and_then(|cpu| {
                    Far::start(cpu).map_err(|e| format!("the other end does not start: {e}"))
                }),
            };
            self.fars.push((cpus, started));
            self.fars.len() - 1
        });
        self.fars[at].1.as_ref().map_err(String::clone)
    }

    fn request(&self, series: Series) -> Request {
        let Options { recv, spin, buffers, .. } = *self.options;
        let kind = match series.benchmark {
            Benchmark::Latency | Benchmark::Connect => Kind::Echo,
            Benchmark::Throughput => Kind::Sink,
        };
        let spin = if series.wait == Wait::Spin { spin } else { Duration::ZERO };
        Request { kind, size: series.size, recv, spin, buffers }
    }

    fn open(&mut self, series: Series) -> Result<Link, String> {
        let request = self.request(series);
        let opened = self.far(series.cpus)?.open(series.network, request);
        let mut link = opened.map_err(|e| self.failed(series, e))?;
        if let Some(buffers) = link.buffers.take()
            && !self.buffers.contains(&buffers)
        {
            self.buffers.push(buffers);
        }
        Ok(link)
    }

    /// Runs a block and returns its figure, which is also noted if it counts.
    fn block(
        &mut self,
        measured: &mut Measured,
        link: &mut Link,
        counted: bool,
    ) -> Result<f64, String> {
        let before = self.usage(measured.series, link);
        let start = Instant::now();
        let done = self.timed(measured.series, link);
        let elapsed = start.elapsed().as_nanos() as u64;
        let after = self.usage(measured.series, link);
        let (figure, count) = done.map_err(|e| self.failed(measured.series, e))?;
        if counted {
            measured.blocks.push(figure);
            self.samples.iter().for_each(|sample| measured.round_trips.add(*sample));
            measured.count += count;
            measured.elapsed += elapsed;
            let usage = before.zip(after).map(|(before, after)| after - before);
            measured.usage = measured.usage.zip(usage).map(|(so_far, usage)| so_far + usage);
        }
        Ok(figure)
    }

    /// What the CPUs have done so far; `None` where the other end is not ours.
    fn usage(&self, series: Series, link: &Link) -> Option<Usage> {
        Usage::of([process::id(), link.pid?], &self.placement.cpus(series.cpus))
    }

    /// The figure of a block, and of how many round trips, bytes or visits it is.
    fn timed(&mut self, series: Series, link: &mut Link) -> io::Result<(f64, u64)> {
        let Series { benchmark, network, cpus, size, length, .. } = series;
        let rate = |(count, took): (u64, Duration)| (count as f64 / took.as_secs_f64(), count);
        self.samples.clear();
        match benchmark {
            Benchmark::Latency => {
                let (end, samples) = (&mut link.end, &mut self.samples);
                match self.options.rate {
                    None => latency::closed_loop(end, size, length, samples)?,
                    Some(rate) => {
                        latency::on_schedule(end, size, rate, length, samples, &mut self.late)?;
                    }
                }
                let sorted: Vec<f64> = self.samples.iter().map(|ns| *ns as f64).collect();
                Ok((median(&sorted), self.samples.len() as u64))
            }
            Benchmark::Throughput => throughput::send(&mut link.end, size, length).map(rate),
            Benchmark::Connect => {
                let request = self.request(series);
                let far = self.far(cpus).map_err(io::Error::other)?;
                connect::visit(far, network, request, length).map(rate)
            }
        }
    }

    /// What went wrong, in the words of who knows: a server that has ended, above all.
    fn failed(&self, series: Series, e: io::Error) -> String {
        use ErrorKind::*;
        let place = match &self.options.connect {
            Some(addr) => addr.to_string(),
            None => text::name(series),
        };
        match e.kind() {
            NotFound | ConnectionRefused if self.options.connect.is_some() => {
                format!("{place}: {e}; start one there first: sockbench serve {place}")
            }
            UnexpectedEof | BrokenPipe | ConnectionReset | ConnectionRefused => {
                format!("{place}: the server has ended in the middle of a run")
            }
            WouldBlock | TimedOut => {
                format!(
                    "{place}: the server does not answer within 10 s; it may have too many clients"
                )
            }
            AddrNotAvailable => {
                format!("{place}: no free port is left for now; try again in a minute")
            }
            _ => format!("{place}: {e}"),
        }
    }
}

/// A line that is written over, if a person watches.
fn progress(options: &Options, turn: usize, one: &Comparison) {
    let mut err = io::stderr();
    if !err.is_terminal() {
        return;
    }
    let about = text::about(one);
    let so_far = one.ratio.mid().map_or(String::new(), |ratio| format!(", {ratio:.2} so far"));
    let left = options.time.saturating_sub(options.start.elapsed()).as_secs();
    let turn = if turn == 0 { "warming up".to_string() } else { format!("turn {turn}") };
    let _ = write!(err, "\r\x1b[K{turn}: {about}{so_far}; at most {left} s left");
}

fn end_progress() {
    let mut err = io::stderr();
    if err.is_terminal() {
        let _ = write!(err, "\r\x1b[K");
    }
}
