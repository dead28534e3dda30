use std::fmt;

use crate::{Fen, MoneyError, decimal};

/// Decimals of a yuan that a milli-fen is.
const PLACES: usize = 5;

/// Milli-fen in one fen.
const PER_FEN: i64 = 1000;

/// Money in 1/1000 fen, the precision of fees in a bill (`0.04000`, `-0.00130`).
///
/// Nobody pays in milli-fen: amounts that move are [`Fen`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MilliFen(i64);

impl MilliFen {
    /// No money.
    pub const ZERO: MilliFen = MilliFen(0);

    /// This many milli-fen.
    pub const fn new(milli_fen: i64) -> MilliFen {
        MilliFen(milli_fen)
    }

    /// The number of milli-fen.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The same amount in the finer unit, or `None` when it does not fit.
    pub const fn from_fen(fen: Fen) -> Option<MilliFen> {
        match fen.get().checked_mul(PER_FEN) {
            Some(milli_fen) => Some(MilliFen(milli_fen)),
            None => None,
        }
    }

    /// The same amount in fen, or `None` when it is not whole fen.
    pub const fn to_fen(self) -> Option<Fen> {
        if self.0 % PER_FEN == 0 { Some(Fen::new(self.0 / PER_FEN)) } else { None }
    }

    /// The sum, or `None` when it does not fit.
    pub const fn checked_add(self, other: MilliFen) -> Option<MilliFen> {
        match self.0.checked_add(other.0) {
            Some(milli_fen) => Some(MilliFen(milli_fen)),
            None => None,
        }
    }

    /// The difference, or `None` when it does not fit.
    pub const fn checked_sub(self, other: MilliFen) -> Option<MilliFen> {
        match self.0.checked_sub(other.0) {
            Some(milli_fen) => Some(MilliFen(milli_fen)),
            None => None,
        }
    }

    /// The same size with the other sign, or `None` when it does not fit.
    pub const fn checked_neg(self) -> Option<MilliFen> {
        match self.0.checked_neg() {
            Some(milli_fen) => Some(MilliFen(milli_fen)),
            None => None,
        }
    }

    /// Whether this is more than nothing.
    pub const fn is_positive(self) -> bool {
        0 < self.0
    }

    /// Reads yuan with up to five significant decimals: `0.01000`, `-0.0013`, `0.08`.
    ///
    /// # Errors
    /// As [`Fen::parse_yuan`], with a fifth decimal as the finest that is whole.
    pub fn parse_yuan(text: &str) -> Result<MilliFen, MoneyError> {
        decimal::parse(text, PLACES).map(MilliFen)
    }

    /// Yuan with five decimals, as `Display` prints it.
    pub fn to_yuan(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for MilliFen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::print(self.0, PLACES, f)
    }
}
