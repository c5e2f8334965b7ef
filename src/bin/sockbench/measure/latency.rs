//! Round trips: how long until a message has gone there and come back.

use std::io::{self, ErrorKind, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use super::blocks::Series;
use super::transport::End;
use crate::stats::median;

/// A block of round trips ends after its length, but not before so many of them: apart, on a machine
/// that has slowed down, one takes a millisecond.
const FEWEST: usize = 50;

/// A closed loop: the next message leaves when the last is back. One reading of the clock ends one
/// round trip and begins the next. All go into `samples`, in nanoseconds; returns their
/// median.
pub fn closed_loop(end: &mut End, series: Series, samples: &mut Vec<f32>) -> io::Result<f64> {
    let mut messages = Messages::new(series.size);
    let start = Instant::now();
    let mut before = start;
    while before - start < series.length || samples.len() < FEWEST {
        messages.round_trip(end)?;
        let after = Instant::now();
        samples.push(nanos(after - before));
        before = after;
    }
    Ok(median(samples))
}

/// On a schedule, message n is due n intervals after the first, however late the answers come, and its
/// round trip counts from then: a server that stalls makes all of them late that would have been sent
/// meanwhile.
pub fn on_schedule(
    end: &mut End,
    series: Series,
    rate: usize,
    samples: &mut Vec<f32>,
) -> io::Result<f64> {
    let mut messages = Messages::new(series.size);
    let count = (series.length.as_secs_f64() * rate as f64).ceil() as usize;
    let start = Instant::now();
    for number in 0..count {
        let due = start + Duration::from_secs_f64(number as f64 / rate as f64);
        wait_until(due);
        messages.round_trip(end)?;
        samples.push(nanos(due.elapsed()));
    }
    Ok(median(samples))
}

/// What is sent, and room for what comes back. A message carries its number, which has to come back.
struct Messages {
    number: u64,
    ping: Vec<u8>,
    pong: Vec<u8>,
}

impl Messages {
    fn new(size: usize) -> Messages {
        Messages { number: 0, ping: vec![b'.'; size], pong: vec![0; size] }
    }

    #[inline]
    fn round_trip(&mut self, end: &mut End) -> io::Result<()> {
        self.number += 1;
        let numbered = self.ping.len().min(8);
        self.ping[..numbered].copy_from_slice(&self.number.to_le_bytes()[..numbered]);
        end.write_all(&self.ping)?;
        end.read_exact(&mut self.pong)?;
        if self.pong[..numbered] != self.ping[..numbered] {
            return Err(io::Error::new(ErrorKind::InvalidData, "another message came back"));
        }
        Ok(())
    }
}

/// Sleeps until a millisecond before, and then watches the clock: a sleep ends some 50 to 100 µs late.
fn wait_until(due: Instant) {
    const WATCH: Duration = Duration::from_millis(1);
    thread::sleep(due.saturating_duration_since(Instant::now()).saturating_sub(WATCH));
    while Instant::now() < due {
        std::hint::spin_loop();
    }
}

fn nanos(duration: Duration) -> f32 {
    duration.as_nanos() as f32
}
