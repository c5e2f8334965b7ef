//! The arguments: a command, options in any order, and what the command is about.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use streamsock::Addr;

use crate::Error;
use crate::buffers::Buffers;
use crate::series::{self, NETWORKS, Series, WAITS};

/// What a client may ask a server for, and so what a server allocates for it.
pub const MAX_SIZE: usize = 64 << 20;

/// All samples are kept for the quantiles, at 8 bytes each, those of all series together.
const MAX_SAMPLES: usize = 50_000_000;

#[derive(Clone, Copy, PartialEq)]
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

impl Options {
    pub fn describe_rounds(&self) -> String {
        let rounds = match self.rounds {
            1 => "1 round".to_string(),
            rounds => format!("each of {rounds} rounds"),
        };
        format!("{rounds}, after one to warm up; all series take turns")
    }

    /// Who runs where, and how they wait.
    pub fn describe_waiting(&self) -> String {
        let mut text = match &self.connect {
            Some(addr) => format!("the server is at {addr}"),
            None => "client and server are a process each".to_string(),
        };
        if self.series.iter().any(|series| !series.spins()) {
            text += "; block: an end that waits sleeps in read(2)";
        }
        if self.series.iter().any(Series::spins) {
            let micros = self.spin.as_micros();
            text += &format!("; spin: an end that waits polls for {micros} µs first");
            if thread::available_parallelism().is_ok_and(|cpus| cpus.get() == 1) {
                text += ", but with one CPU nobody polls";
            }
        }
        text
    }
}

pub fn read(args: impl Iterator<Item = OsString>) -> Result<(Command, Options), Error> {
    use Command::{Answer, Both, Help, Latency, Report, Serve, Throughput};
    let mut args = Args(args.flat_map(split).collect());
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
    let (mut networks, mut waits) = (None, WAITS.to_vec());
    while let Some(arg) = args.0.pop_front() {
        let name = arg.to_str().unwrap_or_default(); // what is no text is no option
        match (name, command) {
            ("-h" | "--help", _) => return Ok((Help, options)),
            ("--net", Both | Latency | Throughput) => networks = Some(args.words(name, &NETWORKS)?),
            ("--wait", Both | Latency | Throughput) => waits = args.words(name, &WAITS)?,
            ("--csv", Latency | Throughput) => options.csv = true,
            ("-s", Latency | Throughput) => options.sizes = args.sizes(name)?,
            ("-r", Latency | Throughput) => options.rounds = args.number(name, 1_000)?,
            ("--spin", Latency | Throughput) => {
                options.spin = Duration::from_micros(args.number(name, 1_000_000_000)? as u64);
            }
            ("--connect", Latency | Throughput) => {
                options.connect = Some(address(&args.value(name)?)?);
            }
            ("-n", Latency) => options.count = args.number(name, 10_000_000)?,
            ("--rate", Latency) => options.rate = Some(args.number(name, 1_000_000)?),
            ("--total", Throughput) => options.total = args.bytes(name)?,
            ("--sndbuf", Throughput) => options.buffers.send = Some(args.bytes(name)?),
            ("--rcvbuf", Throughput) => options.buffers.recv = Some(args.bytes(name)?),
            ("--", Serve | Report) => options.operands.extend(args.0.drain(..)),
            (text, Serve | Report | Answer) if !text.starts_with('-') => options.operands.push(arg),
            _ => return Err(Error::Usage(format!("{arg:?} means nothing here"))),
        }
    }

    let usage = |why: &str| Err(Error::Usage(why.to_string()));
    if networks.as_ref().is_some_and(|named| named.contains(&"pipe")) && !waits.contains(&"block") {
        return usage("--net pipe needs --wait block: a pipe only blocks");
    }
    if let Some(addr) = &options.connect {
        let named = networks.replace(vec![addr.network()]);
        if named.is_some_and(|named| named != [addr.network()]) {
            return usage("--net must be the network of the --connect address, or be left out");
        }
    }
    let networks = networks.unwrap_or(NETWORKS.to_vec());
    let chosen = |one: &Series| networks.contains(&one.network) && waits.contains(&one.wait);
    options.series = series::ALL.into_iter().filter(chosen).collect();
    // Those of one size at a time; on a schedule also how late the client was, at every size.
    let kept = 1 + options.rate.map_or(0, |_| options.sizes.len());
    let samples = options.count * options.rounds * (options.series.len() + 1) * kept;
    if command == Latency && samples > MAX_SAMPLES {
        return usage(
            "too many samples: at most 50000000 are kept, of all rounds and series together",
        );
    }
    options.buffers.check()?;
    match (command, options.operands.len()) {
        (Serve, 0) => usage("serve needs an address, such as unix:/tmp/bench.sock"),
        (Report, n) if n != 3 => usage("report needs two CSV files and a directory"),
        _ => Ok((command, options)),
    }
}

/// `--option=value` as two arguments.
fn split(arg: OsString) -> Vec<OsString> {
    match arg.to_str().and_then(|text| text.split_once('=')) {
        Some((name, value)) if name.starts_with('-') => vec![name.into(), value.into()],
        _ => vec![arg],
    }
}

struct Args(VecDeque<OsString>);

impl Args {
    /// The first argument, if it is a command.
    fn command(&mut self) -> Command {
        let command = match self.0.front().and_then(|first| first.to_str()) {
            Some("latency") => Command::Latency,
            Some("throughput") => Command::Throughput,
            Some("serve") => Command::Serve,
            Some("report") => Command::Report,
            Some("answer") => Command::Answer,
            _ => return Command::Both,
        };
        self.0.pop_front();
        command
    }

    /// The value of the option of that name.
    fn value(&mut self, name: &str) -> Result<OsString, Error> {
        self.0.pop_front().ok_or_else(|| Error::Usage(format!("{name} needs a value")))
    }

    /// The same, read by `parse`; `expected` says what that takes.
    fn parse<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Error> {
        let value = self.value(name)?;
        let wrong = || Error::Usage(format!("{name} takes {expected}, not {value:?}"));
        value.to_str().and_then(parse).ok_or_else(wrong)
    }

    fn number(&mut self, name: &str, max: usize) -> Result<usize, Error> {
        let within = |text: &str| text.parse().ok().filter(|n| (1..=max).contains(n));
        self.parse(name, &format!("a number from 1 to {max}"), within)
    }

    fn bytes(&mut self, name: &str) -> Result<usize, Error> {
        self.parse(name, "a number of bytes", bytes)
    }

    fn sizes(&mut self, name: &str) -> Result<Vec<usize>, Error> {
        let size = |text: &str| bytes(text).filter(|size| *size <= MAX_SIZE);
        let differ = |sizes: &Vec<usize>| (1..sizes.len()).all(|n| !sizes[..n].contains(&sizes[n]));
        let expected = "different sizes from 1 to 64M, with commas between";
        let sizes = |text: &str| text.split(',').map(size).collect::<Option<_>>().filter(differ);
        self.parse(name, expected, sizes)
    }

    fn words(&mut self, name: &str, known: &[&'static str]) -> Result<Vec<&'static str>, Error> {
        let word = |text: &str| known.iter().copied().find(|word| *word == text);
        let expected = format!("some of {}", known.join(","));
        self.parse(name, &expected, |text| text.split(',').map(word).collect())
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
