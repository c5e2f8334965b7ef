//! The arithmetic: medians, intervals, verdicts, and when to look.

/// Less than 5 % apart counts as equal.
pub const TIE: f64 = 1.05;

/// After how many turns a comparison is looked at, and the share of errors that each look may add.
/// Together they are 5 %. Every look is one more chance to be wrong, so there are only three.
const LOOKS: [(usize, f64); 3] = [(20, 0.015), (40, 0.015), (80, 0.02)];

/// The turns after which nobody looks any more.
pub const MOST_TURNS: usize = LOOKS[LOOKS.len() - 1].0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ahead,
    Behind,
    /// Within 5 %.
    Equal,
    /// The interval allows more than one of these.
    Open,
}

impl Verdict {
    pub fn of(interval: Option<(f64, f64)>) -> Verdict {
        match interval {
            Some((lo, _)) if lo > TIE => Verdict::Ahead,
            Some((_, hi)) if hi < 1.0 / TIE => Verdict::Behind,
            Some((lo, hi)) if lo >= 1.0 / TIE && hi <= TIE => Verdict::Equal,
            _ => Verdict::Open,
        }
    }

    pub fn name(self) -> &'static str {
        ["ahead", "behind", "equal", "open"][self as usize]
    }
}

/// How many times as fast one is as the other: a ratio for each turn, and what they say together.
#[derive(Clone, Debug, Default)]
pub struct Ratio {
    turns: Vec<f64>,
    looks: usize,
    /// Where the median of the ratio lies, since the last look; `None` while there are too few turns.
    pub interval: Option<(f64, f64)>,
}

impl Ratio {
    pub fn add(&mut self, ratio: f64) {
        self.turns.push(ratio);
    }

    /// Looks if it is time to, or if there will be no more turns.
    pub fn look(&mut self, is_last: bool) {
        if let Some(&(turns, error)) = LOOKS.get(self.looks)
            && (is_last || self.turns.len() == turns)
        {
            self.looks += 1;
            self.interval = sign_interval(&self.turns, error);
        }
    }

    pub fn turns(&self) -> usize {
        self.turns.len()
    }

    /// In how many turns the first of the two was faster.
    pub fn ahead(&self) -> usize {
        self.turns.iter().filter(|ratio| **ratio > 1.0).count()
    }

    /// The median; `None` before the first turn.
    pub fn mid(&self) -> Option<f64> {
        (!self.turns.is_empty()).then(|| median(&self.turns))
    }

    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.interval)
    }

    /// Whether more turns may tell.
    pub fn wants_more(&self) -> bool {
        self.verdict() == Verdict::Open && self.looks < LOOKS.len()
    }
}

/// The middle one of the values, or the mean of the two in the middle; not a number if there are none.
pub fn median<T: Copy + Into<f64>>(values: &[T]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let mut sorted: Vec<f64> = values.iter().map(|value| (*value).into()).collect();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 }
}

/// Where the median lies of what the values are a sample of, with a chance of at most `error` that it
/// lies outside. Each value falls on either side of that median like a coin, whatever its distribution
/// is; so the k-th smallest and the k-th largest enclose it unless fewer than k coins show one side.
pub fn sign_interval(values: &[f64], error: f64) -> Option<(f64, f64)> {
    let n = values.len();
    let (mut tail, mut k) = (0.0, 0);
    // In logarithms: 2 to the power of -n is too small for a float when n is large.
    let mut ln_chance = -(n as f64) * 2_f64.ln();
    while k < n / 2 {
        tail += ln_chance.exp();
        if 2.0 * tail > error {
            break;
        }
        ln_chance += ((n - k) as f64 / (k + 1) as f64).ln();
        k += 1;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    (k > 0).then(|| (sorted[k - 1], sorted[n - k]))
}

/// The value that a share `q` of the sorted samples does not exceed, by the nearest rank. `None` unless
/// 10 samples lie beyond it: fewer say little about it.
pub fn quantile(sorted: &[f32], q: f64) -> Option<f32> {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    (rank > 0 && sorted.len() >= rank + 10).then(|| sorted[rank - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random numbers that are the same in every run: xorshift.
    struct Random(u64);

    impl Random {
        fn below(&mut self, n: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            ((self.0 >> 32) as usize) % n
        }
    }

    /// The ranks that enclose a median, from printed tables of the binomial distribution (p = 1/2).
    #[test]
    fn intervals_are_those_of_the_tables() {
        let ranks = |n: usize, error| {
            let values: Vec<f64> = (1..=n).rev().map(|value| value as f64).collect();
            sign_interval(&values, error)
        };
        // P(X <= 0) of 7 is 0.0078, of 8 it is 0.0039.
        assert_eq!(ranks(7, 0.015), None);
        assert_eq!(ranks(8, 0.015), Some((1.0, 8.0)));
        // P(X <= 4) of 20 is 0.0059, P(X <= 5) is 0.0207.
        assert_eq!(ranks(20, 0.015), Some((5.0, 16.0)));
        assert_eq!(ranks(20, 0.05), Some((6.0, 15.0)));
        // P(X <= 11) of 40 is 0.0032, P(X <= 12) is 0.0083.
        assert_eq!(ranks(40, 0.015), Some((12.0, 29.0)));
        // P(X <= 28) of 80 is 0.0048, P(X <= 29) is 0.0092, P(X <= 30) is 0.0165.
        assert_eq!(ranks(80, 0.02), Some((30.0, 51.0)));
        // The normal distribution: 5000 ± 2.576 / 2 * 100.
        let (lo, hi) = ranks(10_000, 0.01).unwrap();
        assert!((lo - 4871.0).abs() < 2.0 && (hi - 5130.0).abs() < 2.0, "{lo} {hi}");
        assert_eq!((ranks(0, 0.05), ranks(1, 0.05)), (None, None));
    }

    #[test]
    fn verdicts_go_by_the_interval() {
        let of = |lo, hi| Verdict::of(Some((lo, hi)));
        assert_eq!(of(1.06, 9.0), Verdict::Ahead);
        assert_eq!(of(1.04, 1.06), Verdict::Open);
        assert_eq!(of(0.96, 1.05), Verdict::Equal);
        assert_eq!(of(1.02, 1.04), Verdict::Equal);
        assert_eq!(of(0.94, 1.04), Verdict::Open);
        assert_eq!(of(0.1, 0.95), Verdict::Behind);
        assert_eq!(of(0.1, 0.96), Verdict::Open);
        assert_eq!(Verdict::of(None), Verdict::Open);
    }

    #[test]
    fn looks_come_after_20_40_and_80_turns_or_at_the_end() {
        let mut ratio = Ratio::default();
        let mut seen = Vec::new();
        for turn in 1..=100 {
            ratio.add(if turn % 2 == 0 { 0.5 } else { 2.0 });
            let before = ratio.looks;
            ratio.look(false);
            if ratio.looks > before {
                seen.push(turn);
            }
        }
        assert_eq!(seen, [20, 40, 80]);
        assert_eq!(ratio.interval, Some((0.5, 2.0)));
        assert!(!ratio.wants_more(), "nobody looks again");

        let mut ratio = Ratio::default();
        (0..9).for_each(|_| ratio.add(1.5));
        ratio.look(false);
        assert!(ratio.interval.is_none() && ratio.wants_more());
        ratio.look(true);
        assert_eq!((ratio.verdict(), ratio.turns(), ratio.ahead()), (Verdict::Ahead, 9, 9));
    }

    /// Turns as a busy machine makes them: mostly near the truth, a tenth of them far from it.
    fn simulate(random: &mut Random, truth: f64, spread: f64) -> Ratio {
        let mut ratio = Ratio::default();
        while ratio.turns() < MOST_TURNS && ratio.wants_more() {
            let uniform = |random: &mut Random| random.below(1 << 20) as f64 / (1 << 20) as f64;
            let sum: f64 = (0..12).map(|_| uniform(random)).sum();
            let wild = if random.below(10) == 0 { 10.0 } else { 1.0 };
            ratio.add(truth * ((sum - 6.0) * spread * wild).exp());
            ratio.look(false);
        }
        ratio
    }

    #[test]
    fn a_null_is_seldom_called_a_difference_and_a_difference_is_found() {
        let mut random = Random(20_261_125);
        let runs = 2000;
        let (mut wrong, mut misses, mut found) = (0, 0, 0);
        for _ in 0..runs {
            let null = simulate(&mut random, 1.0, 0.2);
            wrong += usize::from(matches!(null.verdict(), Verdict::Ahead | Verdict::Behind));
            misses += usize::from(null.interval.is_some_and(|(lo, hi)| lo > 1.0 || hi < 1.0));
            let half = simulate(&mut random, 1.5, 0.2);
            assert_ne!(half.verdict(), Verdict::Behind);
            found += usize::from(half.verdict() == Verdict::Ahead);
        }
        assert!(wrong * 100 <= runs * 3, "{wrong} of {runs} nulls are called a difference");
        assert!(misses * 100 <= runs * 5, "{misses} of {runs} intervals do not hold 1");
        assert!(found * 100 >= runs * 99, "{found} of {runs} differences of 1.5 are found");
    }

    #[test]
    fn quantiles_need_ten_samples_beyond_them() {
        let sorted: Vec<f32> = (1..=1000).map(|ns| ns as f32).collect();
        let of = |q| quantile(&sorted, q);
        assert_eq!([of(0.5), of(0.99), of(0.9901)], [Some(500.0), Some(990.0), None]);
        assert_eq!(quantile(&sorted[..20], 0.5), Some(10.0));
        assert_eq!(quantile(&sorted[..19], 0.5), None);
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0_f32, 1.0, 3.0, 2.0]), 2.5);
        assert!(median::<f64>(&[]).is_nan());
    }
}
