//! `sockbench report`: the files that it reads, and what it makes of sure rows and of noisy ones.

use std::fs;
use std::process::Command;

mod common;

use common::{TempDir, run};

const LATENCY: &str = "benchmark,network,wait,size,count,rounds,oneway_ns,rtt_min_ns,rtt_p50_ns,\
    rtt_p90_ns,rtt_p99_ns,rtt_p999_ns,rtt_max_ns,round_trips_per_s,cpu_ns_per_round_trip,\
    rtt_p50_lo_ns,rtt_p50_hi_ns";
const THROUGHPUT: &str = "benchmark,network,wait,size,count,rounds,mb_per_s,mb_per_s_min,\
    mb_per_s_max,msgs_per_s,cpu_s_per_gb";

/// A row whose rounds had medians from `lo` to `hi`, in µs one way.
fn latency(series: &str, size: usize, [lo, p50, hi]: [f64; 3]) -> String {
    let [lo, p50, hi] = [lo, p50, hi].map(|one_way| one_way * 2e3);
    // The mean is far off: nothing may be compared by it.
    let (oneway, min, max) = (p50 * 5.0, p50 / 2.0, p50 * 100.0);
    format!(
        "latency,{series},{size},10000,5,{oneway},{min},{p50},{max},{max},{max},{max},20000.0,9000,{lo},{hi}\n"
    )
}

fn throughput(series: &str, size: usize, [lo, mid, hi]: [f64; 3]) -> String {
    let messages = mid * 1e6 / size as f64;
    format!("throughput,{series},{size},1000,5,{mid},{lo},{hi},{messages},0.25\n")
}

/// All series at the sizes that the article speaks of; Unix at 1 of something, TCP at 1.5 of it, a pipe
/// at 0.7. The rounds of each lie between `lo` and `hi` times its median.
fn files(lo: f64, hi: f64) -> [String; 2] {
    let rounds = |mid: f64| [lo * mid, mid, hi * mid];
    let series = [
        ("unix,block", 1.0),
        ("tcp,block", 1.5),
        ("pipe,block", 0.7),
        ("unix,spin", 0.1),
        ("tcp,spin", 0.15),
    ];
    let mut files = [format!("{LATENCY}\n"), format!("{THROUGHPUT}\n")];
    for (name, times) in series {
        for size in [1, 128] {
            files[0] += &latency(name, size, rounds(10.0 * times));
            let one_cpu =
                latency(name, size, rounds(3.0 * times)).replace("latency,", "latency-1cpu,");
            files[0] += if name.contains("block") { &one_cpu } else { "" };
        }
        for size in [64, 64 << 10, 512 << 10, 16 << 20, 32 << 20] {
            files[1] += &throughput(name, size, rounds(3000.0 / times));
        }
    }
    files[0] += &latency("one-thread,none", 128, rounds(0.7));
    files
}

/// The exit status, what it printed, and what it wrote.
fn report(files: &[String; 2]) -> (Option<i32>, String, String, TempDir) {
    let dir = TempDir::new();
    let [latency, throughput, out] = ["l.csv", "t.csv", "out/there"].map(|name| dir.join(name));
    fs::write(&latency, &files[0]).unwrap();
    fs::write(&throughput, &files[1]).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockbench"));
    let (code, stdout, stderr) = run(command.arg("report").args([latency, throughput, out]));
    (code, stdout, stderr, dir)
}

fn text_of(files: &[String; 2]) -> String {
    let (code, stdout, stderr, _) = report(files);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    squeezed(&stdout)
}

/// Without what lines up the columns of a table.
fn squeezed(text: &str) -> String {
    let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n";
    text.lines().map(line).collect()
}

/// The sentences, and the rows of the table of claims.
fn statements(report: &str) -> Vec<&str> {
    let is_one = |line: &&str| {
        line.contains(", within 5 %") || line.contains(" times as ") || line.contains(": 1.")
    };
    let lines: Vec<_> =
        report.lines().filter(|line| !line.starts_with("Its ")).filter(is_one).collect();
    assert!(lines.len() > 10, "{report}");
    lines
}

/// The cells of a table's columns whose title has this in it.
fn cells<'a>(report: &'a str, title: &str) -> Vec<&'a str> {
    let mut cells = Vec::new();
    let mut columns = Vec::new();
    for line in report.lines() {
        let fields: Vec<_> = line.split('|').map(str::trim).collect();
        if !line.starts_with('|') {
            columns.clear();
        } else if columns.is_empty() {
            columns = fields;
        } else if !line.starts_with("| ---") && !line.starts_with("|---") {
            cells.extend(
                fields
                    .iter()
                    .zip(&columns)
                    .filter(|(_, column)| column.contains(title))
                    .map(|(cell, _)| *cell),
            );
        }
    }
    cells.retain(|cell| *cell != "-" && !cell.contains("---"));
    assert!(!cells.is_empty(), "no column {title}: {report}");
    cells
}

#[test]
fn what_is_sure_is_stated_flatly() {
    let text = text_of(&files(0.97, 1.03));
    let stated = statements(&text);
    assert!(
        stated.iter().all(|line| !line.contains("unsure") && !line.contains(" ?")),
        "{stated:#?}"
    );
    assert!(cells(&text, " / ").iter().all(|cell| !cell.contains('?')));
    for sentence in [
        "- Blocking: TCP takes 1.50 times as long as Unix (p50 30.0 and 20.0 µs).",
        "- Blocking: Unix takes 1.43 times as long as a pipe (p50 20.0 and 14.0 µs).",
        "- Unix: blocking takes 10.00 times as long as polling (p50 20.0 and 2.00 µs).",
        "- 64K, polling: Unix moves 1.50 times as much as TCP (30.0 GB/s and 20.0 GB/s).",
    ] {
        assert!(text.contains(sentence), "{text}");
    }
    for claim in [
        "| one way, 128 bytes | TCP 3.6 µs, Unix 2.3 µs: 1.57 | TCP 15.0 µs, Unix 10.0 µs | 1.50 (1.41 to 1.59) | confirmed |",
        "| throughput, 64K | TCP sometimes ahead: below 1 | TCP 2.00 GB/s, Unix 3.00 GB/s | 1.50 (1.41 to 1.59) | reversed: Unix is ahead |",
        "| messages a second, 64 bytes | Unix more than twice TCP: over 2 | TCP 31,250,000, Unix 46,875,000 | 1.50 (1.41 to 1.59) | not here: Unix is ahead, but by less |",
    ] {
        assert!(text.contains(claim), "{claim}: {text}");
    }
    assert!(text.contains("| 128 | 10.0 (9.70 to 10.3) | 15.0 ("), "{text}");
    // One thread was measured at 128 bytes alone.
    let row = text.lines().find(|line| line.starts_with("| 1 | ")).unwrap();
    assert!(row.ends_with(" | - |"), "{row}");
}

/// Medians that are half as much again, as above, with rounds that reach into each other.
#[test]
fn rounds_that_overlap_make_every_statement_unsure() {
    let text = text_of(&files(0.75, 1.4));
    for line in statements(&text) {
        // Where the medians are tenfold, the rounds are apart.
        assert!(line.contains("unsure") != line.contains(" 10.00 times"), "{line}");
    }
    let between_networks = cells(&text, " / ");
    assert!(between_networks.iter().all(|cell| cell.ends_with(" ?")), "{between_networks:?}");
    let sentence = "- Blocking, unsure: TCP takes 1.50 times as long as Unix, but the rounds overlap (p50 22.5 to 42.0; 15.0 to 28.0 µs).";
    assert!(text.contains(sentence), "{text}");
    assert!(
        text.contains("| unsure: confirmed by the medians, but the rounds overlap |"),
        "{text}"
    );
}

#[test]
fn a_single_round_makes_every_statement_unsure() {
    let single = |file: String| file.replace("000,5,", "000,1,");
    let text = text_of(&files(0.97, 1.03).map(single));
    for line in statements(&text) {
        assert!(line.contains("unsure") && line.contains("only one round"), "{line}");
    }
    let between_networks = cells(&text, " / ");
    assert!(between_networks.iter().all(|cell| cell.ends_with(" ?")), "{between_networks:?}");
}

#[test]
fn rounds_that_differ_twofold_make_everything_unsure() {
    let text = text_of(&files(0.9, 1.8));
    for line in statements(&text) {
        assert!(line.contains("unsure") && line.contains("differ twofold"), "{line}");
    }
    for column in ["Unix, block", "TCP, spin", " / ", "ratio here", "median"] {
        let cells = cells(&text, column);
        assert!(cells.iter().all(|cell| cell.contains(" ?")), "{column}: {cells:?}");
    }
}

/// Of two that are compared, either may be the one.
#[test]
fn one_of_two_that_differs_twofold_is_enough() {
    let (calm, wild) = ([3000.0; 3], [900.0, 1000.0, 1800.0]);
    for (unix, tcp) in [(calm, wild), (wild, calm)] {
        let rows =
            throughput("unix,block", 64 << 10, unix) + &throughput("tcp,block", 64 << 10, tcp);
        let text = text_of(&[files(1.0, 1.0)[0].clone(), format!("{THROUGHPUT}\n{rows}")]);
        let sentence = "3.00 times as much as";
        let line = text.lines().find(|line| line.contains(sentence)).unwrap();
        assert!(line.contains("the rounds differ twofold"), "{line}");
    }
}

/// Unix `ratio` times as good as TCP, in everything.
#[test]
fn every_verdict() {
    let (ahead, behind, tie) = ("confirmed", "reversed: TCP is ahead", "not here: a tie");
    let less = "not here: Unix is ahead, but by less";
    for (ratio, unix_ahead, is_tie, tcp_ahead, twice) in [
        (0.5, behind, "not here: TCP is ahead", "confirmed", behind),
        (0.96, tie, "confirmed", tie, tie),
        (1.04, tie, "confirmed", tie, tie),
        (1.1, ahead, "not here: Unix is ahead", "reversed: Unix is ahead", less),
        (2.0, ahead, "not here: Unix is ahead", "reversed: Unix is ahead", ahead),
    ] {
        let mut files = [format!("{LATENCY}\n"), format!("{THROUGHPUT}\n")];
        for (series, ahead) in [("unix,block", ratio), ("tcp,block", 1.0)] {
            let row = latency(series, 128, [100.0 / ahead; 3]);
            files[0] += &(row.replace("latency,", "latency-1cpu,") + &row);
            for size in [64, 64 << 10, 512 << 10, 16 << 20, 32 << 20] {
                files[1] += &throughput(series, size, [1000.0 * ahead; 3]);
            }
        }
        let text = text_of(&files);
        let verdicts = [unix_ahead, unix_ahead, unix_ahead, is_tie, is_tie, tcp_ahead, twice];
        assert_eq!(cells(&text, "verdict"), verdicts, "{ratio}: {text}");
    }
}

/// What a busy machine once printed as "TCP takes 8.85 times as long as Unix", and at one byte as TCP
/// ahead: means of 93.8 and 10.6 µs where the medians were 14.7 and 10.6.
#[test]
fn means_are_not_compared() {
    let unix = latency("unix,block", 128, [9.0, 10.6, 13.0]).replace(",106000,", ",10600,");
    let tcp = latency("tcp,block", 128, [12.0, 14.7, 16.0]).replace(",147000,", ",93800,");
    assert!(unix.contains(",10600,") && tcp.contains(",93800,"));
    let one_byte =
        latency("unix,block", 1, [9.0, 11.0, 13.0]) + &latency("tcp,block", 1, [9.5, 10.0, 16.0]);
    let files = [
        format!("{LATENCY}\n{one_byte}{unix}{tcp}"),
        format!("{THROUGHPUT}\n{}", throughput("unix,block", 64, [1.0, 1.0, 1.0])),
    ];
    let text = text_of(&files);
    assert!(!text.contains("8.85"), "{text}");
    // Nor is there a section on what was not measured.
    assert!(!text.contains("`taskset`") && !text.contains("The article's sizes"), "{text}");
    assert!(
        text.contains(
            "TCP 14.7 µs, Unix 10.6 µs | 1.39 ? (0.92 to 1.78) | unsure: confirmed by the medians, but"
        ),
        "{text}"
    );
    assert!(text.contains("| 1 | 11.0 (9.00 to 13.0) | 10.0 (9.50 to 16.0) | 0.91 ? |"), "{text}");
}

/// A claim of "more than twice" is sure only if every round is: apart the rounds are all the same.
#[test]
fn a_verdict_says_when_its_rounds_do_not_agree() {
    let rows =
        throughput("unix,block", 64, [19.0, 21.0, 22.0]) + &throughput("tcp,block", 64, [10.0; 3]);
    let text = text_of(&[files(1.0, 1.0)[0].clone(), format!("{THROUGHPUT}\n{rows}")]);
    assert!(
        text.contains(
            "| 2.10 (1.90 to 2.20) | unsure: confirmed by the medians, but the rounds do not agree |"
        ),
        "{text}"
    );
}

#[test]
fn a_tie_is_sure_if_every_round_lies_within_it() {
    for (rounds, expected) in [
        ([1980.0, 2000.0, 2020.0], "| 0.99 (0.97 to 1.01) | confirmed |"),
        (
            [1800.0, 2000.0, 2040.0],
            "| 0.99 ? (0.88 to 1.02) | unsure: confirmed by the medians, but the rounds overlap |",
        ),
        (
            [1960.0, 2000.0, 2200.0],
            "| 0.99 ? (0.96 to 1.10) | unsure: confirmed by the medians, but the rounds overlap |",
        ),
        (
            [1800.0, 2000.0, 2200.0],
            "| 0.99 ? (0.88 to 1.10) | unsure: confirmed by the medians, but the rounds overlap |",
        ),
    ] {
        let rows = throughput("unix,block", 16 << 20, rounds)
            + &throughput("tcp,block", 16 << 20, [2000.0, 2020.0, 2040.0]);
        let text = text_of(&[files(1.0, 1.0)[0].clone(), format!("{THROUGHPUT}\n{rows}")]);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_report_and_two_pictures() {
    let mut files = files(0.9, 1.1);
    files[0].insert_str(0, "# a machine\n# spin: polls for 7 µs before\n");
    files[1].insert_str(0, "# a machine\n# throughput: little of it\n");
    let (code, stdout, stderr, dir) = report(&files);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let out = dir.join("out/there");
    assert_eq!(fs::read_to_string(out.join("report.md")).unwrap(), stdout);
    // What depends on the run comes from it.
    let notes = "\n- a machine\n- spin: polls for 7 µs before\n- throughput: little of it\n\n";
    assert!(stdout.contains(notes) && !stdout.contains("for 50 µs"), "{stdout}");
    assert!(stdout.contains("[the article](https://"), "{stdout}");
    for (name, way) in [("latency.svg", "lower is better"), ("throughput.svg", "higher is better")]
    {
        let svg = fs::read_to_string(out.join(name)).unwrap();
        assert!(stdout.contains(&format!("]({name})")), "{stdout}");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        for wanted in [
            way,
            "log scale",
            "prefers-color-scheme:dark",
            ">Unix, block<",
            ">pipe, block<",
            ">TCP, spin<",
            ">spin<",
        ] {
            assert!(svg.contains(wanted), "{name} has no {wanted}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}

/// A line goes through the medians, a bar from the lowest round to the highest; labels that would
/// lie on each other move apart, and stay in the picture.
#[test]
fn the_pictures_are_drawn_to_scale() {
    let one_cpu = |row: String| row.replace("latency,", "latency-1cpu,");
    let mut files = [format!("{LATENCY}\n"), format!("{THROUGHPUT}\n")];
    files[0] += &latency("unix,block", 4 << 10, [40.0, 50.0, 100.0]);
    files[0] += &latency("unix,block", 16, [5.0, 10.0, 20.0]);
    files[0] += &latency("tcp,block", 4 << 10, [40.0, 50.0, 60.0]);
    files[0] += &one_cpu(latency("tcp,block", 16, [1.1; 3]));
    files[0] += &latency("unix,spin", 4 << 10, [50.0; 3]);
    files[0] += &latency("one-thread,none", 16, [1.0; 3]);
    files[0] += &one_cpu(latency("one-thread,none", 16, [1.0; 3]));
    files[1] += &throughput("unix,block", 64 << 10, [500.0, 1000.0, 2000.0]);
    files[1] += &throughput("unix,spin", 1 << 20, [500.0, 1000.0, 5000.0]);
    let (_, _, _, dir) = report(&files);
    let [latency, throughput] = ["latency", "throughput"]
        .map(|name| fs::read_to_string(dir.join(&format!("out/there/{name}.svg"))).unwrap());
    let text = |class, x, y, anchor, text| {
        format!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"currentColor\">{text}<"
        )
    };
    let line = |class, d, dashes| {
        format!(
            "<path class=\"{class}\" d=\"{d}\" fill=\"none\" stroke=\"currentColor\" \
             stroke-width=\"2.5\" stroke-linejoin=\"round\" stroke-dasharray=\"{dashes}\"/>"
        )
    };
    let bars = |class, d| format!("<path class=\"{class}\" d=\"{d}\" ");
    for wanted in [
        text("", "100.0", "452.0", "middle", "16"),
        text("", "554.5", "452.0", "middle", "1K"),
        text("", "706.0", "452.0", "middle", "4K"),
        text("", "92.0", "435.0", "end", "1 µs"),
        text("", "92.0", "207.3", "end", "20 µs"),
        text("", "92.0", "85.0", "end", "100 µs"),
        text("", "706.0", "32.0", "end", "spin"),
        text("", "596.0", "32.0", "end", "block, on one CPU"),
        bars("unix", "M100.0 307.7V202.3M706.0 149.6V80.0"),
        line("unix", "M100.0 255.0L706.0 132.7", "none"),
        line("tcp", "M706.0 132.7", "none"),
        line("unix", "M706.0 132.7", "10 5"),
        line("tcp", "M100.0 422.8", "2 4"),
        line("one-thread", "M100.0 430.0", "1 3"),
        text("unix", "716.0", "137.7", "start", "Unix, block"),
        text("tcp", "716.0", "156.7", "start", "TCP, block"),
        text("unix", "716.0", "175.7", "start", "Unix, spin"),
        text("tcp", "716.0", "416.0", "start", "TCP, one CPU"),
        text("one-thread", "716.0", "435.0", "start", "one thread"),
    ] {
        assert!(latency.contains(&wanted), "{wanted}: {latency}");
    }
    for wanted in [
        text("", "100.0", "452.0", "middle", "64K"),
        text("", "706.0", "452.0", "middle", "1M"),
        text("", "92.0", "435.0", "end", "500 MB/s"),
        text("", "92.0", "329.6", "end", "1 GB/s"),
        text("", "92.0", "85.0", "end", "5 GB/s"),
        bars("unix", "M100.0 430.0V219.3"),
        line("unix", "M100.0 324.6", "none"),
        line("unix", "M706.0 324.6", "10 5"),
    ] {
        assert!(throughput.contains(&wanted), "{wanted}: {throughput}");
    }
}

/// Whatever is in a file, there is a report or one line that names the file and the line of it.
#[test]
fn a_crafted_or_truncated_file_is_an_error_that_names_the_line() {
    let good = files(0.9, 1.1);
    let mut cases = Vec::new();
    for (n, good) in good.iter().enumerate() {
        let lines: Vec<_> = good.lines().collect();
        for at in [0, 2, lines.len() - 1] {
            let with = |line: &str| {
                let mut lines = lines.clone();
                lines[at] = line;
                (n, at + 1, lines.join("\n") + "\n")
            };
            cases.extend(["", "x", "\u{0}", "GET / HTTP/1.1", "é,\u{1b}[31m"].map(with));
            if at == 0 {
                continue;
            }
            let fields: Vec<_> = lines[at].split(',').collect();
            for field in 0..fields.len() {
                for value in [
                    "-1",
                    "NaN",
                    "inf",
                    "1e999",
                    "18446744073709551615",
                    "99999999999999999999999",
                    "x",
                    "0",
                ] {
                    if value == "0" && field == [14, 10][n] {
                        continue; // no CPU time is possible
                    }
                    let mut fields = fields.clone();
                    fields[field] = value;
                    cases.push(with(&fields.join(",")));
                }
                cases.push(with(&fields[..field].join(",")));
            }
            cases.push(with(&format!("{},1", lines[at])));
            // The lowest above what lies over it; and the same of a round's medians.
            for &(low, high) in [&[(7, 8), (15, 16)][..], &[(7, 8)]][n] {
                let mut fields = fields.clone();
                fields.swap(low, high);
                cases.push(with(&fields.join(",")));
            }
            cases.push(with(lines[1 + at % 2])); // measured twice
            let start: usize = lines[..at].iter().map(|line| line.len() + 1).sum();
            cases.extend(
                (1..lines[at].len()).map(|cut| (n, at + 1, good[..start + cut].to_string())),
            );
        }
    }
    assert!(cases.len() > 500);
    for (n, line, text) in cases {
        let mut files = good.clone();
        files[n] = text;
        let (code, stdout, stderr, dir) = report(&files);
        let name = dir.join(["l.csv", "t.csv"][n]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}\n{}", files[n]);
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        let start = format!("sockbench: {}: line {line} ", name.display());
        assert!(stderr.starts_with(&start), "{start}: {stderr}\n{}", files[n]);
        assert!(!dir.join("out").exists(), "it wrote half a report");
    }
}

#[test]
fn files_with_nothing_in_them() {
    for text in [String::new(), format!("{LATENCY}\n"), "# only notes\n".to_string()] {
        let (code, _, stderr, dir) = report(&[text, files(0.9, 1.1)[1].clone()]);
        assert_eq!(code, Some(1));
        let expected =
            format!("sockbench: {}: there is no row in it\n", dir.join("l.csv").display());
        assert_eq!(stderr, expected);
    }
    // Bytes that are no text.
    let dir = TempDir::new();
    fs::write(dir.join("l"), [LATENCY.as_bytes(), b"\n\xff\xfe\n"].concat()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockbench"));
    let (code, _, stderr) =
        run(command.arg("report").args([dir.join("l"), dir.join("t"), dir.join("o")]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains(": line 2 is not a row: "), "{stderr}");
}

/// The largest and smallest figures that a row may hold.
#[test]
fn the_ends_of_the_range_make_a_report() {
    let mut files = [format!("{LATENCY}\n"), format!("{THROUGHPUT}\n")];
    for (size, value) in [(1, "0.001"), (1 << 26, "1e15")] {
        let nine = [value; 8].join(",");
        for series in ["unix,block", "tcp,block"] {
            files[0] +=
                &format!("latency,{series},{size},10000000,1000,{nine},1e15,{value},{value}\n");
            files[1] +=
                &format!("throughput,{series},{size},10000000,1000,{value},{value},{value},1,\n");
        }
    }
    let (code, stdout, stderr, dir) = report(&files);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for text in [stdout, fs::read_to_string(dir.join("out/there/latency.svg")).unwrap()] {
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}
