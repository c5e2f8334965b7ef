//! The arithmetic, and how figures are written for people.

/// The middle one of the values, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 }
}

/// The least and the greatest of the values.
pub fn range(values: &[f64]) -> (f64, f64) {
    let fold = |f: fn(f64, f64) -> f64| values.iter().copied().fold(f64::NAN, f);
    (fold(f64::min), fold(f64::max))
}

/// The value that a share `q` of the sorted samples does not exceed, by the nearest rank: always
/// one of the samples.
pub fn quantile(sorted: &[u64], q: f64) -> u64 {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

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
        n if n >= 1 << 20 && n % (1 << 20) == 0 => format!("{}M", n >> 20),
        n if n >= 1 << 10 && n % (1 << 10) == 0 => format!("{}K", n >> 10),
        n => n.to_string(),
    }
}

/// `950 MB/s`, `4.21 GB/s`: powers of 1000.
pub fn throughput(mb_per_s: f64) -> String {
    if mb_per_s < 1000.0 {
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

/// Within 5 % is a tie.
pub fn is_tie(ratio: f64) -> bool {
    (0.95..=1.05).contains(&ratio)
}
