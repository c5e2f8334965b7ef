//! What the two benchmarks share: the options here, the rest in a file each.
//!
//! Each pair of a network and a way to wait is a [`Cell`](ends::Cell), with a connection and a server
//! of its own. All cells exist from the start, and take turns round by round.

#![allow(dead_code)] // each program has a use for its own part

pub mod charts;
pub mod claims;
pub mod csv;
pub mod ends;
pub mod machine;
pub mod plot;
pub mod stats;
pub mod words;

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::slice;
use std::thread;
use std::time::Duration;

use streamsock::{Addr, serve};

use crate::cli::{self, Args, Error};
use ends::{Answer, greet};

pub const MAX_SIZE: usize = 64 << 20;

/// How an end waits for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Block,
    Spin,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Wait::Block => "block",
            Wait::Spin => "spin",
        })
    }
}

/// The options that both benchmarks have.
pub struct Options {
    pub rounds: usize,
    pub networks: &'static [&'static str],
    pub waits: &'static [Wait],
    pub spin: Duration,
    pub threads: bool,
    pub csv: bool,
    serve: Option<Addr>,
    pub connect: Option<Addr>,
    /// An option that is the client's to choose.
    measuring: Option<String>,
}

impl Options {
    pub fn new() -> Options {
        Options {
            rounds: 5,
            networks: &["unix", "tcp"],
            waits: &[Wait::Block, Wait::Spin],
            spin: Duration::from_micros(50),
            threads: false,
            csv: false,
            serve: None,
            connect: None,
            measuring: None,
        }
    }

    /// Takes an option that both have. `false`: it is none of them.
    pub fn take(&mut self, option: &str, args: &mut Args) -> Result<bool, Error> {
        match option {
            "--serve" => self.serve = Some(args.address()?),
            "--connect" => self.connect = Some(args.address()?),
            "-r" => self.rounds = args.parse("a number from 1 to 1000", |t| number(t, 1_000))?,
            "--net" => {
                self.networks = args.parse("unix, tcp or both", |text| match text {
                    "unix" => Some(&["unix"][..]),
                    "tcp" => Some(&["tcp"]),
                    "both" => Some(&["unix", "tcp"]),
                    _ => None,
                })?
            }
            "--wait" => {
                self.waits = args.parse("block, spin or both", |text| match text {
                    "block" => Some(&[Wait::Block][..]),
                    "spin" => Some(&[Wait::Spin]),
                    "both" => Some(&[Wait::Block, Wait::Spin]),
                    _ => None,
                })?
            }
            "--spin" => {
                let micros =
                    args.parse("a number of microseconds from 1", |t| number(t, 1 << 40))?;
                self.spin = Duration::from_micros(micros as u64);
            }
            "--threads" => self.threads = true,
            "--csv" => self.csv = true,
            _ => return Ok(false),
        }
        if option != "--serve" {
            self.measuring(option);
        }
        Ok(true)
    }

    /// Notes an option that makes no sense beside `--serve`.
    pub fn measuring(&mut self, option: &str) {
        self.measuring.get_or_insert(option.to_string());
    }

    /// With `--serve`: answers clients until it is killed. `None`: it is to measure.
    pub fn serve(&self, answer: Answer) -> Option<Result<(), Error>> {
        let addr = self.serve.as_ref()?;
        if let Some(option) = &self.measuring {
            let why = format!("{option} is for the client to say, and --serve is the server");
            return Some(Err(Error::Usage(why)));
        }
        let addrs = slice::from_ref(addr);
        Some(cli::listen(addrs, None).and_then(|listeners| {
            let served = serve(&listeners, 64, |conn| {
                if let Err(e) = greet(conn, answer) {
                    cli::say(&format!("{addr}: a client's run ended early: {e}"));
                }
            });
            served.map_err(|e| cli::failed(addr, e))
        }))
    }

    /// The networks to measure: with `--connect`, the one of the address.
    pub fn networks(&self) -> Vec<&'static str> {
        match &self.connect {
            Some(addr) => vec![addr.network()],
            None => self.networks.to_vec(),
        }
    }

    /// Who runs where, and how it waits.
    pub fn describe(&self) -> String {
        let server = match (&self.connect, self.threads) {
            (Some(addr), _) => format!("the server is at {addr}"),
            (None, true) => "the server is a thread".to_string(),
            (None, false) => "the server is a process of its own".to_string(),
        };
        let waits = match self.waits {
            [Wait::Block] => "both ends block".to_string(),
            [Wait::Spin] => format!("both ends poll for up to {:?}, then block", self.spin),
            _ => {
                format!("both ends block, or poll (spin) for up to {:?} before they do", self.spin)
            }
        };
        let one = thread::available_parallelism().is_ok_and(|cpus| cpus.get() == 1);
        let sleeps = if one && self.waits.contains(&Wait::Spin) {
            "\nwith one CPU nobody polls: the rows that say spin block as well"
        } else {
            ""
        };
        format!("{server}; {waits}{sleeps}")
    }
}

/// The CPU time of a round added to that of the rounds before, where all of it could be read.
pub fn add_since(
    total: Option<Duration>,
    before: Option<Duration>,
    after: Option<Duration>,
) -> Option<Duration> {
    Some(total? + after?.checked_sub(before?)?)
}

/// A line that is written over, for a person who watches; nothing when nobody does.
pub fn progress(text: &str) {
    if io::stderr().is_terminal() {
        let _ = io::stderr().write_all(format!("\r\x1b[K{text}").as_bytes());
    }
}

pub fn number(text: &str, max: usize) -> Option<usize> {
    text.parse().ok().filter(|n| (1..=max).contains(n))
}

pub fn message_size(text: &str) -> Option<usize> {
    cli::size(text).filter(|size| (1..=MAX_SIZE).contains(size))
}
