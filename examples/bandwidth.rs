//! Bandwidth: how many bytes a second go through a Unix socket and through TCP loopback, for
//! messages of several sizes.
//!
//! ```console
//! $ cargo run --release --example bandwidth
//! $ cargo run --release --example bandwidth -- -s 64,64K,512K,16M --net unix
//! $ cargo run --release --example bandwidth -- --serve tcp:0.0.0.0:13501    # on one host
//! $ cargo run --release --example bandwidth -- --connect tcp:there:13501    # on another
//! ```
//!
//! The client sends a round of messages, each in one write; the server reads them, and answers with
//! the count of bytes once it has the last. Until that answer the clock runs: what has been sent only
//! lies in a buffer.

use std::io::{self, ErrorKind, Read, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use streamsock::Conn;

use bench::csv::{Throughput, What};
use bench::ends::{self, Cell, End, Request};
use bench::{Options, machine, stats, words};
use cli::{Args, Error};

mod bench;
mod cli;

const HELP: &str = "\
usage: bandwidth [-s SIZE[,SIZE...]] [--total BYTES] [-r ROUNDS] [OPTION...] | --serve ADDR

Measures the throughput from one process to another, over Unix sockets and TCP loopback.

  -s SIZE,...      bytes in a message, each 1 to 64M (256K)
  --total BYTES    bytes in a round (1G), as far as 200000 messages go
  -r ROUNDS        rounds that are counted, after a first that is not (5)
  --net NETWORK    unix, tcp or both (both)
  --wait HOW       block, spin or both (both)
  --spin MICROS    how long to poll before blocking, with --wait spin (50)
  --threads        the server is a thread, not a process
  --csv            rows for a program to read: 1 MB is 1,000,000 bytes
  --serve ADDR     be the server, for any number of clients
  --connect ADDR   be the client of a server that runs elsewhere
  --sndbuf BYTES   SO_SNDBUF, and
  --rcvbuf BYTES   SO_RCVBUF of both ends; for these, build with --features sockopt
  -h, --help       print this
";

/// What the server reads with. In a trial with messages of 64K to 16M, 16K moved less, and more than
/// 64K gained a Unix socket nothing.
const RECV_BUF: usize = 64 << 10;

/// With small messages a round would take too long otherwise.
const MAX_MESSAGES: usize = 200_000;

fn main() -> ExitCode {
    cli::main("bandwidth", HELP, run)
}

fn run(args: &mut Args) -> Result<(), Error> {
    let mut options = Options::new();
    let (mut sizes, mut total) = (vec![256 << 10], 1 << 30);
    let mut buffers = Buffers::default();
    while let Some(option) = args.next()? {
        match option.as_str() {
            "-s" => {
                sizes = args.parse("sizes from 1 to 64M, with commas between", |text| {
                    text.split(',').map(bench::message_size).collect()
                })?
            }
            "--total" => total = args.parse("a number of bytes", cli::size)?,
            "--sndbuf" => buffers.send = Some(args.parse("a number of bytes", cli::size)?),
            "--rcvbuf" => buffers.recv = Some(args.parse("a number of bytes", cli::size)?),
            // How the program starts itself again, to be the other end.
            "--serve-stdin" => {
                return ends::serve_stdin(&args.value()?.to_string_lossy(), answer);
            }
            option if options.take(option, args)? => continue,
            _ => return Err(args.unknown()),
        }
        options.measuring(&option);
    }
    buffers.check()?;
    if let Some(served) = options.serve(answer) {
        return served;
    }

    let mut rows = Vec::new();
    let mut effective = String::new();
    for size in sizes {
        let count = (total / size).clamp(1, MAX_MESSAGES);
        let mut all = Vec::new();
        for wait in options.waits {
            for network in options.networks() {
                let prepare = |conn: &Conn| buffers.set(conn);
                let cell = Cell::open(&options, (network, *wait), (size, count), prepare, answer)?;
                all.push(Series { cell, mb_per_s: Vec::new(), cpu: Some(Duration::ZERO) });
            }
        }
        effective = buffers.effective(&all);
        let message = vec![b'.'; size];
        for round in 0..=options.rounds {
            bench::progress(&format!("{}: round {round} of {}", stats::size(size), options.rounds));
            // A B C, C B A, and so on: what changes over time strikes all alike.
            if round % 2 == 0 {
                all.iter_mut().try_for_each(|series| series.round(&message, count, round > 0))?;
            } else {
                all.iter_mut()
                    .rev()
                    .try_for_each(|series| series.round(&message, count, round > 0))?;
            }
        }
        bench::progress("");
        rows.extend(all.iter().map(|series| series.row(size, count)));
    }

    if options.csv {
        let lines = rows.iter().map(|row| format!("{row}\n")).collect::<String>();
        return cli::print(format!("{}\n{lines}", Throughput::HEADER).as_bytes());
    }
    let head = format!(
        "{}\nmedian of {} rounds after one to warm up, until the server has read the last byte, {} at a time\n\
         {}\n{effective}",
        machine::describe(),
        options.rounds,
        stats::size(RECV_BUF),
        options.describe(),
    );
    cli::print(
        (head + &words::throughput_table(&rows) + &words::throughput_findings(&rows)).as_bytes(),
    )
}

/// The server's end: reads a round, and answers with how much it was.
fn answer(end: &mut End, Request { size, count, .. }: Request) -> io::Result<()> {
    let too_much =
        || io::Error::new(ErrorKind::InvalidData, "a round of more bytes than there are");
    let round = size.checked_mul(count).ok_or_else(too_much)?;
    let mut buf = vec![0; RECV_BUF];
    loop {
        let mut got = 0;
        while got < round {
            let room = buf.len().min(round - got);
            match end.read(&mut buf[..room]) {
                Ok(0) if got == 0 => return Ok(()),
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => got += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        end.write_all(&(got as u64).to_le_bytes())?;
    }
}

/// A network, a way to wait, and what they moved in each round.
struct Series {
    cell: Cell,
    mb_per_s: Vec<f64>,
    cpu: Option<Duration>,
}

impl Series {
    fn round(&mut self, message: &[u8], count: usize, counted: bool) -> Result<(), Error> {
        let cpu_before = self.cell.cpu_time();
        let took = send(&mut self.cell.end, message, count).map_err(|e| self.cell.failed(e))?;
        if counted {
            self.mb_per_s.push((message.len() * count) as f64 / 1e6 / took.as_secs_f64());
            self.cpu = bench::add_since(self.cpu, cpu_before, self.cell.cpu_time());
        }
        Ok(())
    }

    fn row(&self, size: usize, count: usize) -> Throughput {
        let mb_per_s = stats::median(&self.mb_per_s);
        let (mb_per_s_min, mb_per_s_max) = stats::range(&self.mb_per_s);
        let gb = (size * count * self.mb_per_s.len()) as f64 / 1e9;
        Throughput {
            what: What {
                benchmark: "bandwidth".into(),
                network: self.cell.network.into(),
                wait: self.cell.wait.to_string(),
                size,
                count,
                rounds: self.mb_per_s.len(),
            },
            mb_per_s,
            mb_per_s_min,
            mb_per_s_max,
            msgs_per_s: mb_per_s * 1e6 / size as f64,
            cpu_s_per_gb: self.cpu.map(|cpu| cpu.as_secs_f64() / gb),
        }
    }
}

/// The client's end: sends a round, and waits until the server has all of it.
fn send(end: &mut End, message: &[u8], count: usize) -> io::Result<Duration> {
    let start = Instant::now();
    for _ in 0..count {
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

/// The socket buffers that are asked for; by default the system's.
#[derive(Default)]
struct Buffers {
    send: Option<usize>,
    recv: Option<usize>,
}

#[cfg(feature = "sockopt")]
impl Buffers {
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn set(&self, conn: &Conn) -> io::Result<()> {
        use streamsock::sockopt;
        self.send.map_or(Ok(()), |bytes| sockopt::set_send_buffer(conn, bytes))?;
        self.recv.map_or(Ok(()), |bytes| sockopt::set_recv_buffer(conn, bytes))
    }

    /// What the system made of it, at the client's end.
    fn effective(&self, all: &[Series]) -> String {
        use streamsock::sockopt;
        let mut text = String::new();
        for series in all.iter().filter(|series| series.cell.wait == all[0].cell.wait) {
            let conn = &series.cell.end;
            let shown = |bytes: io::Result<usize>| bytes.map_or("?".to_string(), |n| n.to_string());
            let (send, recv) = (sockopt::send_buffer(conn), sockopt::recv_buffer(conn));
            let network = series.cell.network;
            let (send, recv) = (shown(send), shown(recv));
            text += &format!("{network}: SO_SNDBUF {send} bytes, SO_RCVBUF {recv} bytes\n");
        }
        text
    }
}

#[cfg(not(feature = "sockopt"))]
impl Buffers {
    fn check(&self) -> Result<(), Error> {
        if self.send.is_none() && self.recv.is_none() {
            return Ok(());
        }
        Err(Error::Usage("--sndbuf and --rcvbuf need a build with --features sockopt".into()))
    }

    fn set(&self, _: &Conn) -> io::Result<()> {
        Ok(())
    }

    fn effective(&self, _: &[Series]) -> String {
        String::new()
    }
}
