//! `--json`: all that was measured, in one object, for a program to read.

use std::fmt::Write;

use crate::args::Options;
use crate::measure::blocks::{Comparison, Measured, Run};
use crate::measure::transport::Wait;

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
    let machine = &run.machine;
    fields(&[
        ("processor", string(&machine.processor)),
        ("cpus", machine.cpus.to_string()),
        ("system", string(&machine.system)),
        ("virtual", machine.is_virtual.to_string()),
        ("load", optional(machine.load)),
        ("steal", optional(run.steal)),
        ("placement", string(&run.placement.note)),
    ])
}

fn options(options: &Options, run: &Run) -> String {
    let some = |number: usize| optional((number > 0).then_some(number as f64));
    fields(&[
        ("time_s", number(options.time.as_secs_f64())),
        ("took_s", number(run.took.as_secs_f64())),
        ("spin_us", options.spin.as_micros().to_string()),
        ("rate", optional(options.rate.map(|rate| rate as f64))),
        ("recv", options.recv.to_string()),
        ("sndbuf", some(options.buffers.send)),
        ("rcvbuf", some(options.buffers.recv)),
        (
            "connect",
            options.connect.as_ref().map_or("null".into(), |addr| string(&addr.to_string())),
        ),
    ])
}

fn series(one: &Measured) -> String {
    let blocks: Vec<String> = one.blocks.iter().map(|block| number(*block)).collect();
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

/// `a` and `b` are networks; or ways to wait, where those are compared.
fn comparison(one: &Comparison) -> String {
    let (a, b) = (one.a.series, one.b.series);
    let name = |wait: Wait, network: &str| match a.wait == b.wait {
        true => string(network),
        false => string(&format!("{network} {}", wait.name())),
    };
    fields(&[
        ("benchmark", string(a.benchmark.name())),
        ("size", a.size.to_string()),
        ("cpus", string(a.cpus.name())),
        ("wait", if a.wait == b.wait { string(a.wait.name()) } else { "null".into() }),
        ("block_ms", a.length.as_millis().to_string()),
        ("a", name(a.wait, a.network.name())),
        ("b", name(b.wait, b.network.name())),
        ("ratio", optional(one.ratio.mid())),
        ("lo", optional(one.ratio.interval.map(|(lo, _)| lo))),
        ("hi", optional(one.ratio.interval.map(|(_, hi)| hi))),
        ("ahead", one.ratio.ahead().to_string()),
        ("turns", one.ratio.turns().to_string()),
        ("verdict", string(one.verdict().name())),
        ("ends", optional(one.usage().map(|(ends, _)| ends))),
        ("others", optional(one.usage().map(|(_, others)| others))),
        ("busy", one.was_busy().to_string()),
    ])
}

fn fields(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{}}}", fields.join(", "))
}

/// Six digits are more than any figure is sure of.
fn number(value: f64) -> String {
    match value.is_finite() {
        true if value.abs() < 1000.0 => format!("{value:.6}"),
        true => format!("{value:.1}"),
        false => "null".to_string(),
    }
}

fn optional(value: Option<f64>) -> String {
    value.map_or("null".to_string(), number)
}

fn string(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
#[test]
fn strings_and_numbers() {
    assert_eq!(string("a \"b\"\\\n"), r#""a \"b\"\\\u000a""#);
    assert_eq!(number(1.5), "1.500000");
    assert_eq!(number(7_123_456_789.0), "7123456789.0");
    assert_eq!([optional(None), number(f64::INFINITY)], ["null", "null"]);
}
