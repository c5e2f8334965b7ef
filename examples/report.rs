//! The benchmarks' CSV files in, a report with two pictures out: what was measured here, beside what
//! the article says.
//!
//! ```console
//! $ ./bench.sh     # runs the benchmarks, and then this:
//! $ cargo run --release --example report -- target/bench/pingpong.csv target/bench/bandwidth.csv target/bench
//! ```

use std::env;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;

use bench::csv::{self, Latency, Throughput, What};
use bench::{charts, claims, machine, stats, words};
use cli::{Args, Error};

mod bench;
mod cli;

const HELP: &str = "\
usage: report PINGPONG.csv BANDWIDTH.csv DIR

Writes report.md, latency.svg and throughput.svg into DIR, and prints the report.

  PINGPONG.csv     what pingpong --csv printed; rows with one CPU begin with pingpong-1cpu
  BANDWIDTH.csv    what bandwidth --csv printed
  DIR              a directory, made if need be
  -h, --help       print this

The report names RUSTC_VERSION, a variable of the environment, if it is set.
";

/// The columns of both tables.
const COLUMNS: [(&str, &str); 4] =
    [("unix", "block"), ("tcp", "block"), ("unix", "spin"), ("tcp", "spin")];

fn main() -> ExitCode {
    cli::main("report", HELP, run)
}

fn run(args: &mut Args) -> Result<(), Error> {
    let mut paths = Vec::new();
    while let Some(option) = args.next()? {
        match option.as_str() {
            "" if paths.len() < 3 => paths.push(args.value()?),
            _ => return Err(args.unknown()),
        }
    }
    let [pingpong, bandwidth, dir] = &paths[..] else {
        return Err(Error::Usage("two CSV files and a directory are needed".into()));
    };
    let dir = Path::new(dir);
    let latency: Vec<Latency> = read(pingpong, Latency::HEADER)?;
    let throughput: Vec<Throughput> = read(bandwidth, Throughput::HEADER)?;

    let report = report(&latency, &throughput);
    fs::create_dir_all(dir).map_err(|e| cli::failed(dir.display(), e))?;
    let pictures = [
        ("latency.svg", charts::latency(&latency).to_svg()),
        ("throughput.svg", charts::throughput(&throughput).to_svg()),
    ];
    for (name, picture) in pictures {
        let nothing = || Error::Failed(format!("{name}: there is nothing to draw"));
        write(dir, name, &picture.ok_or_else(nothing)?)?;
    }
    write(dir, "report.md", &report)?;
    cli::print(report.as_bytes())
}

fn read<T: FromStr>(path: &OsString, header: &str) -> Result<Vec<T>, Error> {
    let shown = Path::new(path).display();
    let text = fs::read_to_string(path).map_err(|e| cli::failed(&shown, e))?;
    csv::parse(header, &text).map_err(|why| Error::Failed(format!("{shown}: {why}")))
}

fn write(dir: &Path, name: &str, text: &str) -> Result<(), Error> {
    let path = dir.join(name);
    fs::write(&path, text).map_err(|e| cli::failed(path.display(), e))
}

fn report(latency: &[Latency], throughput: &[Throughput]) -> String {
    let mut text = format!("# Unix sockets and TCP loopback, measured\n\n{}", machine::describe());
    if let Ok(rustc) = env::var("RUSTC_VERSION") {
        let _ = write!(text, ", {rustc}");
    }
    text.push_str(
        ".\nClient and server are a process each. *Block*: an end that waits sleeps in read(2). *Spin*: it \
         polls for\nup to 50 µs first. Each figure is the median of its rounds, in which all columns took \
         turns.\n",
    );
    text.push_str(&counts(latency, throughput));
    text.push_str(&machine::socket_buffers().unwrap_or_default());
    text.push('\n');
    text.push_str(&claims_table(latency, throughput));
    text.push_str("\n## One way, in µs\n\n![One way by size](latency.svg)\n\n");
    text.push_str(&latency_table(latency));
    text.push_str("\n128 bytes, the whole round trip, in µs:\n\n");
    text.push_str(&quantiles_table(latency, 128));
    if latency.iter().any(|row| row.what.benchmark == "pingpong-1cpu") {
        text.push_str(
            "\nBoth ends on one CPU (`taskset`), where nobody polls, and nobody is woken up on another \
             CPU; one\nway, in µs. With more CPUs the scheduler chooses where the ends run, and may choose \
             otherwise for Unix\nthan for TCP, and from one size to the next: these rows are the fairer \
             comparison of ends that block.\n\n",
        );
        text.push_str(&one_cpu_table(latency));
    }
    text.push_str("\n## Throughput\n\n![Throughput by size](throughput.svg)\n\n");
    text.push_str(&throughput_table(throughput));
    text
}

/// How much was measured.
fn counts(latency: &[Latency], throughput: &[Throughput]) -> String {
    let mut text = String::new();
    if let Some(What { count, rounds, .. }) = latency.first().map(|row| &row.what) {
        let count = stats::thousands(*count as f64);
        let _ = writeln!(text, "Latency: {count} round trips in each of {rounds} rounds.");
    }
    let throughput = throughput.iter().map(|row| &row.what);
    if let Some(most) = throughput.max_by_key(|what| what.size * what.count) {
        let bytes = stats::size(most.size * most.count);
        let _ = writeln!(text, "Throughput: up to {bytes} in each of {} rounds.", most.rounds);
    }
    text
}

fn claims_table(latency: &[Latency], throughput: &[Throughput]) -> String {
    let mut text = String::from(
        "## The article's claims\n\nJudged by the rows that block, as the article's programs do. Within \
         5 % is a tie.\nRounds overlap where the median of one network lies among the rounds of the other: \
         measured again, such\na throughput may come out the other way round.\n\n| claim | there | here | ratio | verdict |\n| --- | --- | --- | ---: | --- |\n",
    );
    for claim in claims::claims(latency, throughput) {
        let verdict = claim.verdict();
        let ratio = cell(claim.here.as_ref().map(|here| here.ratio), |r| format!("{r:.2}"));
        let here = claim.here.map_or("-".to_string(), |here| here.figures);
        let _ =
            writeln!(text, "| {} | {} | {here} | {ratio} | {verdict} |", claim.what, claim.there);
    }
    text
}

/// A row a size; the ratios say how many times as long TCP takes.
fn latency_table(rows: &[Latency]) -> String {
    let mut text = String::from(
        "| bytes | Unix, block | TCP, block | ratio | Unix, spin | TCP, spin | ratio | floor |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for size in sizes(rows.iter().map(|row| &row.what)) {
        let value = |network: &str, wait: &str| {
            let mut rows = rows.iter().filter(|row| row.what.is("pingpong", network, wait));
            rows.find(|row| row.what.size == size).map(|row| row.oneway)
        };
        let [unix_block, tcp_block, unix_spin, tcp_spin] =
            COLUMNS.map(|(network, wait)| value(network, wait));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            stats::size(size),
            cell(unix_block, stats::micros),
            cell(tcp_block, stats::micros),
            ratio(tcp_block, unix_block),
            cell(unix_spin, stats::micros),
            cell(tcp_spin, stats::micros),
            ratio(tcp_spin, unix_spin),
            cell(value("floor", "none"), stats::micros),
        );
    }
    text
}

fn one_cpu_table(rows: &[Latency]) -> String {
    let mut text = String::from("| bytes | Unix | TCP | ratio |\n| ---: | ---: | ---: | ---: |\n");
    for size in sizes(rows.iter().map(|row| &row.what)) {
        let value = |network: &str| {
            let mut rows = rows.iter().filter(|row| row.what.is("pingpong-1cpu", network, "block"));
            rows.find(|row| row.what.size == size).map(|row| row.oneway)
        };
        let [unix, tcp] = ["unix", "tcp"].map(value);
        let (unix_cell, tcp_cell) = (cell(unix, stats::micros), cell(tcp, stats::micros));
        let _ = writeln!(
            text,
            "| {} | {unix_cell} | {tcp_cell} | {} |",
            stats::size(size),
            ratio(tcp, unix)
        );
    }
    text
}

fn quantiles_table(rows: &[Latency], size: usize) -> String {
    let mut text = String::from(
        "| | min | p50 | p90 | p99 | p99.9 | max | CPU time of both ends |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for row in rows.iter().filter(|row| row.what.benchmark == "pingpong" && row.what.size == size) {
        let _ = write!(text, "| {} |", words::series(&row.what.network, &row.what.wait));
        for ns in [row.min, row.p50, row.p90, row.p99, row.p999, row.max] {
            let _ = write!(text, " {} |", stats::micros(ns as f64));
        }
        let _ = writeln!(text, " {} |", cell(row.cpu, stats::micros));
    }
    text
}

/// A row a size; the ratios say how many times as much Unix moves.
fn throughput_table(rows: &[Throughput]) -> String {
    let mut text = String::from(
        "| bytes | Unix, block | TCP, block | ratio | Unix, spin | TCP, spin | ratio | messages/s: Unix | TCP |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for size in sizes(rows.iter().map(|row| &row.what)) {
        let value = |network: &str, wait: &str| {
            let mut rows = rows.iter().filter(|row| row.what.is("bandwidth", network, wait));
            rows.find(|row| row.what.size == size)
        };
        let all = COLUMNS.map(|(network, wait)| value(network, wait));
        let [unix_block, tcp_block, unix_spin, tcp_spin] = all.map(|row| Some(row?.mb_per_s));
        let [unix_messages, tcp_messages, ..] = all.map(|row| Some(row?.msgs_per_s));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            stats::size(size),
            cell(unix_block, stats::throughput),
            cell(tcp_block, stats::throughput),
            ratio(unix_block, tcp_block),
            cell(unix_spin, stats::throughput),
            cell(tcp_spin, stats::throughput),
            ratio(unix_spin, tcp_spin),
            cell(unix_messages, stats::thousands),
            cell(tcp_messages, stats::thousands),
        );
    }
    text
}

fn cell(value: Option<f64>, show: impl Fn(f64) -> String) -> String {
    value.map_or("-".to_string(), show)
}

fn ratio(of: Option<f64>, to: Option<f64>) -> String {
    of.zip(to).map_or("-".to_string(), |(of, to)| format!("{:.2}", of / to))
}

fn sizes<'a>(whats: impl Iterator<Item = &'a What>) -> Vec<usize> {
    let mut sizes: Vec<usize> = whats.map(|what| what.size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}
