//! The arithmetic of the benchmarks, and how figures are written for people.

#[path = "../examples/bench/mod.rs"]
mod bench;
#[path = "../examples/cli/mod.rs"]
mod cli;

use bench::stats;

#[test]
fn quantiles_of_ten_samples() {
    let sorted = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89];
    for (q, expected) in [
        (0.0, 1),
        (0.05, 1),
        (0.1, 1),
        (0.11, 2),
        (0.5, 8),
        (0.9, 55),
        (0.91, 89),
        (0.999, 89),
        (1.0, 89),
    ] {
        assert_eq!(stats::quantile(&sorted, q), expected, "at {q}");
    }
    assert_eq!(stats::quantile(&[7], 0.5), 7);
}

#[test]
fn medians_and_ranges() {
    assert_eq!(stats::median(&[3.0]), 3.0);
    assert_eq!(stats::median(&[9.0, 1.0, 5.0]), 5.0);
    assert_eq!(stats::median(&[4.0, 1.0, 9.0, 2.0]), 3.0);
    assert_eq!(stats::range(&[3.0]), (3.0, 3.0));
    assert_eq!(stats::range(&[4.0, 1.0, 9.0, 2.0]), (1.0, 9.0));
}

#[test]
fn figures_are_written_for_people() {
    let digits = [0.0, 1.234, 9.994, 9.996, 12.34, 99.94, 99.96, 1234.4].map(stats::digits);
    assert_eq!(digits, ["0.00", "1.23", "9.99", "10.0", "12.3", "99.9", "100", "1234"]);
    assert_eq!(stats::micros(1834.0), "1.83");
    let sizes = [1, 1023, 1024, 1536, 64 << 10, 1 << 20, 3 << 19, 64 << 20].map(stats::size);
    assert_eq!(sizes, ["1", "1023", "1K", "1536", "64K", "1M", "1536K", "64M"]);
    let rates = [0.5, 63.94, 999.4, 1000.0, 4210.0, 13_000.0].map(stats::throughput);
    assert_eq!(
        rates,
        ["0.50 MB/s", "63.9 MB/s", "999 MB/s", "1.00 GB/s", "4.21 GB/s", "13.0 GB/s"]
    );
    let counts = [0.0, 999.0, 1000.0, 1234567.4].map(stats::thousands);
    assert_eq!(counts, ["0", "999", "1,000", "1,234,567"]);
}
