use std::fmt;

use crate::{MoneyError, decimal};

/// Decimals of a yuan that a fen is.
const PLACES: usize = 2;

/// Money in fen (1/100 yuan). Signed, so that differences fit.
///
/// `Display` prints yuan with two decimals (`12.34`, `-0.60`); [`Fen::parse_yuan`] reads it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fen(i64);

impl Fen {
    /// No money.
    pub const ZERO: Fen = Fen(0);

    /// This many fen.
    pub const fn new(fen: i64) -> Fen {
        Fen(fen)
    }

    /// The number of fen.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `None` when it does not fit.
    pub const fn checked_add(self, other: Fen) -> Option<Fen> {
        match self.0.checked_add(other.0) {
            Some(fen) => Some(Fen(fen)),
            None => None,
        }
    }

    /// The difference, or `None` when it does not fit.
    pub const fn checked_sub(self, other: Fen) -> Option<Fen> {
        match self.0.checked_sub(other.0) {
            Some(fen) => Some(Fen(fen)),
            None => None,
        }
    }

    /// The same size with the other sign, or `None` when it does not fit.
    pub const fn checked_neg(self) -> Option<Fen> {
        match self.0.checked_neg() {
            Some(fen) => Some(Fen(fen)),
            None => None,
        }
    }

    /// Whether this is more than nothing.
    pub const fn is_positive(self) -> bool {
        0 < self.0
    }

    /// Reads yuan as bills print them: `0.01`, `-0.6`, `45.0`, `1`.
    ///
    /// # Errors
    /// [`MoneyError::NotWhole`] for a fraction of a fen (`0.001`; `0.010` is whole), [`MoneyError::Overflow`] for what
    /// does not fit, [`MoneyError::Malformed`] for everything else: empty, `+1`, `1e2`, `.5`, `1.`, `1,000`, spaces.
    pub fn parse_yuan(text: &str) -> Result<Fen, MoneyError> {
        decimal::parse(text, PLACES).map(Fen)
    }

    /// Yuan with two decimals, as `Display` prints it.
    pub fn to_yuan(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::print(self.0, PLACES, f)
    }
}
