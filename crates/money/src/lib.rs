//! Money as WeChat counts it: whole fen (1/100 yuan), never floating point, never rounded.
//!
//! [`Fen`] is what people pay; [`MilliFen`] exists because bills state fees with five decimals of a yuan.
//! There is no `+`: every sum is checked, and the caller says what an overflow means.

mod decimal;
mod fen;
mod milli_fen;

pub use decimal::MoneyError;
pub use fen::Fen;
pub use milli_fen::MilliFen;
