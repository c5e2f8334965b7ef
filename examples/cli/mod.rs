//! What the programs share at their edge: reading arguments, and telling a person what went wrong.

#![allow(dead_code)] // each program has a use for its own part

use std::collections::VecDeque;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use streamsock::{Addr, Conn, Listener};

/// Runs a program and turns its end into an exit status. The first line of `help` is the usage.
pub fn main(
    program: &str,
    help: &'static str,
    run: impl FnOnce(&mut Args) -> Result<(), Error>,
) -> ExitCode {
    match run(&mut Args::new(help)) {
        Ok(()) | Err(Error::OutputClosed | Error::Helped) => ExitCode::SUCCESS,
        Err(Error::Failed(why)) => {
            say(&format!("{program}: {why}"));
            ExitCode::FAILURE
        }
        Err(Error::Usage(why)) => {
            say(&format!("{program}: {why}\n{}", help.lines().next().unwrap_or_default()));
            ExitCode::from(2)
        }
    }
}

/// Why a program ends early.
pub enum Error {
    /// The arguments are wrong: exit status 2, with the usage line.
    Usage(String),
    /// Something went wrong: exit status 1.
    Failed(String),
    /// Nobody reads the output any more (`| head`): exit status 0, without a word.
    OutputClosed,
    /// `--help` was asked for, and printed: exit status 0.
    Helped,
}

/// The arguments in turn: `--option value`, `--option=value`, `-o value`, `-ovalue`, and `--`, after
/// which nothing is an option.
pub struct Args {
    help: &'static str,
    rest: VecDeque<OsString>,
    no_more_options: bool,
    name: String,
    value: Option<OsString>,
}

impl Args {
    fn new(help: &'static str) -> Args {
        let rest = env::args_os().skip(1).collect();
        Args { help, rest, no_more_options: false, name: String::new(), value: None }
    }

    /// The name of the next option, or "" for an argument that is none: [`Args::value`] has it.
    pub fn next(&mut self) -> Result<Option<String>, Error> {
        if self.value.is_some() {
            return Err(Error::Usage(format!("{} takes no value", self.name)));
        }
        let Some(arg) = self.rest.pop_front() else { return Ok(None) };
        let bytes = arg.as_bytes();
        let name_len = match bytes {
            _ if self.no_more_options => 0,
            b"--" => {
                self.no_more_options = true;
                return self.next();
            }
            [b'-', b'-', ..] => bytes.iter().position(|&b| b == b'=').unwrap_or(bytes.len()),
            [b'-', _, ..] => 2,
            _ => 0,
        };
        let (name, value) = bytes.split_at(name_len);
        self.name = String::from_utf8_lossy(name).into_owned();
        self.value = match value {
            [] if name_len > 0 => None,
            [b'=', value @ ..] if name_len > 0 => Some(OsStr::from_bytes(value).into()),
            value => Some(OsStr::from_bytes(value).into()),
        };
        if self.name == "--help" || self.name == "-h" {
            print(self.help.as_bytes())?;
            return Err(Error::Helped);
        }
        Ok(Some(self.name.clone()))
    }

    /// The value of the option that [`Args::next`] named.
    pub fn value(&mut self) -> Result<OsString, Error> {
        let value = self.value.take().or_else(|| self.rest.pop_front());
        value.ok_or_else(|| Error::Usage(format!("{} needs a value", self.name)))
    }

    /// The same, read by `parse`; `expected` says what that takes.
    pub fn parse<T>(
        &mut self,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Error> {
        let value = self.value()?;
        value
            .to_str()
            .and_then(parse)
            .ok_or_else(|| Error::Usage(format!("{} takes {expected}, not {value:?}", self.name)))
    }

    /// The same, as an address.
    pub fn address(&mut self) -> Result<Addr, Error> {
        let value = self.value()?;
        match value.to_str() {
            Some(text) => text.parse().map_err(|e: io::Error| Error::Usage(e.to_string())),
            None => Ok(Addr::from(Path::new(&value))), // no text, so it can only be a path
        }
    }

    /// The option that [`Args::next`] named is none of the program's.
    pub fn unknown(&mut self) -> Error {
        match self.value.take() {
            Some(value) if self.name.is_empty() => {
                Error::Usage(format!("{value:?} is one too many"))
            }
            _ => Error::Usage(format!("there is no option {}", self.name)),
        }
    }
}

/// Binds, or says what to do.
fn bind(addr: &Addr, mode: Option<u32>) -> Result<Listener, Error> {
    let bound = match mode {
        Some(mode) => Listener::bind_with_mode(addr, mode),
        None => Listener::bind(addr),
    };
    bound.map_err(|e| match e.kind() {
        ErrorKind::AddrInUse => {
            Error::Failed(format!("{addr}: {e}; free this address or choose another"))
        }
        ErrorKind::NotFound => Error::Failed(format!("{addr}: {e}; make its directory first")),
        _ => failed(addr, e),
    })
}

/// Binds all addresses, and then says so, a line for each.
pub fn listen(addrs: &[Addr], mode: Option<u32>) -> Result<Vec<Listener>, Error> {
    let listeners: Vec<_> = addrs.iter().map(|addr| bind(addr, mode)).collect::<Result<_, _>>()?;
    for (listener, addr) in listeners.iter().zip(addrs) {
        let bound = listener.local_addr().map_err(|e| failed(addr, e))?;
        say(&format!("listening on {bound}"));
    }
    Ok(listeners)
}

/// Connects, or says what to do.
pub fn connect(addr: &Addr) -> Result<Conn, Error> {
    Conn::connect(addr).map_err(|e| match e.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            Error::Failed(format!("{addr}: {e}; start a server there first"))
        }
        _ => failed(addr, e),
    })
}

/// A number of bytes, with `K`, `M` or `G` behind it for powers of 1024.
pub fn size(text: &str) -> Option<usize> {
    let (digits, unit) = match text.char_indices().next_back()? {
        (end, 'k' | 'K') => (&text[..end], 1 << 10),
        (end, 'm' | 'M') => (&text[..end], 1 << 20),
        (end, 'g' | 'G') => (&text[..end], 1 << 30),
        _ => (text, 1),
    };
    digits.parse::<usize>().ok()?.checked_mul(unit)
}

/// What went wrong, and where.
pub fn failed(place: impl std::fmt::Display, e: io::Error) -> Error {
    Error::Failed(format!("{place}: {e}"))
}

/// Writes to standard output, at once.
pub fn print(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|e| match e.kind() {
        ErrorKind::BrokenPipe => Error::OutputClosed,
        _ => failed("standard output", e),
    })
}

/// Writes a line to standard error, in one piece. That it may be closed harms nothing: `eprintln!`
/// would panic.
pub fn say(line: &str) {
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
