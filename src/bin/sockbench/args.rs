//! The arguments: a command, options in any order, and what the command is about.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant};

use streamsock::Addr;

use crate::Error;
use crate::machine::{CPUS, Cpus};
use crate::measure::transport::{Buffers, NETWORKS, Network, WAITS, Wait};
use crate::output::text::join;

/// What a client may ask a server for, and so what a server allocates for it.
pub const MAX_SIZE: usize = 64 << 20;

pub const HELP: &str = include_str!("help.txt");

const COMMANDS: [&str; 6] = ["latency", "throughput", "connect", "article", "serve", "help"];

/// How the program starts itself again, to be the other end of sockets or of a pipe.
const HIDDEN: [&str; 2] = ["answer", "answer-pipe"];

/// The options that a command takes. Without a command, its name is empty.
fn options_of(command: &str) -> Vec<&'static str> {
    let common = ["--help", "--net", "--wait", "--cpus", "--spin", "--time", "--json"];
    let of_one = ["-s", "--connect"];
    let of_throughput = ["--recv", "--sndbuf", "--rcvbuf"];
    match command {
        "" => common.to_vec(),
        "latency" => [&common[..], &of_one, &["--rate"]].concat(),
        "throughput" => [&common[..], &of_one, &of_throughput].concat(),
        "connect" => [&common[..], &of_one].concat(),
        "article" => vec!["--help", "--quick", "--time"],
        _ => vec!["--help"],
    }
}

pub struct Options {
    /// When the program started.
    pub start: Instant,
    /// How long it may take from then.
    pub time: Duration,
    /// What is to be measured if the command does not say.
    pub sizes: Option<Vec<usize>>,
    pub networks: Vec<Network>,
    pub waits: Vec<Wait>,
    /// What was asked for.
    pub cpus: Option<Vec<Cpus>>,
    pub spin: Duration,
    /// Messages a second; `None`: the next when the last is back.
    pub rate: Option<usize>,
    /// What the receiver reads with.
    pub recv: usize,
    pub buffers: Buffers,
    pub json: Option<String>,
    pub connect: Option<Addr>,
    pub quick: bool,
    /// The arguments that are no options.
    pub operands: Vec<String>,
}

/// The command, empty where there is none, and the options.
pub fn read(args: impl Iterator<Item = OsString>) -> Result<(&'static str, Options), Error> {
    let args: Result<Vec<String>, OsString> = args.map(OsString::into_string).collect();
    let args = args.map_err(|arg| Error::Usage(format!("{arg:?} is not UTF-8")))?;
    let mut args = Args(args.into_iter().flat_map(split).collect());
    let command = args.command();
    let mut options = Options {
        start: Instant::now(),
        time: Duration::ZERO,
        sizes: None,
        networks: vec![Network::Unix, Network::Tcp],
        waits: vec![Wait::Block],
        cpus: None,
        spin: Duration::from_micros(50),
        rate: None,
        // In a trial with messages of 64K to 16M, 16K moved less. A Unix socket gains nothing from
        // more; TCP does: at 512K, the ratio is 2.3 with 64K and 5 with 256K.
        recv: 64 << 10,
        buffers: Buffers::default(),
        json: None,
        connect: None,
        quick: false,
        operands: Vec::new(),
    };
    let (mut time, mut net) = (None, None);
    while let Some(arg) = args.0.pop_front() {
        let name = arg.as_str();
        if matches!(name, "-h" | "--help") {
            return Ok(("help", options));
        }
        if !name.starts_with('-') {
            options.operands.push(arg);
            continue;
        }
        let takes = options_of(command);
        if !takes.contains(&name) {
            return usage(format!("there is no option {name} here; it takes {}", join(&takes)));
        }
        match name {
            "--net" => net = Some(args.words(name, &NETWORKS)?),
            "--wait" => options.waits = args.words(name, &WAITS)?,
            "--cpus" => options.cpus = Some(args.words(name, &CPUS)?),
            "--spin" => {
                options.spin = Duration::from_micros(args.number(name, 1_000_000_000)? as u64);
            }
            "--time" => time = Some(Duration::from_secs(args.number(name, 86_400)? as u64)),
            "--json" => options.json = Some(args.value(name)?),
            "-s" => options.sizes = Some(args.sizes(name)?),
            "--connect" => options.connect = Some(address(&args.value(name)?)?),
            "--rate" => options.rate = Some(args.number(name, 1_000_000)?),
            "--recv" => options.recv = args.size(name)?,
            "--sndbuf" => options.buffers.send = args.size(name)?,
            "--rcvbuf" => options.buffers.recv = args.size(name)?,
            _ => options.quick = true, // --quick
        }
    }
    options.time = time.unwrap_or(match command {
        "article" if options.quick => Duration::from_secs(70),
        "article" => Duration::from_secs(230),
        _ => Duration::from_secs(29), // a second less: ending takes its time, too
    });
    if let Some(addr) = &options.connect {
        if net.is_some() || options.cpus.is_some() {
            return usage("--connect settles the network and the CPUs: leave out --net and --cpus");
        }
        net = Some(vec![if addr.network() == "tcp" { Network::Tcp } else { Network::Unix }]);
        options.cpus = Some(vec![Cpus::Free]);
    }
    options.networks = net.unwrap_or(options.networks);
    check(command, &options)?;
    Ok((command, options))
}

fn check(command: &str, options: &Options) -> Result<(), Error> {
    let has_pipe = options.networks.contains(&Network::Pipe);
    if has_pipe && (command == "connect" || !options.waits.contains(&Wait::Block)) {
        return usage("a pipe has no connections and only blocks: leave out --net pipe");
    }
    let cpus = options.cpus.as_deref().unwrap_or_default();
    if cpus.len() > 1 && cpus.contains(&Cpus::Free) {
        return usage("--cpus free is a run of its own: leave out same and apart");
    }
    if cfg!(not(feature = "sockopt")) && options.buffers != Buffers::default() {
        return usage("--sndbuf and --rcvbuf need a build with --features sockopt");
    }
    if command == "serve" && options.operands.is_empty() {
        return usage("serve needs an address, such as unix:/tmp/bench.sock");
    }
    let most = match command {
        "serve" => usize::MAX,
        "article" => 1, // the directory
        _ => 0,
    };
    match options.operands.get(most) {
        None => Ok(()),
        Some(word) if command.is_empty() => {
            usage(format!("there is no command {word:?}; there are {}", join(&COMMANDS)))
        }
        Some(word) => usage(format!("{command} does not take {word:?}; see --help")),
    }
}

fn usage<T>(why: impl Into<String>) -> Result<T, Error> {
    Err(Error::Usage(why.into()))
}

/// `--option=value` as two arguments.
fn split(arg: String) -> Vec<String> {
    match arg.split_once('=') {
        Some((name, value)) if name.starts_with('-') => vec![name.into(), value.into()],
        _ => vec![arg],
    }
}

struct Args(VecDeque<String>);

impl Args {
    /// The first argument, if it is a command.
    fn command(&mut self) -> &'static str {
        let first = self.0.front().map_or("", String::as_str);
        let mut known = COMMANDS.into_iter().chain(HIDDEN).chain(["--version"]);
        let Some(command) = known.find(|command| *command == first) else { return "" };
        self.0.pop_front();
        command
    }

    /// The value of the option of that name.
    fn value(&mut self, name: &str) -> Result<String, Error> {
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
        let hint = unit(&value).map_or(String::new(), |better| format!(" (write {better})"));
        parse(&value)
            .ok_or_else(|| Error::Usage(format!("{name} takes {expected}, not {value:?}{hint}")))
    }

    fn number(&mut self, name: &str, max: usize) -> Result<usize, Error> {
        let within = |text: &str| text.parse().ok().filter(|n| (1..=max).contains(n));
        self.parse(name, &format!("a number from 1 to {max}"), within)
    }

    fn size(&mut self, name: &str) -> Result<usize, Error> {
        self.parse(name, "a size from 1 to 64M", bytes)
    }

    fn sizes(&mut self, name: &str) -> Result<Vec<usize>, Error> {
        let expected = "different sizes from 1 to 64M, with commas between";
        self.parse(name, expected, |text| different(text.split(',').map(bytes).collect()))
    }

    fn words<T: Copy + PartialEq>(
        &mut self,
        name: &str,
        known: &[(&str, T)],
    ) -> Result<Vec<T>, Error> {
        let word = |text: &str| Some(known.iter().find(|(word, _)| *word == text)?.1);
        let all: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        let expected = format!("one or more of {}, with commas between", all.join(","));
        self.parse(name, &expected, |text| different(text.split(',').map(word).collect()))
    }
}

fn different<T: PartialEq>(values: Option<Vec<T>>) -> Option<Vec<T>> {
    values.filter(|values| (1..values.len()).all(|n| !values[..n].contains(&values[n])))
}

pub fn address(text: &str) -> Result<Addr, Error> {
    text.parse().map_err(|e: io::Error| Error::Usage(e.to_string()))
}

/// A number of bytes, with `K` or `M` behind it for powers of 1024.
fn bytes(text: &str) -> Option<usize> {
    let (digits, unit) = match text.char_indices().next_back()? {
        (end, 'k' | 'K') => (&text[..end], 1 << 10),
        (end, 'm' | 'M') => (&text[..end], 1 << 20),
        _ => (text, 1),
    };
    let bytes = digits.parse::<usize>().ok()?.checked_mul(unit)?;
    (1..=MAX_SIZE).contains(&bytes).then_some(bytes)
}

/// What to write for sizes like `4KB` and `1MiB`.
fn unit(text: &str) -> Option<String> {
    let better: Vec<&str> =
        text.split(',').map(|size| size.trim_end_matches(['b', 'B', 'i'])).collect();
    let is_size = better.iter().all(|size| bytes(size).is_some());
    (is_size && better.join(",") != text).then(|| better.join(","))
}
