//! The provider's fee: rate × amount, compared without rounding.

use money::{Fen, MilliFen};

/// 费率 of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    /// The row does not say.
    Untold,
    /// In hundred-thousandths of a percent: `0.60%` is 60 000.
    Known(i64),
    /// A text that is no rate.
    Unreadable,
}

/// Hundred-thousandths of a percent that 100 % are.
const WHOLE: i64 = 10_000_000;

/// Fees are compared in ten-thousandths of a milli-fen, in which rate × amount is whole.
const FINE_PER_MILLI_FEN: i128 = 10_000;

/// As many of them are a fen.
const FINE_PER_FEN: i128 = FINE_PER_MILLI_FEN * 1000;

impl Rate {
    /// Reads `0.60%`.
    pub(crate) fn parse(text: &str) -> Rate {
        let text = text.trim();
        if text.is_empty() {
            return Rate::Untold;
        }
        // A percentage of at most five decimals is read like yuan of as many.
        let rate = text.strip_suffix('%').and_then(|number| MilliFen::parse_yuan(number).ok()).map(MilliFen::get);
        match rate {
            Some(rate) if (0..=WHOLE).contains(&rate) => Rate::Known(rate),
            _ => Rate::Unreadable,
        }
    }
}

/// How far a fee is from rate × `base`, rounded up to a fen, when that is more than `tolerance`.
pub(crate) fn distance(fee: MilliFen, rate: i64, base: Fen, tolerance: MilliFen) -> Option<Fen> {
    let stated = i128::from(fee.get()) * FINE_PER_MILLI_FEN;
    let expected = i128::from(rate) * i128::from(base.get());
    beyond(stated - expected, tolerance)
}

/// How far a fee in whole fen is from the bill's, rounded up to a fen, when that is more than `tolerance`.
pub(crate) fn distance_of_whole(moved: i128, billed: i128, tolerance: MilliFen) -> Option<Fen> {
    beyond(moved * FINE_PER_FEN - billed * FINE_PER_MILLI_FEN, tolerance)
}

/// Rate × `base` in whole milli-fen, rounded down, for people to read.
pub(crate) fn expected(rate: i64, base: Fen) -> MilliFen {
    let fine = i128::from(rate) * i128::from(base.get());
    MilliFen::new(i64::try_from(fine / FINE_PER_MILLI_FEN).unwrap_or(i64::MAX))
}

fn beyond(distance: i128, tolerance: MilliFen) -> Option<Fen> {
    let distance = distance.abs();
    if distance <= i128::from(tolerance.get()) * FINE_PER_MILLI_FEN {
        return None;
    }
    Some(Fen::new(
        i64::try_from(distance.div_euclid(FINE_PER_FEN) + i128::from(distance % FINE_PER_FEN != 0)).unwrap_or(i64::MAX),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: MilliFen = MilliFen::new(1000);

    #[test]
    fn a_rate_is_a_percentage_of_at_most_five_decimals() {
        assert_eq!(Rate::parse("0.60%"), Rate::Known(60_000));
        assert_eq!(Rate::parse(" 1% "), Rate::Known(100_000));
        assert_eq!(Rate::parse(""), Rate::Untold);
        for text in ["0.60", "%", "-0.60%", "100.1%", "0.600001%", "六", "0.6 %", "NaN%"] {
            assert_eq!(Rate::parse(text), Rate::Unreadable, "{text:?}");
        }
    }

    #[test]
    fn a_fee_within_a_fen_is_no_difference_and_one_beyond_is() {
        let base = Fen::new(10_000);
        assert_eq!(distance(MilliFen::new(60_000), 60_000, base, TOLERANCE), None);
        assert_eq!(distance(MilliFen::new(61_000), 60_000, base, TOLERANCE), None);
        assert_eq!(distance(MilliFen::new(61_001), 60_000, base, TOLERANCE), Some(Fen::new(2)));
        assert_eq!(distance(MilliFen::new(58_999), 60_000, base, TOLERANCE), Some(Fen::new(2)));
        assert_eq!(
            distance(MilliFen::new(i64::MIN), 60_000, Fen::new(i64::MAX), TOLERANCE),
            Some(Fen::new(64_563_604_257_983_431))
        );
    }
}
