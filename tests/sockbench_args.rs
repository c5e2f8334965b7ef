//! What `sockbench` says of its arguments, right and wrong.

use std::fs;
use std::process::Command;

mod common;

use common::{TempDir, run};

fn sockbench(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockbench"));
    command.args(args);
    command
}

#[test]
fn help_goes_to_stdout() {
    for args in [&["--help"][..], &["-h"], &["latency", "--help"], &["serve", "./s", "-h"]] {
        let (code, stdout, stderr) = run(&mut sockbench(args));
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert!(stdout.starts_with("usage: sockbench ["), "{stdout}");
    }
}

#[test]
fn a_wrong_argument_is_named_beside_the_usage() {
    let cases: &[(&[&str], &str)] = &[
        (&["fast"], "\"fast\" means nothing here"),
        (&["--", "--csv"], "\"--\" means nothing here"),
        (&["--colour"], "\"--colour\" means nothing here"),
        (&["-n", "5"], "\"-n\" means nothing here"),
        (&["throughput", "--rate=5"], "\"--rate\" means nothing here"),
        (&["serve", "./s", "--csv"], "\"--csv\" means nothing here"),
        (&["serve"], "serve needs an address"),
        (&["serve", "nonsense"], "\"nonsense\": this is neither a path nor a host and port"),
        (&["report", "one.csv"], "report needs two CSV files and a directory"),
        (&["report", "a", "b", "c", "d"], "report needs two CSV files and a directory"),
        (&["latency", "-s"], "-s needs a value"),
        (
            &["latency", "-s", "0"],
            "-s takes different sizes from 1 to 64M, with commas between, not \"0\"",
        ),
        (
            &["latency", "-s=65M"],
            "-s takes different sizes from 1 to 64M, with commas between, not \"65M\"",
        ),
        (
            &["latency", "-s", "64,,1K"],
            "-s takes different sizes from 1 to 64M, with commas between",
        ),
        (&["latency", "-s", "99999999999999999999G"], "-s takes different sizes from 1 to 64M"),
        (&["latency", "-n", "ten"], "-n takes a number from 1 to 10000000, not \"ten\""),
        (&["latency", "-n", "1000000", "-r", "10"], "too many samples: at most"),
        (&["latency", "-r=0"], "-r takes a number from 1 to 1000, not \"0\""),
        (&["latency", "--rate", "0"], "--rate takes a number from 1 to 1000000, not \"0\""),
        (&["latency", "--spin", "-1"], "--spin takes a number from 1 to 1000000000, not \"-1\""),
        (&["--net=pigeon"], "--net takes some of unix,tcp,pipe, not \"pigeon\""),
        (&["--net=one-thread"], "--net takes some of unix,tcp,pipe, not \"one-thread\""),
        (&["--wait", "sleep"], "--wait takes some of block,spin, not \"sleep\""),
        (&["--csv"], "\"--csv\" means nothing here"),
        (&["latency", "--csv=yes"], "\"yes\" means nothing here"),
        (&["latency", "-s", "128,64,128"], "-s takes different sizes from 1 to 64M"),
        (&["--net=pipe", "--wait=spin"], "--net pipe needs --wait block: a pipe only blocks"),
        (
            &["latency", "--net=pipe", "--connect=./s"],
            "--net must be the network of the --connect address",
        ),
        (&["throughput", "--total", "much"], "--total takes a number of bytes, not \"much\""),
    ];
    for (args, expected) in cases {
        let (code, stdout, stderr) = run(&mut sockbench(args));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}: {stderr}");
        let lines: Vec<_> = stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{stderr}");
        assert!(lines[0].starts_with(&format!("sockbench: {expected}")), "{stderr}");
        assert!(lines[1].starts_with("usage: sockbench ["), "{stderr}");
    }
}

#[test]
fn what_went_wrong_is_one_sentence() {
    let dir = TempDir::new();
    fs::write(dir.join("regular"), "").unwrap();
    let [absent, regular] = ["absent", "regular"].map(|name| dir.join(name).display().to_string());
    for (args, place, expected) in [
        (vec!["latency", "--connect", &absent], format!("unix:{absent}"), "start one there first"),
        (vec!["serve", "tcp:127.0.0.1:0", &regular], format!("unix:{regular}"), "not a socket"),
        (vec!["report", &absent, &absent, &absent], absent.clone(), "No such file or directory"),
    ] {
        let (code, stdout, stderr) = run(&mut sockbench(&args));
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with(&format!("sockbench: {place}: ")), "{stderr}");
        assert!(stderr.contains(expected) && !stderr.contains("Os {"), "{stderr}");
    }
}
