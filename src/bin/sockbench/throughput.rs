//! One way: how many bytes a second arrive.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use crate::cell::{Cell, take_turns};
use crate::end::End;
use crate::options::Options;
use crate::rows::Row;
use crate::server::{Kind, RECV_BUF, Request};
use crate::stats::Spread;
use crate::{Error, figures, machine};

/// With small messages a round would take too long otherwise.
const MAX_MESSAGES: usize = 200_000;

/// The rows of all sizes, and notes on what they are about.
pub fn measure(options: &Options) -> Result<(Vec<String>, Vec<Row>), Error> {
    let mut rows = Vec::new();
    let mut buffers = Vec::new();
    for &size in &options.sizes {
        let count = (options.total / size).clamp(1, MAX_MESSAGES);
        let request = Request { kind: Kind::Throughput, size, count, spin: options.spin };
        let mut all = options
            .series
            .iter()
            .map(|&series| Ok((Cell::open(options, series, request)?, Vec::new())))
            .collect::<Result<Vec<_>, Error>>()?;
        let mut message = vec![b'.'; size];
        take_turns(&figures::bytes(size), options.rounds, &mut all, |(cell, rates), counted| {
            let took = cell.round(counted, |end| send(end, &mut message, count))?;
            if counted {
                rates.push((size * count) as f64 / 1e6 / took.as_secs_f64());
            }
            Ok(())
        })?;
        for (cell, rates) in all {
            let figure = Spread::of(&rates);
            let gb = (size * count * figure.rounds) as f64 / 1e9;
            rows.push(Row {
                benchmark: "throughput",
                series: cell.series,
                size,
                count,
                figure,
                per_s: figure.mid * 1e6 / size as f64,
                cpu: cell.cpu.map(|cpu| cpu.as_secs_f64() / gb),
                oneway: 0.0,
                quantiles: [0.0; 6],
            });
            buffers.extend(cell.buffers.clone());
        }
    }
    buffers.sort();
    buffers.dedup();
    if buffers.is_empty() {
        buffers.extend(machine::socket_buffers());
    }
    let (total, most) = (figures::size(options.total), figures::thousands(MAX_MESSAGES as f64));
    let rounds = options.describe_rounds();
    let mut notes = vec![
        machine::describe(),
        format!("throughput: up to {total} or {most} messages in {rounds}"),
        options.describe_waiting(),
        format!(
            "timed until the server says that it has the last byte; it reads up to {} at a time",
            figures::size(RECV_BUF)
        ),
    ];
    notes.extend(buffers);
    Ok((notes, rows))
}

/// Sends a round, each message in one write, and stops the clock when the server says that it has
/// read all of it: what has been sent only lies in a buffer. The first byte of a message is its number.
fn send(end: &mut End, message: &mut [u8], count: usize) -> io::Result<Duration> {
    let start = Instant::now();
    for number in 0..count {
        message[0] = number as u8;
        end.write_all(message)?;
    }
    let mut received = [0; 8];
    end.read_exact(&mut received)?;
    let took = start.elapsed();
    if u64::from_le_bytes(received) != (message.len() * count) as u64 {
        return Err(io::Error::new(ErrorKind::InvalidData, "not all that was sent has arrived"));
    }
    Ok(took)
}
