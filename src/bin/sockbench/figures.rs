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
#[test]
fn figures_in_words() {
    let sizes = [1, 1023, 1 << 10, 1025, 1 << 20, (1 << 20) + 1024, 1 << 30, (1 << 30) + (1 << 20)];
    assert_eq!(sizes.map(size), ["1", "1023", "1K", "1025", "1M", "1025K", "1G", "1025M"]);
    assert_eq!([1, 2, 1 << 10].map(bytes), ["1 byte", "2 bytes", "1K"]);
    let values = [0.0, 9.994, 9.996, 99.94, 99.96, 12_345.0];
    assert_eq!(values.map(digits), ["0.00", "9.99", "10.0", "99.9", "100", "12345"]);
    assert_eq!([999.4, 999.6].map(throughput), ["999 MB/s", "1.00 GB/s"]);
    let values = [0.0, 100.0, 1000.0, 123_456.0, 1_000_000.0];
    assert_eq!(values.map(thousands), ["0", "100", "1,000", "123,456", "1,000,000"]);
}
