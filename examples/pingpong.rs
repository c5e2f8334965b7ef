//! Ping-pong: how long a small message takes over a Unix socket and over TCP loopback, between ends
//! that sleep while they wait and between ends that poll.
//!
//! ```console
//! $ cargo run --release --example pingpong
//! $ cargo run --release --example pingpong -- -s 4K -n 20000 --net unix
//! $ cargo run --release --example pingpong -- --serve tcp:0.0.0.0:13500     # on one host
//! $ cargo run --release --example pingpong -- --connect tcp:there:13500     # on another
//! ```
//!
//! The client sends a message, the server sends it back, and half of that round trip is taken for
//! one way. The server is a process of its own: this program, started again. Networks and ways to
//! wait take turns round by round, so that a machine that slows down meanwhile slows them all.

use std::io::{self, ErrorKind, Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use streamsock::Conn;

use bench::csv::{Latency, What};
use bench::ends::{self, Cell, End, Request};
use bench::{Options, machine, stats, words};
use cli::{Args, Error};

mod bench;
mod cli;

const HELP: &str = "\
usage: pingpong [-s SIZE] [-n COUNT] [-r ROUNDS] [OPTION...] | --serve ADDR

Measures the round trip of a message between two processes, over Unix sockets and TCP loopback.

  -s SIZE          bytes in a message, 1 to 64M (128)
  -n COUNT         round trips in a round (10000)
  -r ROUNDS        rounds that are counted, after a first that is not (5)
  --net NETWORK    unix, tcp or both (both)
  --wait HOW       block, spin or both (both)
  --spin MICROS    how long to poll before blocking, with --wait spin (50)
  --threads        the server is a thread, not a process
  --csv            rows for a program to read: times in nanoseconds
  --serve ADDR     be the server, for any number of clients
  --connect ADDR   be the client of a server that runs elsewhere
  -h, --help       print this
";

/// More samples than this would not fit into memory on a small machine.
const MAX_SAMPLES: usize = 100_000_000;

fn main() -> ExitCode {
    cli::main("pingpong", HELP, run)
}

fn run(args: &mut Args) -> Result<(), Error> {
    let mut options = Options::new();
    let (mut size, mut count) = (128, 10_000);
    while let Some(option) = args.next()? {
        match option.as_str() {
            "-s" => size = args.parse("a size from 1 to 64M", bench::message_size)?,
            "-n" => {
                count =
                    args.parse("a number from 1 to 10000000", |t| bench::number(t, 10_000_000))?
            }
            // How the program starts itself again, to be the other end.
            "--serve-stdin" => {
                return ends::serve_stdin(&args.value()?.to_string_lossy(), answer);
            }
            option if options.take(option, args)? => continue,
            _ => return Err(args.unknown()),
        }
        options.measuring(&option);
    }
    if let Some(served) = options.serve(answer) {
        return served;
    }
    if count * options.rounds > MAX_SAMPLES {
        let why =
            format!("-n times -r is over {MAX_SAMPLES}: every sample is kept for the quantiles");
        return Err(Error::Usage(why));
    }

    let mut all = Vec::new();
    for wait in options.waits {
        for network in options.networks() {
            let cell = Cell::open(&options, (network, *wait), (size, count), |_| Ok(()), answer)?;
            all.push(Series::new(Source::Cell(cell)));
        }
    }
    if options.connect.is_none() {
        let (near, far) = Conn::pair().map_err(|e| cli::failed("a pair of sockets", e))?;
        all.push(Series::new(Source::Floor(near, far)));
    }
    for round in 0..=options.rounds {
        bench::progress(&format!("round {round} of {}", options.rounds));
        // A B C, C B A, and so on: what changes over time strikes all alike.
        if round % 2 == 0 {
            all.iter_mut().try_for_each(|series| series.round(size, count, round > 0))?;
        } else {
            all.iter_mut().rev().try_for_each(|series| series.round(size, count, round > 0))?;
        }
    }
    bench::progress("");

    let rows: Vec<Latency> = all.iter_mut().map(|series| series.row(size, count)).collect();
    if options.csv {
        let lines = rows.iter().map(|row| format!("{row}\n")).collect::<String>();
        return cli::print(format!("{}\n{lines}", Latency::HEADER).as_bytes());
    }
    let head = format!(
        "{}\n{} bytes, {count} round trips in a round, median of {} rounds after one to warm up\n{}\n",
        machine::describe(),
        stats::size(size),
        options.rounds,
        options.describe(),
    );
    let floor = all.iter().find(|series| matches!(series.source, Source::Floor(..)));
    let text = head
        + &words::latency_table(&rows)
        + &words::latency_findings(&rows)
        + &floor.map(Series::floor).unwrap_or_default();
    cli::print(text.as_bytes())?;
    for (row, series) in rows.iter().zip(&all) {
        if let Some(warning) = words::unsteady(&row.what.network, &row.what.wait, &series.oneway) {
            cli::say(&format!("pingpong: {warning}"));
        }
    }
    Ok(())
}

/// The server's end: sends back every message, until the client ends.
fn answer(end: &mut End, Request { size, .. }: Request) -> io::Result<()> {
    let mut message = vec![0; size];
    loop {
        match end.read_exact(&mut message).and_then(|()| end.write_all(&message)) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            done => done?,
        }
    }
}

/// What is measured: a cell, or what remains when nobody is woken up.
enum Source {
    Cell(Cell),
    /// One thread that writes to the one end of a pair, and reads at the other.
    Floor(Conn, Conn),
}

struct Series {
    source: Source,
    /// The mean of each round, in nanoseconds one way.
    oneway: Vec<f64>,
    /// Every round trip that counts, in nanoseconds.
    round_trips: Vec<u64>,
    cpu: Option<Duration>,
}

impl Series {
    fn new(source: Source) -> Series {
        Series { source, oneway: Vec::new(), round_trips: Vec::new(), cpu: Some(Duration::ZERO) }
    }

    fn round(&mut self, size: usize, count: usize, counted: bool) -> Result<(), Error> {
        let cpu_before = self.cpu_time();
        let samples = match &mut self.source {
            Source::Cell(cell) => {
                ping_pong(&mut cell.end, size, count).map_err(|e| cell.failed(e))?
            }
            Source::Floor(near, far) => {
                floor(near, far, size, count).map_err(|e| cli::failed("a pair of sockets", e))?
            }
        };
        if counted {
            let sum: u64 = samples.iter().sum();
            self.oneway.push(sum as f64 / count as f64 / 2.0);
            self.round_trips.extend(samples);
            self.cpu = bench::add_since(self.cpu, cpu_before, self.cpu_time());
        }
        Ok(())
    }

    fn cpu_time(&self) -> Option<Duration> {
        match &self.source {
            Source::Cell(cell) => cell.cpu_time(),
            Source::Floor(..) => machine::cpu_time(std::process::id()),
        }
    }

    fn row(&mut self, size: usize, count: usize) -> Latency {
        self.round_trips.sort_unstable();
        let quantile = |q| stats::quantile(&self.round_trips, q);
        let oneway = stats::median(&self.oneway);
        let (network, wait) = match &self.source {
            Source::Cell(cell) => (cell.network, cell.wait.to_string()),
            Source::Floor(..) => ("floor", "none".to_string()),
        };
        Latency {
            what: What {
                benchmark: "pingpong".into(),
                network: network.into(),
                wait,
                size,
                count,
                rounds: self.oneway.len(),
            },
            oneway,
            min: quantile(0.0),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: quantile(1.0),
            round_trips_per_s: 1e9 / (2.0 * oneway),
            cpu: self.cpu.map(|cpu| cpu.as_nanos() as f64 / self.round_trips.len() as f64),
        }
    }

    /// The floor, with its spread over the rounds.
    fn floor(&self) -> String {
        let (least, most) = stats::range(&self.oneway);
        format!(
            "The floor is one thread that writes to a pair of Unix sockets and reads at the other end:\n\
             nobody is woken up. One way it takes {} µs ({} to {} over the rounds).\n",
            stats::micros(stats::median(&self.oneway)),
            stats::micros(least),
            stats::micros(most),
        )
    }
}

/// The client speaks first. Each message carries its number, which has to come back. The clock is
/// read once for each round trip.
fn ping_pong(end: &mut End, size: usize, count: usize) -> io::Result<Vec<u64>> {
    let mut samples = Vec::with_capacity(count);
    let mut ping = vec![b'.'; size];
    let mut pong = vec![0; size];
    let numbered = size.min(8);
    let mut before = Instant::now();
    for number in 0..count as u64 {
        ping[..numbered].copy_from_slice(&number.to_le_bytes()[..numbered]);
        end.write_all(&ping)?;
        end.read_exact(&mut pong)?;
        if pong[..numbered] != ping[..numbered] {
            return Err(io::Error::new(ErrorKind::InvalidData, "another message came back"));
        }
        let after = Instant::now();
        samples.push((after - before).as_nanos() as u64);
        before = after;
    }
    Ok(samples)
}

/// There and back, in pieces that the socket's buffer holds: nobody reads meanwhile.
fn floor(near: &mut Conn, far: &mut Conn, size: usize, count: usize) -> io::Result<Vec<u64>> {
    let mut samples = Vec::with_capacity(count);
    let mut message = vec![b'.'; size];
    let mut before = Instant::now();
    for _ in 0..count {
        for piece in message.chunks_mut(64 << 10) {
            near.write_all(piece)?;
            far.read_exact(piece)?;
        }
        for piece in message.chunks_mut(64 << 10) {
            far.write_all(piece)?;
            near.read_exact(piece)?;
        }
        let after = Instant::now();
        samples.push((after - before).as_nanos() as u64);
        before = after;
    }
    Ok(samples)
}
