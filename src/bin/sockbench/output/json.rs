//! `--json`: all that was measured, in one object, for a program to read.

use crate::args::Options;
use crate::measure::blocks::{Comparison, Measured, Run, Series};

pub fn object(options: &Options, run: &Run) -> String {
    let series: Vec<String> = run.series().iter().map(series).collect();
    let comparisons: Vec<String> = run.comparisons.iter().map(comparison).collect();
    format!(
        "{{\n\"machine\": {},\n\"options\": {},\n\"series\": [\n{}\n],\n\"comparisons\": [\n{}\n]\n}}\n",
        machine(run),
        self::options(options, run),
        series.join(",\n"),
        comparisons.join(",\n")
    )
}

fn machine(run: &Run) -> String {
    fields(&[
        ("name", string(&run.machine)),
        ("load", number(run.load)),
        ("steal", number(run.steal)),
        ("placement", string(&run.placement.note)),
    ])
}

fn options(options: &Options, run: &Run) -> String {
    let connect = options.connect.as_ref().map(|addr| string(&addr.to_string()));
    fields(&[
        ("time_s", number(Some(options.time.as_secs_f64()))),
        ("took_s", number(Some(run.took.as_secs_f64()))),
        ("spin_us", options.spin.as_micros().to_string()),
        ("rate", number(options.rate.map(|rate| rate as f64))),
        ("recv", options.recv.to_string()),
        ("sndbuf", options.buffers.send.to_string()),
        ("rcvbuf", options.buffers.recv.to_string()),
        ("connect", connect.unwrap_or("null".into())),
    ])
}

fn series(one: &Measured) -> String {
    let blocks: Vec<String> = one.blocks.iter().map(|block| number(Some(*block))).collect();
    fields(&[
        ("benchmark", string(one.series.benchmark.name())),
        ("network", string(one.series.network.name())),
        ("wait", string(one.series.wait.name())),
        ("cpus", string(one.series.cpus.name())),
        ("size", one.series.size.to_string()),
        ("block_ms", one.series.length.as_millis().to_string()),
        ("blocks", format!("[{}]", blocks.join(", "))),
    ])
}

/// `a` and `b` are networks; where ways to wait are compared, both.
fn comparison(one: &Comparison) -> String {
    let (a, b) = (one.a.series, one.b.series);
    let (wait, name): (_, fn(Series) -> String) = match a.wait == b.wait {
        true => (string(a.wait.name()), |side| string(side.network.name())),
        false => ("null".to_string(), |side| {
            string(&format!("{} {}", side.network.name(), side.wait.name()))
        }),
    };
    fields(&[
        ("benchmark", string(a.benchmark.name())),
        ("size", a.size.to_string()),
        ("cpus", string(a.cpus.name())),
        ("wait", wait),
        ("block_ms", a.length.as_millis().to_string()),
        ("a", name(a)),
        ("b", name(b)),
        ("ratio", number(one.ratio.mid())),
        ("lo", number(one.ratio.interval.map(|(lo, _)| lo))),
        ("hi", number(one.ratio.interval.map(|(_, hi)| hi))),
        ("ahead", one.ratio.ahead().to_string()),
        ("turns", one.ratio.turns().to_string()),
        ("verdict", string(one.ratio.verdict().name())),
        ("others_cpu", number(one.others())),
    ])
}

fn fields(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{}}}", fields.join(", "))
}

fn number(value: Option<f64>) -> String {
    let value = value.filter(|value| value.is_finite());
    value.map_or("null".to_string(), |value| format!("{value}"))
}

fn string(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c < ' ' => format!("\\u{:04x}", c as u32),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
#[test]
fn strings_and_numbers() {
    assert_eq!(string("a \"b\"\\\n"), r#""a \"b\"\\\u000a""#);
    assert_eq!(number(Some(1.5)), "1.5");
    assert_eq!([number(None), number(Some(f64::INFINITY))], ["null", "null"]);
}
