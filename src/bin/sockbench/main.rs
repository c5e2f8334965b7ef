//! `sockbench`: what a Unix socket buys on this machine, measured against TCP loopback and pipes.
//!
//! ```console
//! $ cargo run --release                                   # latency, throughput, and what they say
//! $ cargo run --release -- latency -s 4K --rate 5000
//! $ cargo run --release -- serve tcp:0.0.0.0:13500        # on one host
//! $ cargo run --release -- latency --connect tcp:there:13500     # on another
//! ```
//!
//! Each pair of a network and a way to wait is a [`Cell`](cell::Cell), with a connection and a server
//! of its own: this program, started again. All cells exist from the start and take turns round by
//! round, so that a machine that slows down meanwhile slows them all. `latency.rs` and `throughput.rs`
//! hold the loops that are timed, `server.rs` the other ends of them; the rest is options, arithmetic
//! and words.

mod buffers;
mod cell;
mod charts;
mod claims;
mod end;
mod figures;
mod latency;
mod machine;
mod options;
mod plot;
mod report;
mod rows;
mod series;
mod server;
mod stats;
mod table;
mod throughput;
mod words;

use std::env;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use options::{Command, Options};
use rows::{LATENCY, Row, THROUGHPUT};

const HELP: &str = "\
usage: sockbench [latency | throughput | serve ADDR... | report LATENCY.csv THROUGHPUT.csv DIR] [OPTION...]

Measures what a Unix socket buys on this machine, against TCP loopback and pipes: latency of 128
bytes, then throughput of 64K and 512K. With a command, one of these:

  latency          the round trip of a message between two processes
  throughput       bytes a second, one way
  serve ADDR...    be the other end for --connect, until it is killed
  report LATENCY.csv THROUGHPUT.csv DIR
                   read what latency and throughput print with --csv, write report.md, latency.svg
                   and throughput.svg into DIR, and print the report

  --net NET,...    unix, tcp, pipe (all); a pipe only blocks
  --wait HOW,...   block, spin (both)

latency and throughput also take:

  --csv            rows for a program to read: times in nanoseconds; 1 MB is 1,000,000 bytes
  -s SIZE,...      bytes in a message, 1 to 64M (latency: 128; throughput: 256K)
  -r ROUNDS        rounds that are counted, after a first that is not (5)
  --spin MICROS    how long to poll before sleeping, with --wait spin (50)
  --connect ADDR   measure to a server that runs elsewhere
  -n COUNT         latency: round trips in a round (10000)
  --rate N         latency: send N messages a second, on a schedule; each counts from when it was due,
                   even if a late answer delayed it
  --total BYTES    throughput: bytes in a round (1G), as far as 200000 messages go
  --sndbuf BYTES   throughput: SO_SNDBUF, and
  --rcvbuf BYTES   SO_RCVBUF of both ends; for these, build with --features sockopt

Sizes take K, M and G, powers of 1024. -h, --help prints this.
";

/// Why the program ends early.
#[derive(Debug)]
pub enum Error {
    /// The arguments are wrong: exit status 2, with the usage line.
    Usage(String),
    /// Something went wrong: exit status 1.
    Failed(String),
    /// Nobody reads the output any more (`| head`): exit status 0, without a word.
    OutputClosed,
}

fn main() -> ExitCode {
    match options::read(env::args_os().skip(1)).and_then(|(command, options)| run(command, options))
    {
        Ok(()) | Err(Error::OutputClosed) => ExitCode::SUCCESS,
        Err(Error::Failed(why)) => {
            say(&format!("sockbench: {why}"));
            ExitCode::FAILURE
        }
        Err(Error::Usage(why)) => {
            say(&format!("sockbench: {why}\n{}", HELP.lines().next().unwrap_or_default()));
            ExitCode::from(2)
        }
    }
}

fn run(command: Command, options: Options) -> Result<(), Error> {
    match command {
        Command::Help => print(HELP),
        Command::Latency => {
            let (notes, rows) = latency::measure(&options)?;
            print(&latency(&options, &notes, &rows))
        }
        Command::Throughput => {
            let (notes, rows) = throughput::measure(&options)?;
            print(&throughput(&options, &notes, &rows))
        }
        Command::Both => {
            let (said, rows) = latency::measure(&options)?;
            print(&latency(&options, &said, &rows))?;
            let options = Options { sizes: vec![64 << 10, 512 << 10], total: 256 << 20, ..options };
            let (mut notes, rows) = throughput::measure(&options)?;
            notes.retain(|note| !said.contains(note));
            print(&format!("\n{}", throughput(&options, &notes, &rows)))
        }
        Command::Serve => server::listen(&options.operands),
        Command::Answer => server::answer_stdin(&options.operands),
        Command::Report => report::run(&options.operands),
    }
}

fn latency(options: &Options, notes: &[String], rows: &[Row]) -> String {
    if options.csv {
        rows::file(notes, LATENCY, rows)
    } else {
        words::latency(notes, rows, options.rate.is_some())
    }
}

fn throughput(options: &Options, notes: &[String], rows: &[Row]) -> String {
    if options.csv { rows::file(notes, THROUGHPUT, rows) } else { words::throughput(notes, rows) }
}

/// What went wrong, and where.
pub fn failed(place: impl Display, e: io::Error) -> Error {
    Error::Failed(format!("{place}: {e}"))
}

/// Writes to standard output, at once.
pub fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| match e.kind() {
        ErrorKind::BrokenPipe => Error::OutputClosed,
        _ => failed("standard output", e),
    })
}

/// Writes a line to standard error, in one piece. That it may be closed harms nothing: `eprintln!`
/// would panic.
pub fn say(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
