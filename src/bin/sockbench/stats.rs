//! The arithmetic: medians, quantiles, and how far a comparison can be trusted.

use std::fmt;

/// The middle one of the values, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 }
}

/// The value that a share `q` of the sorted samples does not exceed, by the nearest rank: always
/// one of the samples.
pub fn quantile(sorted: &[u64], q: f64) -> u64 {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// Within 5 % is a tie.
pub fn is_tie(ratio: f64) -> bool {
    (0.95..=1.05).contains(&ratio)
}

/// A figure, with the lowest and the highest of so many rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub mid: f64,
    pub lo: f64,
    pub hi: f64,
    pub rounds: usize,
}

impl Spread {
    /// The median of the rounds, and the outermost of them.
    pub fn of(rounds: &[f64]) -> Spread {
        let lo = rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let hi = rounds.iter().copied().fold(0.0, f64::max);
        Spread { mid: median(rounds), lo, hi, rounds: rounds.len() }
    }

    pub fn times(self, factor: f64) -> Spread {
        Spread { mid: self.mid * factor, lo: self.lo * factor, hi: self.hi * factor, ..self }
    }

    /// Whether one round was at least twice another: its middle says little.
    pub fn is_twofold(&self) -> bool {
        self.hi >= 2.0 * self.lo
    }
}

/// One figure over another, with what the most and the least favourable rounds make of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    pub mid: f64,
    pub lo: f64,
    pub hi: f64,
    twofold: bool,
    single: bool,
}

impl Ratio {
    pub fn of(a: Spread, b: Spread) -> Ratio {
        Ratio {
            mid: a.mid / b.mid,
            lo: a.lo / b.hi,
            hi: a.hi / b.lo,
            twofold: a.is_twofold() || b.is_twofold(),
            single: a.rounds.min(b.rounds) == 1,
        }
    }

    /// Why a second run might come out the other way. Rounds that overlap within a tie are no reason:
    /// they are what makes it one.
    pub fn doubt(&self) -> Option<&'static str> {
        let sure_tie = is_tie(self.lo) && is_tie(self.hi);
        if self.single {
            Some("there was only one round")
        } else if self.twofold {
            Some("the rounds differ twofold")
        } else if self.lo <= 1.0 && self.hi >= 1.0 && !sure_tie {
            Some("the rounds overlap")
        } else {
            None
        }
    }
}

/// Behind a figure that is not sure.
pub const MARK: &str = " ?";

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}{}", self.mid, if self.doubt().is_some() { MARK } else { "" })
    }
}

#[cfg(test)]
#[test]
fn the_middle_and_the_nearest_rank() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
    let spread = Spread::of(&[4.0, 1.0, 9.0]);
    assert_eq!((spread.lo, spread.mid, spread.hi), (1.0, 4.0, 9.0));
    let of_three = |q| quantile(&[10, 20, 30], q);
    assert_eq!([0.0, 0.3, 0.4, 0.5, 0.7, 1.0].map(of_three), [10, 10, 20, 20, 30, 30]);
}
