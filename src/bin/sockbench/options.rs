//! The arguments: a command, options in any order, and what the command is about.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use streamsock::Addr;

use crate::Error;
use crate::buffers::Buffers;
use crate::series::{Named, Network, Series, Wait};

/// What a client may ask a server for, and so what a server allocates for it.
pub const MAX_SIZE: usize = 64 << 20;

/// All samples are kept for the quantiles, at 8 bytes each, those of all series together.
const MAX_SAMPLES: usize = 50_000_000;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    Help,
    /// No command: the latency, then the throughput.
    Both,
    Latency,
    Throughput,
    Serve,
    Report,
    /// How the program starts itself again, to be the other end: `answer NETWORK`.
    Answer,
}

pub struct Options {
    pub sizes: Vec<usize>,
    pub count: usize,
    pub rounds: usize,
    pub series: Vec<Series>,
    pub spin: Duration,
    /// Messages a second; `None`: the next when the last is back.
    pub rate: Option<usize>,
    pub total: usize,
    pub buffers: Buffers,
    pub csv: bool,
    pub connect: Option<Addr>,
    /// The arguments that are no options.
    pub operands: Vec<OsString>,
}

pub fn read(args: impl Iterator<Item = OsString>) -> Result<(Command, Options), Error> {
    use Command::{Answer, Both, Help, Latency, Report, Serve, Throughput};
    let mut args = Args { rest: args.collect(), name: String::new(), value: None, ended: false };
    let command = args.command();
    let mut options = Options {
        sizes: vec![if command == Throughput { 256 << 10 } else { 128 }],
        count: 10_000,
        rounds: 5,
        series: Vec::new(),
        spin: Duration::from_micros(50),
        rate: None,
        total: 1 << 30,
        buffers: Buffers::default(),
        csv: false,
        connect: None,
        operands: Vec::new(),
    };
    let mut networks = None;
    let mut waits = vec![Wait::Block, Wait::Spin];
    while let Some(name) = args.next()? {
        match (&*name, command) {
            ("-h" | "--help", _) => return Ok((Help, options)),
            ("--net", Both | Latency | Throughput) => {
                let known = [Network::Unix, Network::Tcp, Network::Pipe];
                networks = Some(args.parse("some of unix,tcp,pipe", |text| some_of(&known, text))?);
            }
            ("--wait", Both | Latency | Throughput) => {
                let known = [Wait::Block, Wait::Spin];
                waits = args.parse("block, spin or block,spin", |text| some_of(&known, text))?;
            }
            ("--csv", Both | Latency | Throughput) => options.csv = true,
            ("-s", Latency | Throughput) => {
                options.sizes = args.parse("sizes from 1 to 64M, with commas between", |text| {
                    text.split(',').map(|size| bytes(size).filter(|n| *n <= MAX_SIZE)).collect()
                })?;
            }
            ("-r", Latency | Throughput) => options.rounds = args.number(1_000)?,
            ("--spin", Latency | Throughput) => {
                options.spin = Duration::from_micros(args.number(1_000_000_000)? as u64);
            }
            ("--connect", Latency | Throughput) => options.connect = Some(address(&args.value()?)?),
            ("-n", Latency) => options.count = args.number(10_000_000)?,
            ("--rate", Latency) => options.rate = Some(args.number(1_000_000)?),
            ("--total", Throughput) => options.total = args.parse("a number of bytes", bytes)?,
            ("--sndbuf", Throughput) => {
                options.buffers.send = Some(args.parse("a number of bytes", bytes)?);
            }
            ("--rcvbuf", Throughput) => {
                options.buffers.recv = Some(args.parse("a number of bytes", bytes)?);
            }
            ("", Serve | Report | Answer) => options.operands.push(args.value()?),
            _ => return Err(args.unknown()),
        }
    }

    let usage = |why: &str| Err(Error::Usage(why.to_string()));
    if let Some(addr) = &options.connect {
        let of_addr = Network::from_name(addr.network()).expect("unix or tcp");
        if networks.is_some_and(|named| named != [of_addr]) {
            return usage("with --connect, the address names the network, and --net no other");
        }
        networks = Some(vec![of_addr]);
    }
    if waits == [Wait::Spin]
        && networks.as_ref().is_some_and(|named| named.contains(&Network::Pipe))
    {
        return usage("--net pipe needs --wait block: a pipe only blocks");
    }
    let networks = networks.unwrap_or(vec![Network::Unix, Network::Tcp, Network::Pipe]);
    options.series = Series::all(&networks, &waits);
    if command == Latency
        && options.count * options.rounds * (options.series.len() + 1) > MAX_SAMPLES
    {
        return usage(
            "-n times -r is too much: every sample is kept, and 50000000 in all is the limit",
        );
    }
    options.buffers.check()?;
    match (command, options.operands.len()) {
        (Serve, 0) => usage("serve needs an address, such as unix:/tmp/bench.sock"),
        (Report, n) if n != 3 => usage("report needs two CSV files and a directory"),
        _ => Ok((command, options)),
    }
}

/// The arguments in turn: `--option value`, `--option=value`, and `--`, after which nothing is an
/// option.
struct Args {
    rest: VecDeque<OsString>,
    name: String,
    value: Option<OsString>,
    ended: bool,
}

impl Args {
    /// The first argument, if it is a command.
    fn command(&mut self) -> Command {
        let command = match self.rest.front().and_then(|first| first.to_str()) {
            Some("latency") => Command::Latency,
            Some("throughput") => Command::Throughput,
            Some("serve") => Command::Serve,
            Some("report") => Command::Report,
            Some("answer") => Command::Answer,
            _ => return Command::Both,
        };
        self.rest.pop_front();
        command
    }

    /// The name of the next option, or "" for an argument that is none: [`Args::value`] has it.
    fn next(&mut self) -> Result<Option<String>, Error> {
        if self.value.is_some() {
            return Err(Error::Usage(format!("{} takes no value", self.name)));
        }
        let Some(arg) = self.rest.pop_front() else { return Ok(None) };
        let text = arg.to_str().unwrap_or_default(); // what is no text is no option
        if text == "--" && !self.ended {
            self.ended = true;
            return self.next();
        }
        let (name, value) = match text.split_once('=') {
            _ if self.ended || !text.starts_with('-') => ("", Some(arg.clone())),
            Some((name, value)) => (name, Some(value.into())),
            None => (text, None),
        };
        (self.name, self.value) = (name.to_string(), value);
        Ok(Some(self.name.clone()))
    }

    /// The value of the option that [`Args::next`] named.
    fn value(&mut self) -> Result<OsString, Error> {
        let value = self.value.take().or_else(|| self.rest.pop_front());
        value.ok_or_else(|| Error::Usage(format!("{} needs a value", self.name)))
    }

    /// The same, read by `parse`; `expected` says what that takes.
    fn parse<T>(&mut self, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
        let value = self.value()?;
        value
            .to_str()
            .and_then(parse)
            .ok_or_else(|| Error::Usage(format!("{} takes {expected}, not {value:?}", self.name)))
    }

    fn number(&mut self, max: usize) -> Result<usize, Error> {
        let within = |text: &str| text.parse().ok().filter(|n| (1..=max).contains(n));
        self.parse(&format!("a number from 1 to {max}"), within)
    }

    /// What [`Args::next`] named has no meaning here.
    fn unknown(&mut self) -> Error {
        match self.value.take() {
            Some(value) if self.name.is_empty() => {
                Error::Usage(format!("{value:?} is neither a command nor an option"))
            }
            _ => Error::Usage(format!("there is no option {} here", self.name)),
        }
    }
}

pub fn address(value: &OsString) -> Result<Addr, Error> {
    match value.to_str() {
        Some(text) => text.parse().map_err(|e: io::Error| Error::Usage(e.to_string())),
        None => Ok(Addr::from(Path::new(value))), // no text, so it can only be a path
    }
}

/// A number of bytes from 1, with `K`, `M` or `G` behind it for powers of 1024.
fn bytes(text: &str) -> Option<usize> {
    let (digits, unit) = match text.char_indices().next_back()? {
        (end, 'k' | 'K') => (&text[..end], 1 << 10),
        (end, 'm' | 'M') => (&text[..end], 1 << 20),
        (end, 'g' | 'G') => (&text[..end], 1 << 30),
        _ => (text, 1),
    };
    digits.parse::<usize>().ok()?.checked_mul(unit).filter(|bytes| *bytes > 0)
}

/// Names with commas between; in the order of `known`, each once.
fn some_of<T: Named>(known: &[T], text: &str) -> Option<Vec<T>> {
    let named: Vec<T> = text
        .split(',')
        .map(|name| T::from_name(name).filter(|one| known.contains(one)))
        .collect::<Option<_>>()?;
    Some(known.iter().copied().filter(|one| named.contains(one)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_suffixes() {
        for (text, size) in [
            ("0", None),
            ("128", Some(128)),
            ("64K", Some(65_536)),
            ("64k", Some(65_536)),
            ("16M", Some(1 << 24)),
            ("1G", Some(1 << 30)),
            ("", None),
            ("K", None),
            ("1.5K", None),
            ("-1", None),
            ("1KB", None),
            ("1é", None),
            ("18446744073709551615G", None),
        ] {
            assert_eq!(bytes(text), size, "{text:?}");
        }
    }

    #[test]
    fn lists_are_ordered_and_without_repeats() {
        let known = [Network::Unix, Network::Tcp];
        assert_eq!(some_of(&known, "tcp,unix,tcp"), Some(known.to_vec()));
        for wrong in ["", "unix,", "pipe", "one-thread", "UNIX"] {
            assert_eq!(some_of(&known, wrong), None, "{wrong:?}");
        }
    }
}
