//! The rows of the two CSV files: what the benchmarks print and the report reads.

use std::fmt;
use std::str::FromStr;

/// A row of `pingpong --csv`. Times are in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    pub what: What,
    pub oneway: f64,
    pub min: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
    pub round_trips_per_s: f64,
    /// Of both ends; `None` where it could not be read.
    pub cpu: Option<f64>,
}

/// A row of `bandwidth --csv`. 1 MB is 10^6 bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Throughput {
    pub what: What,
    pub mb_per_s: f64,
    pub mb_per_s_min: f64,
    pub mb_per_s_max: f64,
    pub msgs_per_s: f64,
    /// CPU seconds of both ends for each GB; `None` where they could not be read.
    pub cpu_s_per_gb: Option<f64>,
}

/// What a row is about: the first columns of both files.
#[derive(Clone, Debug, PartialEq)]
pub struct What {
    pub benchmark: String,
    pub network: String,
    pub wait: String,
    pub size: usize,
    pub count: usize,
    pub rounds: usize,
}

impl What {
    /// Whether the row is of this series.
    pub fn is(&self, benchmark: &str, network: &str, wait: &str) -> bool {
        (&*self.benchmark, &*self.network, &*self.wait) == (benchmark, network, wait)
    }
}

impl Latency {
    pub const HEADER: &str = "benchmark,network,wait,size,count,rounds,oneway_ns,rtt_min_ns,\
        rtt_p50_ns,rtt_p90_ns,rtt_p99_ns,rtt_p999_ns,rtt_max_ns,round_trips_per_s,cpu_ns_per_round_trip";
}

impl Throughput {
    pub const HEADER: &str = "benchmark,network,wait,size,count,rounds,mb_per_s,mb_per_s_min,\
        mb_per_s_max,msgs_per_s,cpu_s_per_gb";

    /// Whether the median of one lies among the rounds of the other: measured again, the two may
    /// come out the other way round.
    pub fn overlaps(&self, other: &Throughput) -> bool {
        let reaches = |a: &Throughput, b: &Throughput| {
            (a.mb_per_s_min..=a.mb_per_s_max).contains(&b.mb_per_s)
        };
        reaches(self, other) || reaches(other, self)
    }
}

/// The rows of a file, or the line that is none.
pub fn parse<T: FromStr>(header: &str, text: &str) -> Result<Vec<T>, String> {
    let mut lines = text.lines().enumerate();
    if lines.next().map(|(_, line)| line) != Some(header) {
        return Err(format!("it does not begin with the line {header}"));
    }
    lines
        .map(|(n, line)| line.parse().map_err(|_| format!("line {} is not a row: {line:?}", n + 1)))
        .collect()
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let What { benchmark, network, wait, size, count, rounds } = self;
        write!(f, "{benchmark},{network},{wait},{size},{count},{rounds}")
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Latency { what, min, p50, p90, p99, p999, max, .. } = self;
        write!(f, "{what},{:.1},{min},{p50},{p90},{p99},{p999},{max}", self.oneway)?;
        write!(f, ",{:.1},{}", self.round_trips_per_s, optional(self.cpu, 1))
    }
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Throughput { what, mb_per_s, mb_per_s_min, mb_per_s_max, msgs_per_s, .. } = self;
        write!(f, "{what},{mb_per_s:.1},{mb_per_s_min:.1},{mb_per_s_max:.1},{msgs_per_s:.1}")?;
        write!(f, ",{}", optional(self.cpu_s_per_gb, 4))
    }
}

fn optional(value: Option<f64>, places: usize) -> String {
    value.map(|value| format!("{value:.places$}")).unwrap_or_default()
}

/// The fields of a line, one after the other.
struct Fields<'a>(std::str::Split<'a, char>);

impl Fields<'_> {
    fn next<T: FromStr>(&mut self) -> Result<T, ()> {
        self.0.next().and_then(|field| field.parse().ok()).ok_or(())
    }

    fn optional(&mut self) -> Result<Option<f64>, ()> {
        match self.0.next() {
            Some("") => Ok(None),
            Some(field) => field.parse().map(Some).map_err(drop),
            None => Err(()),
        }
    }

    fn what(&mut self) -> Result<What, ()> {
        Ok(What {
            benchmark: self.next()?,
            network: self.next()?,
            wait: self.next()?,
            size: self.next()?,
            count: self.next()?,
            rounds: self.next()?,
        })
    }

    fn end<T>(mut self, row: T) -> Result<T, ()> {
        if self.0.next().is_none() { Ok(row) } else { Err(()) }
    }
}

impl FromStr for Latency {
    type Err = ();

    fn from_str(line: &str) -> Result<Latency, ()> {
        let mut fields = Fields(line.split(','));
        let row = Latency {
            what: fields.what()?,
            oneway: fields.next()?,
            min: fields.next()?,
            p50: fields.next()?,
            p90: fields.next()?,
            p99: fields.next()?,
            p999: fields.next()?,
            max: fields.next()?,
            round_trips_per_s: fields.next()?,
            cpu: fields.optional()?,
        };
        fields.end(row)
    }
}

impl FromStr for Throughput {
    type Err = ();

    fn from_str(line: &str) -> Result<Throughput, ()> {
        let mut fields = Fields(line.split(','));
        let row = Throughput {
            what: fields.what()?,
            mb_per_s: fields.next()?,
            mb_per_s_min: fields.next()?,
            mb_per_s_max: fields.next()?,
            msgs_per_s: fields.next()?,
            cpu_s_per_gb: fields.optional()?,
        };
        fields.end(row)
    }
}
