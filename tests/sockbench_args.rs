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
fn help_and_version_go_to_stdout() {
    for args in
        [&["--help"][..], &["-h"], &["help"], &["latency", "--help"], &["serve", "./s", "-h"]]
    {
        let (code, stdout, stderr) = run(&mut sockbench(args));
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert!(stdout.starts_with("usage: sockbench ["), "{stdout}");
    }
    let version = format!("sockbench {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&mut sockbench(&["--version"])), (Some(0), version, String::new()));
}

/// The help names every option, and what the file of --json holds.
#[test]
fn the_help_is_complete() {
    let (_, help, _) = run(&mut sockbench(&["--help"]));
    let options = "--net --wait --cpus --spin --time --json -s --connect --rate --recv --sndbuf --rcvbuf --quick";
    let fields = "machine options series benchmark network wait cpus size blocks comparisons a b ratio lo hi \
                  ahead turns verdict";
    let quoted = fields.split_whitespace().map(|field| format!("\"{field}\""));
    for word in options.split_whitespace().map(str::to_string).chain(quoted) {
        assert!(help.contains(&word), "{word}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 110));
}

#[test]
fn a_wrong_argument_is_named_beside_the_usage() {
    let cases: &[(&[&str], &str)] = &[
        (
            &["fast"],
            "there is no command \"fast\"; there are latency, throughput, connect, article",
        ),
        (&["--", "x"], "there is no option -- here; it takes --help, --net, "),
        (&["--colour"], "there is no option --colour here; it takes --help, --net, "),
        (&["--rate", "5"], "there is no option --rate here; it takes --help, --net, "),
        (&["throughput", "--rate=5"], "there is no option --rate here; it takes --help, --net, "),
        (&["serve", "./s", "--json"], "there is no option --json here; it takes --help"),
        (&["serve"], "serve needs an address"),
        (&["serve", "nonsense"], "\"nonsense\": "),
        (&["latency", "more"], "latency does not take \"more\"; see --help"),
        (&["article", "a", "b"], "article does not take \"b\"; see --help"),
        (&["latency", "-s"], "-s needs a value"),
        (
            &["latency", "-s", "0"],
            "-s takes different sizes from 1 to 64M, with commas between, not \"0\"",
        ),
        (
            &["latency", "-s=65M"],
            "-s takes different sizes from 1 to 64M, with commas between, not \"65M\"",
        ),
        (&["latency", "-s", "64,,1K"], "-s takes different sizes"),
        (&["latency", "-s", "128,64,128"], "-s takes different sizes"),
        (&["latency", "-s", "99999999999999999999M"], "-s takes different sizes"),
        (
            &["latency", "-s", "4KB"],
            "-s takes different sizes from 1 to 64M, with commas between, not \"4KB\" (write 4K)",
        ),
        (
            &["throughput", "--recv", "1MiB"],
            "--recv takes a size from 1 to 64M, not \"1MiB\" (write 1M)",
        ),
        (&["latency", "--rate", "0"], "--rate takes a number from 1 to 1000000, not \"0\""),
        (&["--spin", "-1"], "--spin takes a number from 1 to 1000000000, not \"-1\""),
        (&["--time", "soon"], "--time takes a number from 1 to 86400, not \"soon\""),
        (
            &["--net=pigeon"],
            "--net takes one or more of unix,tcp,pipe, with commas between, not \"pigeon\"",
        ),
        (&["--net=unix,unix"], "--net takes one or more of unix,tcp,pipe"),
        (&["--wait", "sleep"], "--wait takes one or more of block,spin"),
        (&["--cpus", "two"], "--cpus takes one or more of same,apart,free"),
        (&["--cpus", "same,free"], "--cpus free is a run of its own"),
        (&["--net=pipe", "--wait=spin"], "a pipe has no connections and only blocks"),
        (&["connect", "--net=pipe"], "a pipe has no connections and only blocks"),
        (&["latency", "--net=unix", "--connect=./s"], "--connect settles the network and the CPUs"),
        (
            &["latency", "--cpus=same", "--connect=./s"],
            "--connect settles the network and the CPUs",
        ),
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
    let [inside, nowhere] = [format!("{regular}/x"), format!("{absent}/x")];
    for (args, place, expected) in [
        (vec!["latency", "--connect", &absent], format!("unix:{absent}"), "start one there first"),
        (vec!["serve", "tcp:127.0.0.1:0", &regular], format!("unix:{regular}"), "not a socket"),
        (vec!["article", &inside], inside.clone(), "Not a directory"),
        (
            vec!["latency", "--time", "1", "--cpus", "free", "--json", &nowhere],
            nowhere.clone(),
            "No such file or directory",
        ),
    ] {
        let (code, _, stderr) = run(&mut sockbench(&args));
        assert_eq!(code, Some(1), "{stderr}");
        let last = stderr.lines().last().unwrap();
        assert!(last.starts_with(&format!("sockbench: {place}: ")), "{stderr}");
        assert!(last.contains(expected) && !last.contains("Os {"), "{stderr}");
    }
}
