//! An echo server: sends every client its own bytes back, until the client ends its direction.
//! It shows one program serve Unix and TCP clients alike.
//!
//! ```console
//! $ cargo run --release --example echo_server                    # on unix:/tmp/echo.sock
//! $ cargo run --release --example echo_server -- unix:/tmp/echo.sock tcp:127.0.0.1:13500
//! ```
//!
//! Talk to it with `nc -U /tmp/echo.sock`, or with the example `echo_client`. Ctrl-C ends it; the
//! file that it then leaves behind is taken over by the next start.

use std::io::{self, ErrorKind, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use streamsock::{Addr, Conn, Spin, serve};

use cli::{Args, Error};

mod cli;

const HELP: &str = "\
usage: echo_server [--mode OCTAL] [--max-conns N] [--idle SECS] [--spin MICROS] [-q] [ADDR...]

Sends every client its own bytes back. Without ADDR it serves unix:/tmp/echo.sock.

  ADDR             unix:/path, unix:@name or tcp:host:port; several are served at once
  --mode OCTAL     the mode of the socket's file, as in 600; by default umask decides
  --max-conns N    clients served at once, over all addresses (512); the next ones wait
  --idle SECS      drop a client that has neither sent nor read for so long
  --spin MICROS    poll for so long before sleeping: answers sooner, burns CPU
  -q, --quiet      no line for each client
  -h, --help       print this
";

fn main() -> ExitCode {
    cli::main("echo_server", HELP, run)
}

fn run(args: &mut Args) -> Result<(), Error> {
    let mut addrs: Vec<Addr> = Vec::new();
    let mut mode = None;
    let mut max_conns = 512;
    let mut client = Client { idle: None, spin: None, quiet: false };
    while let Some(arg) = args.next()? {
        match arg.as_str() {
            "" => addrs.push(args.address()?),
            "--mode" => mode = Some(args.parse("an octal mode up to 777", octal)?),
            "--max-conns" => max_conns = args.parse("a number from 1 to 1000000", count)?,
            "--idle" => client.idle = Some(args.parse("a number of seconds over 0", seconds)?),
            "--spin" => client.spin = Some(args.parse("a number of microseconds", micros)?),
            "-q" | "--quiet" => client.quiet = true,
            _ => return Err(args.unknown()),
        }
    }
    if addrs.is_empty() {
        addrs.push(Addr::Unix("/tmp/echo.sock".into()));
    }

    let listeners = cli::listen(&addrs, mode)?;
    serve(&listeners, max_conns, |conn| client.serve(conn))
        .map_err(|e| Error::Failed(e.to_string()))
}

/// How a client is served.
struct Client {
    idle: Option<Duration>,
    spin: Option<Duration>,
    quiet: bool,
}

impl Client {
    fn serve(&self, conn: Conn) {
        let network = conn.network();
        if !self.quiet {
            cli::say(&format!("client connected [{network}]{}", credentials(&conn)));
        }
        // A client that vanishes is no news; one that is dropped should be told of.
        match (self.echo(conn), self.idle) {
            (Err(e), Some(idle)) if e.kind() == ErrorKind::WouldBlock && !self.quiet => {
                cli::say(&format!("client dropped [{network}]: idle for {idle:?}"));
            }
            _ => {}
        }
    }

    fn echo(&self, conn: Conn) -> io::Result<()> {
        conn.set_read_timeout(self.idle)?;
        conn.set_write_timeout(self.idle)?;
        match self.spin {
            Some(budget) => echo(Spin::new(conn, budget)),
            None => echo(conn),
        }
    }
}

/// The client speaks first, and is answered until it half-closes.
fn echo(mut conn: impl Read + Write) -> io::Result<()> {
    // On the heap, where the pages that an idle client has not used yet are not there yet.
    let mut buf = vec![0; 64 * 1024];
    loop {
        match conn.read(&mut buf) {
            Ok(0) => return Ok(()),
            Ok(n) => conn.write_all(&buf[..n])?,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

#[cfg(feature = "sockopt")]
fn credentials(conn: &Conn) -> String {
    match streamsock::sockopt::peer_cred(conn) {
        Ok(peer) => format!(" pid {} uid {}", peer.pid, peer.uid),
        Err(_) => String::new(),
    }
}

#[cfg(not(feature = "sockopt"))]
fn credentials(_: &Conn) -> &'static str {
    ""
}

fn octal(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777)
}

fn count(text: &str) -> Option<usize> {
    text.parse().ok().filter(|n| (1..=1_000_000).contains(n))
}

fn seconds(text: &str) -> Option<Duration> {
    let secs = text.parse().ok().filter(|secs| *secs > 0.0)?;
    Duration::try_from_secs_f64(secs).ok().filter(|idle| !idle.is_zero())
}

fn micros(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_micros)
}
