//! How figures are written for people.

/// Microseconds of nanoseconds, with three digits that mean something.
pub fn micros(ns: f64) -> String {
    digits(ns / 1e3)
}

/// A number with three digits that mean something, and all of those before the point.
pub fn digits(value: f64) -> String {
    match value.abs() {
        v if v < 9.995 => format!("{value:.2}"),
        v if v < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// `128`, `64K`, `16M`: what an option takes.
pub fn size(bytes: usize) -> String {
    match bytes {
        n if n >= 1 << 30 && n % (1 << 30) == 0 => format!("{}G", n >> 30),
        n if n >= 1 << 20 && n % (1 << 20) == 0 => format!("{}M", n >> 20),
        n if n >= 1 << 10 && n % (1 << 10) == 0 => format!("{}K", n >> 10),
        n => n.to_string(),
    }
}

/// `1 byte`, `128 bytes`, `64K`.
pub fn bytes(bytes: usize) -> String {
    match size(bytes) {
        size if size.ends_with(|last: char| last.is_ascii_alphabetic()) => size,
        size if bytes == 1 => format!("{size} byte"),
        size => format!("{size} bytes"),
    }
}

/// `950 MB/s`, `4.21 GB/s`: powers of 1000.
pub fn throughput(mb_per_s: f64) -> String {
    if mb_per_s < 999.5 {
        format!("{} MB/s", digits(mb_per_s))
    } else {
        format!("{} GB/s", digits(mb_per_s / 1e3))
    }
}

/// `19,550`.
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        let shown = [0.0, 1.234, 9.994, 9.996, 12.34, 99.94, 99.96, 1234.4].map(digits);
        assert_eq!(shown, ["0.00", "1.23", "9.99", "10.0", "12.3", "99.9", "100", "1234"]);
        assert_eq!(micros(1834.0), "1.83");
        let sizes = [1, 1023, 1024, 1536, 64 << 10, 3 << 19, 64 << 20, 1 << 30].map(size);
        assert_eq!(sizes, ["1", "1023", "1K", "1536", "64K", "1536K", "64M", "1G"]);
        assert_eq!([1, 128, 65_536].map(bytes), ["1 byte", "128 bytes", "64K"]);
        let rates = [0.5, 63.94, 999.4, 999.6, 4210.0, 13_000.0].map(throughput);
        let expected =
            ["0.50 MB/s", "63.9 MB/s", "999 MB/s", "1.00 GB/s", "4.21 GB/s", "13.0 GB/s"];
        assert_eq!(rates, expected);
        let counts = [0.0, 999.0, 1000.0, 1234567.4].map(thousands);
        assert_eq!(counts, ["0", "999", "1,000", "1,234,567"]);
    }
}
