//! A [`Cell`]: a connection to measure and the server at its other end. All cells take turns.

use std::env;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{self, Child, Command};
use std::time::Duration;

use streamsock::{Addr, Conn, Listener};

use crate::buffers::Buffers;
use crate::end::{End, OneThread};
use crate::options::Options;
use crate::series::{ONE_THREAD, PIPE, Series};
use crate::server::Request;
use crate::{Error, failed, machine};

pub struct Cell {
    pub series: Series,
    /// The socket buffers that it has, where somebody can tell.
    pub buffers: Option<String>,
    /// The CPU time of both ends over the rounds that count, where it can be read.
    pub cpu: Option<Duration>,
    /// What errors name: the server's address, or which of our own it is.
    place: String,
    // In this order: the server ends when the connection does, and is waited for then.
    end: End,
    server: Server,
}

/// The process at the other end, if it is ours.
struct Server(Option<Child>);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.as_mut().map(Child::wait);
    }
}

impl Cell {
    /// Opens the connection and asks the server for what it is to do.
    pub fn open(options: &Options, series: Series, request: Request) -> Result<Cell, Error> {
        let spin = if series.spins() { options.spin } else { Duration::ZERO };
        let place = match &options.connect {
            Some(addr) => addr.to_string(),
            None => format!("{}, {}", series.network, series.wait),
        };
        let opened = match (&options.connect, series) {
            (Some(addr), _) => elsewhere(addr, &options.buffers),
            (None, ONE_THREAD) => one_thread(),
            (None, PIPE) => over_pipes(),
            (None, Series { network, .. }) => over_sockets(network, &options.buffers),
        };
        let (mut end, server, buffers) = opened.map_err(|e| match e.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused if options.connect.is_some() => {
                Error::Failed(format!("{place}: {e}; start one there first: sockbench serve ADDR"))
            }
            _ => failed(&place, e),
        })?;
        let asked = end.write_all(&Request { spin, ..request }.to_bytes());
        let end = end.polling(spin);
        let cpu = options.connect.is_none().then_some(Duration::ZERO);
        let cell = Cell { series, buffers, cpu, place, end, server };
        asked.map_err(|e| cell.failed(e))?;
        Ok(cell)
    }

    /// Runs a round, and adds up what it costs if it counts.
    pub fn round<T>(
        &mut self,
        counted: bool,
        timed: impl FnOnce(&mut End) -> io::Result<T>,
    ) -> Result<T, Error> {
        let before = self.cpu_time();
        let done = timed(&mut self.end).map_err(|e| self.failed(e))?;
        let after = self.cpu_time();
        if counted {
            self.cpu = (|| Some(self.cpu? + after?.checked_sub(before?)?))();
        }
        Ok(done)
    }

    /// The CPU time of this process so far, and that of the server if it is ours.
    fn cpu_time(&self) -> Option<Duration> {
        let server = self
            .server
            .0
            .as_ref()
            .map_or(Some(Duration::ZERO), |child| machine::cpu_time(child.id()));
        Some(machine::cpu_time(process::id())? + server?)
    }

    /// What went wrong on the connection, in the words of who knows: a server that has ended, above all.
    fn failed(&self, e: io::Error) -> Error {
        let ended = [ErrorKind::UnexpectedEof, ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
        if ended.contains(&e.kind()) {
            let place = &self.place;
            return Error::Failed(format!("{place}: the server has ended in the middle of a run"));
        }
        failed(&self.place, e)
    }
}

/// Runs a round of each, `rounds` times and once before that to warm up, as A B C, C B A, and so on:
/// what changes over time strikes all alike. A person who watches sees how far it is.
pub fn take_turns<S>(
    label: &str,
    rounds: usize,
    all: &mut [S],
    mut round: impl FnMut(&mut S, bool) -> Result<(), Error>,
) -> Result<(), Error> {
    let done = (0..=rounds).try_for_each(|n| {
        progress(&format!("{label}: round {n} of {rounds}"));
        if n % 2 == 0 {
            all.iter_mut().try_for_each(|one| round(one, n > 0))
        } else {
            all.iter_mut().rev().try_for_each(|one| round(one, n > 0))
        }
    });
    progress("");
    done
}

/// A line that is written over; nothing when nobody watches.
fn progress(text: &str) {
    if io::stderr().is_terminal() {
        let _ = io::stderr().write_all(format!("\r\x1b[K{text}").as_bytes());
    }
}

type Opened = io::Result<(End, Server, Option<String>)>;

fn one_thread() -> Opened {
    Ok((End::OneThread(OneThread::new(Conn::pair()?)?), Server(None), None))
}

fn elsewhere(addr: &Addr, buffers: &Buffers) -> Opened {
    let conn = Conn::connect(addr)?;
    let effective = buffers.set(&conn)?;
    Ok((End::Block(conn), Server(None), effective))
}

/// The server reads its standard input and writes its standard output.
fn over_pipes() -> Opened {
    let (child_stdin, to_child) = io::pipe()?;
    let (from_child, child_stdout) = io::pipe()?;
    // The command goes at the end of this function, and the child's ends of the pipes with it: as
    // long as we held them too, neither of us would see the other's end of file.
    let mut server = other_end(PIPE.network)?;
    let child = server.stdin(child_stdin).stdout(child_stdout).spawn()?;
    Ok((End::Pipe(from_child, to_child), Server(Some(child)), None))
}

fn over_sockets(network: &str, buffers: &Buffers) -> Opened {
    let listener = match network {
        "tcp" => Listener::bind(&Addr::Tcp { host: "127.0.0.1".into(), port: 0 })?,
        // The directory for temporary files may be too deep for a socket's path.
        _ => Listener::bind(&socket_in(env::temp_dir()))
            .or_else(|_| Listener::bind(&socket_in("/tmp".into())))?,
    };
    let near = Conn::connect(&listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    let effective = buffers.set(&near)?;
    buffers.set(&far)?;
    let child = other_end(network)?.stdin(OwnedFd::from(far)).spawn()?;
    Ok((End::Block(near), Server(Some(child)), effective))
}

fn socket_in(dir: PathBuf) -> Addr {
    dir.join(format!("sockbench-{}.sock", process::id())).into()
}

/// This program, to be started again as the other end.
fn other_end(network: &str) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["answer", network]);
    Ok(command)
}
