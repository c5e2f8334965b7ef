//! The arithmetic: medians, quantiles, and how far a comparison can be trusted.

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

/// A figure, with its lowest and its highest round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub mid: f64,
    pub lo: f64,
    pub hi: f64,
}

impl Spread {
    /// The median of the rounds, and the outermost of them.
    pub fn of(rounds: &[f64]) -> Spread {
        let lo = rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let hi = rounds.iter().copied().fold(0.0, f64::max);
        Spread { mid: median(rounds), lo, hi }
    }

    pub fn times(self, factor: f64) -> Spread {
        Spread { mid: self.mid * factor, lo: self.lo * factor, hi: self.hi * factor }
    }

    pub fn is_ordered(&self) -> bool {
        self.lo <= self.mid && self.mid <= self.hi
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
}

impl Ratio {
    pub fn of(a: Spread, b: Spread) -> Ratio {
        Ratio {
            mid: a.mid / b.mid,
            lo: a.lo / b.hi,
            hi: a.hi / b.lo,
            twofold: a.is_twofold() || b.is_twofold(),
        }
    }

    /// Several ratios as one, with the doubts of all.
    pub fn pool(ratios: &[Ratio]) -> Option<Ratio> {
        (!ratios.is_empty()).then(|| Ratio {
            mid: median(&ratios.iter().map(|ratio| ratio.mid).collect::<Vec<_>>()),
            lo: ratios.iter().map(|ratio| ratio.lo).fold(f64::INFINITY, f64::min),
            hi: ratios.iter().map(|ratio| ratio.hi).fold(0.0, f64::max),
            twofold: ratios.iter().any(|ratio| ratio.twofold),
        })
    }

    /// Why a second run might come out the other way. Rounds that overlap within a tie are no reason:
    /// they are what makes it one.
    pub fn doubt(&self) -> Option<&'static str> {
        let sure_tie = is_tie(self.lo) && is_tie(self.hi);
        if self.twofold {
            Some("rounds differ twofold")
        } else if self.lo <= 1.0 && self.hi >= 1.0 && !sure_tie {
            Some("rounds overlap")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_ten_samples() {
        let sorted = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89];
        let expected = [(0.0, 1), (0.1, 1), (0.11, 2), (0.5, 8), (0.9, 55), (0.91, 89), (1.0, 89)];
        for (q, value) in expected {
            assert_eq!(quantile(&sorted, q), value, "at {q}");
        }
        assert_eq!(quantile(&[7], 0.5), 7);
    }

    #[test]
    fn medians_and_spreads() {
        assert_eq!(median(&[9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(&[4.0, 1.0, 9.0, 2.0]), 3.0);
        assert_eq!(Spread::of(&[4.0, 1.0, 9.0]), Spread { mid: 4.0, lo: 1.0, hi: 9.0 });
    }

    #[test]
    fn a_ratio_knows_when_it_is_unsure() {
        let spread = |lo, mid, hi| Spread { mid, lo, hi };
        let doubt = |a, b| Ratio::of(a, b).doubt();
        let unix = spread(9.0, 10.0, 11.0);
        assert_eq!(doubt(spread(14.0, 15.0, 16.0), unix), None);
        assert_eq!(doubt(spread(11.0, 15.0, 16.0), unix), Some("rounds overlap"));
        assert_eq!(doubt(unix, spread(11.0, 15.0, 16.0)), Some("rounds overlap"));
        assert_eq!(doubt(spread(14.0, 15.0, 28.0), unix), Some("rounds differ twofold"));
        assert_eq!(doubt(unix, spread(14.0, 15.0, 28.0)), Some("rounds differ twofold"));
        // A tie is sure only if every round lies within it.
        assert_eq!(doubt(spread(9.9, 10.0, 10.1), spread(9.9, 10.0, 10.1)), None);
        assert_eq!(doubt(spread(9.9, 10.0, 10.1), unix), Some("rounds overlap"));
        let sure = Ratio::of(spread(14.0, 15.0, 16.0), unix);
        let unsure = Ratio::of(spread(10.5, 12.0, 13.0), unix);
        assert_eq!(Ratio::pool(&[sure, unsure]).unwrap().doubt(), Some("rounds overlap"));
        assert_eq!(Ratio::pool(&[]), None);
    }
}
