//! `sockbench`: what a Unix socket buys on this machine, measured against TCP loopback and pipes.
//!
//! ```console
//! $ cargo run --release                                   # the answer, in half a minute
//! $ cargo run --release -- latency -s 4K --wait block,spin
//! $ cargo run --release -- article                        # the article's claims, with pictures
//! $ cargo run --release -- serve tcp:0.0.0.0:13500        # on one host
//! $ cargo run --release -- latency --connect tcp:there:13500     # on another
//! ```
//!
//! Read `measure/blocks.rs` first: how two things are compared, turn by turn, and `stats.rs` for what may
//! be concluded. `measure/latency.rs`, `throughput.rs` and `connect.rs` hold the loops that are timed,
//! `server.rs` the other end of them. `output/` says what was found: in sentences, as JSON, beside the
//! article's claims, and in pictures.

mod args;
mod machine;
mod measure {
    pub mod blocks;
    pub mod connect;
    pub mod latency;
    pub mod server;
    pub mod throughput;
    pub mod transport;
}
mod output {
    pub mod article;
    pub mod json;
    pub mod report;
    pub mod svg;
    pub mod text;
}
mod stats;

use std::env;
use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use args::{HELP, Options};
use machine::{Cpus, Placement};
use measure::blocks::{self, Benchmark, Run, Series};
use measure::server;
use output::{article, json, report, text};

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
    let read = args::read(env::args_os().skip(1));
    match read.and_then(|(command, options)| run(command, &options)) {
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

fn run(command: &str, options: &Options) -> Result<(), Error> {
    match command {
        "" => answer(options, &[Benchmark::Latency, Benchmark::Throughput, Benchmark::Connect]),
        "latency" => answer(options, &[Benchmark::Latency]),
        "throughput" => answer(options, &[Benchmark::Throughput]),
        "connect" => answer(options, &[Benchmark::Connect]),
        "article" => article(options),
        "serve" => server::listen(&options.operands),
        "answer" => server::answer_sockets(),
        "answer-pipe" => server::answer_pipe(),
        "--version" => print(concat!("sockbench ", env!("CARGO_PKG_VERSION"), "\n")),
        _ => print(HELP),
    }
}

/// Measures, and prints the answer, the tables, and how it was measured.
fn answer(options: &Options, benchmarks: &[Benchmark]) -> Result<(), Error> {
    let run = measure(options, |cpus| {
        let mut plan = Vec::new();
        for benchmark in benchmarks {
            let sizes = options.sizes.clone().unwrap_or_else(|| benchmark.sizes());
            for size in sizes {
                plan.extend(blocks::pairs(options, *benchmark, size, cpus));
            }
        }
        plan
    });
    let said = print(&text::whole(options, &run));
    if let Some(path) = &options.json {
        write(Path::new(path), &json::object(options, &run))?;
    }
    said.and(done(&run))
}

fn article(options: &Options) -> Result<(), Error> {
    let dir = Path::new(options.operands.first().map_or("sockbench-article", String::as_str));
    fs::create_dir_all(dir).map_err(|e| failed(dir.display(), e))?;
    let run = measure(options, |cpus| article::plan(options, cpus));
    let report = report::report(options, &run);
    write(&dir.join("report.md"), &report)?;
    write(&dir.join("data.json"), &json::object(options, &run))?;
    for (name, picture) in report::pictures(&run) {
        write(&dir.join(name), &picture)?;
    }
    let said = print(&report);
    say(&format!("written: report.md, data.json and three pictures, in {}", dir.display()));
    said.and(done(&run))
}

/// Pins this process unless the scheduler is to choose, and measures what is planned.
fn measure(options: &Options, plan: impl Fn(&[Cpus]) -> Vec<(Series, Series)>) -> Run {
    let machine = (machine::describe(), machine::load()); // before this process is on one CPU alone
    let placement = match options.cpus.as_deref() {
        Some([Cpus::Free]) => Placement::free("the scheduler chooses the CPUs"),
        _ => Placement::pin(),
    };
    let cpus = options.cpus.clone().unwrap_or_else(|| placement.default_cpus());
    blocks::measure(options, machine, placement, plan(&cpus))
}

/// A series that could not be measured is a failure, though the others were.
fn done(run: &Run) -> Result<(), Error> {
    match run.failures.as_slice() {
        [] => Ok(()),
        failures => Err(Error::Failed(failures.join("; "))),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|e| failed(path.display(), e))
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
