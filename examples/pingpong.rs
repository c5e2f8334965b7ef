//! Ping-pong: how long a small message takes over a Unix socket, and over TCP loopback.
//!
//! ```console
//! $ cargo run --release --example pingpong
//! $ cargo run --release --example pingpong -- -s 4K -n 20000 --net unix
//! ```
//!
//! The client sends a message, the server sends it back, and half of that round trip is taken for
//! one way. The server is a process of its own: this program, started again. The networks take
//! turns round by round, so that a machine that slows down meanwhile slows both.

use std::env;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{self, Child, Command, ExitCode};
use std::time::Instant;

use streamsock::{Addr, Conn, Listener};

use cli::{Args, Error};

mod cli;

const HELP: &str = "\
usage: pingpong [-s SIZE] [-n COUNT] [-r ROUNDS] [--net unix|tcp|both]

Measures the round trip of a message between two processes, over Unix sockets and TCP loopback.

  -s SIZE          bytes in a message, 8 to 64M (128)
  -n COUNT         round trips in a round (10000)
  -r ROUNDS        rounds that are counted, after a first that is not (5)
  --net NETWORK    unix, tcp or both (both)
  -h, --help       print this
";

fn main() -> ExitCode {
    cli::main("pingpong", HELP, run)
}

fn run(args: &mut Args) -> Result<(), Error> {
    let (mut size, mut count, mut rounds) = (128, 10_000, 5);
    let mut networks: &[&str] = &["unix", "tcp"];
    while let Some(arg) = args.next()? {
        match arg.as_str() {
            "-s" => size = args.parse("a size from 8 to 64M", message_size)?,
            "-n" => count = args.parse("a number from 1 to 10000000", |t| number(t, 10_000_000))?,
            "-r" => rounds = args.parse("a number from 1 to 1000", |t| number(t, 1_000))?,
            "--net" => networks = args.parse("unix, tcp or both", network_names)?,
            // How the program starts itself again, to be the other end.
            "--serve-stdin" => return serve(&args.value()?.to_string_lossy(), size),
            _ => return Err(args.unknown()),
        }
    }

    let mut runs = Vec::new();
    for network in networks {
        runs.push(Run::start(network, size).map_err(|e| cli::failed(network, e))?);
    }
    for round in 0..=rounds {
        // Unix, TCP; TCP, Unix; and so on: what changes over time strikes both alike.
        runs.reverse();
        for run in &mut runs {
            let samples = run.round(size, count).map_err(|e| match e.kind() {
                ErrorKind::UnexpectedEof => {
                    Error::Failed(format!("{}: the server has ended", run.network))
                }
                _ => cli::failed(run.network, e),
            })?;
            if round > 0 {
                run.count(&samples);
            }
        }
    }
    runs.sort_by_key(|run| networks.iter().position(|network| *network == run.network));
    cli::print(table(size, count, rounds, &mut runs).as_bytes())
}

/// One network: the connection, the server at its other end, and what was measured.
struct Run {
    network: &'static str,
    conn: Conn,
    server: Child,
    /// The mean of each round, in nanoseconds one way.
    oneway: Vec<f64>,
    /// Every round trip that counts, in nanoseconds.
    round_trips: Vec<u64>,
}

impl Run {
    /// Connects, and starts the server with the accepted end as its standard input, as inetd does:
    /// there is nothing to wait for, and when one process ends the other reads end of file.
    fn start(network: &'static str, size: usize) -> io::Result<Run> {
        let addr = match network {
            "tcp" => Addr::Tcp { host: "127.0.0.1".into(), port: 0 },
            _ => Addr::from(env::temp_dir().join(format!("pingpong-{}.sock", process::id()))),
        };
        let listener = Listener::bind(&addr)?;
        let conn = Conn::connect(&listener.local_addr()?)?;
        let (far, _) = listener.accept()?;
        let server = Command::new(env::current_exe()?)
            .args(["-s", &size.to_string(), "--serve-stdin", network])
            .stdin(OwnedFd::from(far))
            .spawn()?;
        Ok(Run { network, conn, server, oneway: Vec::new(), round_trips: Vec::new() })
    }

    /// The client speaks first. Each message carries a number, which has to come back.
    fn round(&mut self, size: usize, count: usize) -> io::Result<Vec<u64>> {
        let mut samples = Vec::with_capacity(count);
        let mut ping = vec![b'.'; size];
        let mut pong = vec![0; size];
        let mut before = Instant::now();
        for number in 0..count as u64 {
            ping[..8].copy_from_slice(&number.to_le_bytes());
            self.conn.write_all(&ping)?;
            self.conn.read_exact(&mut pong)?;
            if pong[..8] != ping[..8] {
                return Err(io::Error::new(ErrorKind::InvalidData, "another message came back"));
            }
            let after = Instant::now();
            samples.push((after - before).as_nanos() as u64);
            before = after;
        }
        Ok(samples)
    }

    fn count(&mut self, samples: &[u64]) {
        self.oneway.push(samples.iter().sum::<u64>() as f64 / samples.len() as f64 / 2.0);
        self.round_trips.extend(samples);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.conn.shutdown(std::net::Shutdown::Both);
        let _ = self.server.wait();
    }
}

/// The other end: sends back every message, until the client ends.
fn serve(network: &str, size: usize) -> Result<(), Error> {
    let stdin = io::stdin().as_fd().try_clone_to_owned().map_err(|e| cli::failed(network, e))?;
    let mut conn: Conn = match network {
        "tcp" => TcpStream::from(stdin).into(),
        _ => UnixStream::from(stdin).into(),
    };
    let mut message = vec![0; size];
    loop {
        match conn.read_exact(&mut message).and_then(|()| conn.write_all(&message)) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            served => served.map_err(|e| cli::failed(network, e))?,
        }
    }
}

fn table(size: usize, count: usize, rounds: usize, runs: &mut [Run]) -> String {
    let mut text = format!(
        "{size} bytes, {count} round trips a round, {rounds} rounds after one to warm up, blocking,\n\
         client and server each a process; times in microseconds\n\n\
         network   one-way   round trip: min       p50       p99       max   round trips/s\n"
    );
    for run in &mut *runs {
        run.oneway.sort_by(f64::total_cmp);
        run.round_trips.sort_unstable();
        let oneway = run.oneway[run.oneway.len() / 2];
        let quantile = |q: f64| {
            let rank = (q * run.round_trips.len() as f64).ceil() as usize;
            run.round_trips[rank.max(1) - 1] as f64 / 1e3
        };
        let _ = writeln!(
            text,
            "{:7} {:9.2} {:17.2} {:9.2} {:9.2} {:9.2} {:15.0}",
            run.network,
            oneway / 1e3,
            quantile(0.0),
            quantile(0.5),
            quantile(0.99),
            quantile(1.0),
            1e9 / (2.0 * oneway),
        );
    }
    if let [unix, tcp] = runs {
        let ratio = tcp.oneway[tcp.oneway.len() / 2] / unix.oneway[unix.oneway.len() / 2];
        let finding = match ratio {
            0.95..=1.05 => "Unix and TCP take as long, within 5 %".to_string(),
            _ => format!("one way over TCP takes {ratio:.2} times as long as over Unix"),
        };
        let _ = writeln!(text, "\n{finding}");
    }
    text
}

fn message_size(text: &str) -> Option<usize> {
    cli::size(text).filter(|size| (8..=64 << 20).contains(size))
}

fn number(text: &str, max: usize) -> Option<usize> {
    text.parse().ok().filter(|n| (1..=max).contains(n))
}

fn network_names(text: &str) -> Option<&'static [&'static str]> {
    match text {
        "unix" => Some(&["unix"]),
        "tcp" => Some(&["tcp"]),
        "both" => Some(&["unix", "tcp"]),
        _ => None,
    }
}
