//! Round trips: how long until a message has gone there and come back.

use std::io::{self, ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::cell::{Cell, take_turns};
use crate::end::End;
use crate::options::Options;
use crate::rows::{QUANTILES, Row};
use crate::series::ONE_THREAD;
use crate::server::{Kind, Request};
use crate::stats::{self, Spread};
use crate::{Error, figures, machine};

/// The rows of all sizes, and notes on what they are about.
pub fn measure(options: &Options) -> Result<(Vec<String>, Vec<Row>), Error> {
    let Options { count, rounds, spin, .. } = *options;
    let mut rows = Vec::new();
    let mut late = Vec::new();
    // One buffer for every round: after the first, no round meets memory that it has to fault in.
    let mut samples = vec![0; count];
    for &size in &options.sizes {
        let request = Request { kind: Kind::Latency, size, count, spin };
        let mut series = options.series.clone();
        if options.connect.is_none() && options.rate.is_none() {
            series.push(ONE_THREAD);
        }
        let mut all = series
            .into_iter()
            .map(|series| Ok(Results::new(Cell::open(options, series, request)?, count * rounds)))
            .collect::<Result<Vec<_>, Error>>()?;
        take_turns(&figures::bytes(size), rounds, &mut all, |results, counted| {
            let known = late.len();
            let took = results.cell.round(counted, |end| match options.rate {
                None => closed_loop(end, size, &mut samples),
                Some(rate) => on_schedule(end, size, rate, &mut samples, &mut late),
            })?;
            if counted {
                results.add(&mut samples, took);
            } else {
                late.truncate(known);
            }
            Ok(())
        })?;
        rows.extend(all.into_iter().map(|results| results.into_row(options, size)));
    }
    let count = figures::thousands(count as f64);
    let mut notes = vec![
        machine::describe(),
        format!("latency: {count} round trips in {}", options.describe_rounds()),
        options.describe_waiting(),
    ];
    notes.extend(machine::socket_buffers());
    match options.rate {
        None => notes.push(CLOSED_LOOP.into()),
        Some(rate) => {
            late.sort_unstable();
            let [p50, p99, max] =
                [0.5, 0.99, 1.0].map(|q| figures::micros(stats::quantile(&late, q) as f64));
            notes.push(format!(
                "on a schedule: {rate} messages a second are due, and each counts from when it was due"
            ));
            notes.push(format!(
                "the client itself was late by {p50} µs (p50), {p99} µs (p99), {max} µs (max)"
            ));
            for Row { series, per_s, .. } in &rows {
                if *per_s < 0.95 * rate as f64 {
                    let reached = figures::thousands(*per_s);
                    notes.push(format!("{series}: did not keep up: {reached} messages a second"));
                }
            }
        }
    }
    Ok((notes, rows))
}

const CLOSED_LOOP: &str = "a closed loop: the next message leaves when the last is back; a stall counts once (see --rate)";

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
    late: &mut Vec<u64>,
) -> io::Result<Duration> {
    let (mut ping, mut pong) = (vec![b'.'; size], vec![0; size]);
    let start = Instant::now();
    let mut idle_since = start;
    for (number, sample) in (0..).zip(samples) {
        let due = start + Duration::from_secs_f64(number as f64 / rate as f64);
        let sent = wait_until(due);
        late.push(nanos(sent - due.max(idle_since)));
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

/// The round trips of a cell, in nanoseconds.
struct Results {
    cell: Cell,
    samples: Vec<u64>,
    medians: Vec<f64>,
    took: Duration,
}

impl Results {
    fn new(cell: Cell, count: usize) -> Results {
        let samples = Vec::with_capacity(count);
        Results { cell, samples, medians: Vec::new(), took: Duration::ZERO }
    }

    fn add(&mut self, round: &mut [u64], took: Duration) {
        self.took += took;
        round.sort_unstable();
        self.medians.push(stats::quantile(round, 0.5) as f64);
        self.samples.extend_from_slice(round);
    }

    fn into_row(mut self, options: &Options, size: usize) -> Row {
        self.samples.sort_unstable();
        let quantiles = QUANTILES.map(|(_, q)| stats::quantile(&self.samples, q) as f64);
        // On a schedule, the client's own watching of the clock is in it.
        let cpu = self.cell.cpu.filter(|_| options.rate.is_none());
        Row {
            benchmark: "latency",
            series: self.cell.series,
            size,
            count: options.count,
            figure: Spread { mid: quantiles[1], ..Spread::of(&self.medians) },
            per_s: self.samples.len() as f64 / self.took.as_secs_f64(),
            cpu: cpu.map(|cpu| cpu.as_nanos() as f64 / self.samples.len() as f64),
            oneway: self.samples.iter().sum::<u64>() as f64 / self.samples.len() as f64 / 2.0,
            quantiles,
        }
    }
}
