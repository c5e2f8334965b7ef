//! Round trips: how long until a message has gone there and come back.

use std::io::{self, ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::cell::{Cell, take_turns};
use crate::end::End;
use crate::options::Options;
use crate::rows::{Benchmark, Latency, QUANTILES, What};
use crate::series::Series;
use crate::server::{Kind, Request};
use crate::stats::{self, Spread};
use crate::{Error, figures, head};

/// The rows of all sizes, and notes on what they are about.
pub fn measure(options: &Options) -> Result<(Vec<String>, Vec<Latency>), Error> {
    let Options { count, rounds, spin, .. } = *options;
    let mut rows = Vec::new();
    let mut late = Late::default();
    // One buffer for every round: after the first, no round meets memory that it has to fault in.
    let mut samples = vec![0; count];
    for &size in &options.sizes {
        let request = Request { kind: Kind::Latency, size, count, spin };
        let mut series = options.series.clone();
        if options.connect.is_none() && options.rate.is_none() {
            series.push(Series::ONE_THREAD);
        }
        let mut all = series
            .into_iter()
            .map(|series| Ok(Results::new(Cell::open(options, series, request)?, count * rounds)))
            .collect::<Result<Vec<_>, Error>>()?;
        take_turns(&figures::bytes(size), rounds, &mut all, |results, counted| {
            let mut lateness = Late::default();
            let took = results.cell.round(counted, |end| match options.rate {
                None => closed_loop(end, size, &mut samples),
                Some(rate) => on_schedule(end, size, rate, &mut samples, &mut lateness),
            })?;
            if counted {
                results.add(&mut samples, took);
                late.add(lateness);
            }
            Ok(())
        })?;
        rows.extend(all.into_iter().map(|results| results.into_row(options, size)));
    }
    Ok((head::latency(options, &late), rows))
}

/// The client speaks first. The next message leaves when the last is back, and one reading of the
/// clock ends one round trip and begins the next.
fn closed_loop(end: &mut End, size: usize, samples: &mut [u64]) -> io::Result<Duration> {
    let (mut ping, mut pong) = (vec![b'.'; size], vec![0; size]);
    let start = Instant::now();
    let mut before = start;
    for (number, sample) in (0..).zip(samples) {
        round_trip(end, number, &mut ping, &mut pong)?;
        let after = Instant::now();
        *sample = nanos(after - before);
        before = after;
    }
    Ok(before - start)
}

/// Message n is due n intervals after the first, however late the answers come, and its round trip
/// counts from then: a server that stalls makes all of them late that would have been sent meanwhile.
fn on_schedule(
    end: &mut End,
    size: usize,
    rate: usize,
    samples: &mut [u64],
    late: &mut Late,
) -> io::Result<Duration> {
    let (mut ping, mut pong) = (vec![b'.'; size], vec![0; size]);
    let start = Instant::now();
    let mut idle_since = start;
    for (number, sample) in (0..).zip(samples) {
        let due = start + Duration::from_secs_f64(number as f64 / rate as f64);
        let sent = wait_until(due);
        let by = sent - due.max(idle_since);
        late.add(Late { total: by, worst: by, messages: 1 });
        round_trip(end, number, &mut ping, &mut pong)?;
        idle_since = Instant::now();
        *sample = nanos(idle_since - due);
    }
    Ok(idle_since - start)
}

/// A message carries its number, which has to come back.
#[inline]
fn round_trip(end: &mut End, number: u64, ping: &mut [u8], pong: &mut [u8]) -> io::Result<()> {
    let numbered = ping.len().min(8);
    ping[..numbered].copy_from_slice(&number.to_le_bytes()[..numbered]);
    end.write_all(ping)?;
    end.read_exact(pong)?;
    if pong[..numbered] != ping[..numbered] {
        return Err(io::Error::new(ErrorKind::InvalidData, "another message came back"));
    }
    Ok(())
}

/// Sleeps until a millisecond before, and then watches the clock: a sleep ends some 50 to 100 µs late.
fn wait_until(due: Instant) -> Instant {
    const WATCH: Duration = Duration::from_millis(1);
    let mut now = Instant::now();
    while now < due {
        if due - now > WATCH {
            thread::sleep(due - now - WATCH);
        } else {
            std::hint::spin_loop();
        }
        now = Instant::now();
    }
    now
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}

/// How late the client itself was, once a message was due and the answer before it was in.
#[derive(Default)]
pub struct Late {
    total: Duration,
    pub worst: Duration,
    messages: u32,
}

impl Late {
    fn add(&mut self, other: Late) {
        self.total += other.total;
        self.worst = self.worst.max(other.worst);
        self.messages += other.messages;
    }

    pub fn mean(&self) -> Duration {
        self.total / self.messages.max(1)
    }
}

/// The round trips of a cell, in nanoseconds.
struct Results {
    cell: Cell,
    samples: Vec<u64>,
    means: Vec<f64>,
    medians: Vec<f64>,
    rates: Vec<f64>,
}

impl Results {
    fn new(cell: Cell, count: usize) -> Results {
        let samples = Vec::with_capacity(count);
        Results { cell, samples, means: Vec::new(), medians: Vec::new(), rates: Vec::new() }
    }

    fn add(&mut self, round: &mut [u64], took: Duration) {
        self.rates.push(round.len() as f64 / took.as_secs_f64());
        self.means.push(round.iter().sum::<u64>() as f64 / round.len() as f64);
        round.sort_unstable();
        self.medians.push(stats::quantile(round, 0.5) as f64);
        self.samples.extend_from_slice(round);
    }

    fn into_row(mut self, options: &Options, size: usize) -> Latency {
        let Options { count, rounds, .. } = *options;
        self.samples.sort_unstable();
        let Spread { lo, hi, .. } = Spread::of(&self.medians);
        // On a schedule the client's own watching of the clock is in it.
        let cpu = self.cell.cpu.filter(|_| options.rate.is_none());
        Latency {
            what: What {
                benchmark: Benchmark::Latency,
                series: self.cell.series,
                size,
                count,
                rounds,
            },
            oneway: stats::median(&self.means) / 2.0,
            quantiles: QUANTILES.map(|q| stats::quantile(&self.samples, q) as f64),
            per_s: stats::median(&self.rates),
            cpu: cpu.map(|cpu| cpu.as_nanos() as f64 / self.samples.len() as f64),
            p50_lo: lo,
            p50_hi: hi,
        }
    }
}
