//! The rows of the two CSV files: what the measurements print and the report reads.
//!
//! Lines that begin with `#` are notes on the run. Files may be joined end to end: each keeps its
//! header.

use std::fmt::Write;

use crate::options::MAX_SIZE;
use crate::series::{Named, Network, Series, Wait};
use crate::stats::Spread;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Benchmark {
    Latency,
    /// The same with both ends on one CPU: `bench.sh` gives it this name.
    LatencyOneCpu,
    Throughput,
}

impl Named for Benchmark {
    const ALL: &'static [Benchmark] =
        &[Benchmark::Latency, Benchmark::LatencyOneCpu, Benchmark::Throughput];

    fn name(self) -> &'static str {
        match self {
            Benchmark::Latency => "latency",
            Benchmark::LatencyOneCpu => "latency-1cpu",
            Benchmark::Throughput => "throughput",
        }
    }
}

/// What a row is about: the first columns of both files.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct What {
    pub benchmark: Benchmark,
    pub series: Series,
    pub size: usize,
    pub count: usize,
    pub rounds: usize,
}

/// The quantiles of a latency row, by their names in a table.
pub const QUANTILES: [f64; 6] = [0.0, 0.5, 0.9, 0.99, 0.999, 1.0];
pub const QUANTILE_NAMES: [&str; 6] = ["min", "p50", "p90", "p99", "p99.9", "max"];

/// A row of `latency --csv`. Times are in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    pub what: What,
    /// Half of the mean round trip of a round; of the rounds, the median.
    pub oneway: f64,
    /// Of all round trips, [`QUANTILES`].
    pub quantiles: [f64; 6],
    pub per_s: f64,
    /// Of both ends, for a round trip; `None` where it could not be read.
    pub cpu: Option<f64>,
    /// The lowest and the highest median of a round.
    pub p50_lo: f64,
    pub p50_hi: f64,
}

/// A row of `throughput --csv`. 1 MB is 10^6 bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Throughput {
    pub what: What,
    pub mb_per_s: Spread,
    /// CPU seconds of both ends for each GB; `None` where they could not be read.
    pub cpu_s_per_gb: Option<f64>,
}

pub trait Row: Sized {
    const HEADER: &'static str;

    fn what(&self) -> &What;

    /// The figure that is compared.
    fn spread(&self) -> Spread;

    fn line(&self) -> String;

    /// `None` for what no run prints.
    fn parse(fields: &mut Fields<'_>) -> Option<Self>;
}

impl Row for Latency {
    const HEADER: &'static str = "benchmark,network,wait,size,count,rounds,oneway_ns,rtt_min_ns,\
        rtt_p50_ns,rtt_p90_ns,rtt_p99_ns,rtt_p999_ns,rtt_max_ns,round_trips_per_s,\
        cpu_ns_per_round_trip,rtt_p50_lo_ns,rtt_p50_hi_ns";

    fn what(&self) -> &What {
        &self.what
    }

    fn spread(&self) -> Spread {
        Spread { mid: self.quantiles[1], lo: self.p50_lo, hi: self.p50_hi }
    }

    fn line(&self) -> String {
        let mut line = format!("{},{:.1}", self.what.fields(), self.oneway);
        for quantile in self.quantiles {
            let _ = write!(line, ",{quantile}");
        }
        let cpu = optional(self.cpu, 1);
        line + &format!(",{:.3},{cpu},{},{}", self.per_s, self.p50_lo, self.p50_hi)
    }

    fn parse(fields: &mut Fields<'_>) -> Option<Latency> {
        let what = fields.what(&[Benchmark::Latency, Benchmark::LatencyOneCpu])?;
        let oneway = fields.figure()?;
        let mut quantiles = [0.0; 6];
        for quantile in &mut quantiles {
            *quantile = fields.figure()?;
        }
        let (per_s, cpu) = (fields.figure()?, fields.optional()?);
        let (p50_lo, p50_hi) = (fields.figure()?, fields.figure()?);
        let row = Latency { what, oneway, quantiles, per_s, cpu, p50_lo, p50_hi };
        (row.spread().is_ordered() && quantiles.is_sorted()).then_some(row)
    }
}

impl Row for Throughput {
    const HEADER: &'static str = "benchmark,network,wait,size,count,rounds,mb_per_s,mb_per_s_min,\
        mb_per_s_max,msgs_per_s,cpu_s_per_gb";

    fn what(&self) -> &What {
        &self.what
    }

    fn spread(&self) -> Spread {
        self.mb_per_s
    }

    fn line(&self) -> String {
        let Spread { mid, lo, hi } = self.mb_per_s;
        let cpu = optional(self.cpu_s_per_gb, 4);
        format!("{},{mid:.3},{lo:.3},{hi:.3},{:.3},{cpu}", self.what.fields(), self.msgs_per_s())
    }

    fn parse(fields: &mut Fields<'_>) -> Option<Throughput> {
        let what = fields.what(&[Benchmark::Throughput])?;
        let [mid, lo, hi, _] =
            [fields.figure()?, fields.figure()?, fields.figure()?, fields.figure()?];
        let row =
            Throughput { what, mb_per_s: Spread { mid, lo, hi }, cpu_s_per_gb: fields.optional()? };
        row.mb_per_s.is_ordered().then_some(row)
    }
}

impl Throughput {
    pub fn msgs_per_s(&self) -> f64 {
        self.mb_per_s.mid * 1e6 / self.what.size as f64
    }
}

impl What {
    fn fields(&self) -> String {
        let What { benchmark, series, size, count, rounds } = self;
        let (network, wait) = (series.network.name(), series.wait.name());
        format!("{},{network},{wait},{size},{count},{rounds}", benchmark.name())
    }
}

fn optional(value: Option<f64>, places: usize) -> String {
    value.map(|value| format!("{value:.places$}")).unwrap_or_default()
}

/// A file: the notes, the header, the rows.
pub fn file<R: Row>(notes: &[String], rows: &[R]) -> String {
    let notes = notes.iter().map(|note| format!("# {note}\n"));
    let rows = rows.iter().map(|row| row.line() + "\n");
    notes.chain([format!("{}\n", R::HEADER)]).chain(rows).collect()
}

/// The notes, each once, and the rows in the order of their sizes; or the line that is none of both.
pub fn read<R: Row>(text: &str) -> Result<(Vec<String>, Vec<R>), String> {
    let (mut notes, mut rows) = (Vec::new(), Vec::<R>::new());
    let mut headed = false;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let wrong = |why: &str| {
            let start: String = line.trim_end().chars().take(60).collect();
            Err(format!("line {} {why}: {start:?}", n + 1))
        };
        let Some(line) = line.strip_suffix('\n') else { return wrong("is cut short") };
        if let Some(note) = line.strip_prefix("# ") {
            if !notes.iter().any(|known| known == note) {
                notes.push(note.to_string());
            }
        } else if line == R::HEADER {
            headed = true;
        } else if !headed {
            return wrong(&format!("is not the header {}", R::HEADER));
        } else {
            let mut fields = Fields(line.split(','));
            let Some(row) = R::parse(&mut fields).filter(|_| fields.0.next().is_none()) else {
                return wrong("is not a row");
            };
            let about = |what: &What| (what.benchmark, what.series, what.size);
            if rows.iter().any(|known| about(known.what()) == about(row.what())) {
                return wrong("measures the same as a line before");
            }
            rows.push(row);
        }
    }
    rows.sort_by_key(|row| row.what().size);
    if rows.is_empty() { Err("there is no row in it".into()) } else { Ok((notes, rows)) }
}

/// The fields of a line, one after the other.
pub struct Fields<'a>(std::str::Split<'a, char>);

impl Fields<'_> {
    fn name<T: Named>(&mut self) -> Option<T> {
        T::from_name(self.0.next()?)
    }

    fn number(&mut self, max: usize) -> Option<usize> {
        self.0.next()?.parse().ok().filter(|n| (1..=max).contains(n))
    }

    /// A number over 0 that a run can print, and that a picture has room for.
    fn figure(&mut self) -> Option<f64> {
        self.0.next()?.parse().ok().filter(|value| (1e-3..=1e15).contains(value))
    }

    fn optional(&mut self) -> Option<Option<f64>> {
        match self.0.next()? {
            "" => Some(None),
            field => field.parse().ok().filter(|value| (0.0..=1e15).contains(value)).map(Some),
        }
    }

    fn what(&mut self, benchmarks: &[Benchmark]) -> Option<What> {
        let benchmark = self.name().filter(|benchmark| benchmarks.contains(benchmark))?;
        let series = Series { network: self.name::<Network>()?, wait: self.name::<Wait>()? };
        let (size, count) = (self.number(MAX_SIZE)?, self.number(10_000_000)?);
        Some(What { benchmark, series, size, count, rounds: self.number(1000)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_as_they_print() {
        let series = Series { network: Network::Tcp, wait: Wait::Spin };
        let what = What { benchmark: Benchmark::Latency, series, size: 128, count: 10, rounds: 3 };
        let latency = Latency {
            what,
            oneway: 4560.5,
            quantiles: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            per_s: 7.5,
            cpu: None,
            p50_lo: 1.5,
            p50_hi: 2.0,
        };
        let text = file(&["a run".into()], std::slice::from_ref(&latency));
        let line = "latency,tcp,spin,128,10,3,4560.5,1,2,3,4,5,6,7.500,,1.5,2";
        assert_eq!(text, format!("# a run\n{}\n{line}\n", Latency::HEADER));
        // Two runs in one file.
        let joined = text.clone() + &text.replace(",128,", ",64,");
        let (notes, rows) = read::<Latency>(&joined).unwrap();
        assert_eq!(notes, ["a run"]);
        let smaller = Latency { what: What { size: 64, ..what }, ..latency.clone() };
        assert_eq!(rows, [smaller, latency]);

        let what = What { benchmark: Benchmark::Throughput, ..what };
        let mb_per_s = Spread { mid: 4321.5, lo: 4000.0, hi: 5000.0 };
        let throughput = Throughput { what, mb_per_s, cpu_s_per_gb: Some(0.25) };
        let text = file(&[], std::slice::from_ref(&throughput));
        assert_eq!(read::<Throughput>(&text).unwrap().1, [throughput]);
    }
}
