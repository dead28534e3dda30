//! Why a signature does not match (签名错误).
//!
//! A wrong signature is made again: the message is signed with each mistake that people make, alone and two together, until
//! the very signature in question comes out. A hash does not come out by chance, so what is found is what happened; whatever
//! is only suspicious is a hint. Nothing here reads a file or prints.
//!
//! In reading order: a [`Recipe`] is one way to sign, a [`Mistake`] spoils it, [`judge`] tries them, [`words`] tells people.

mod hints;
mod judge;
mod mistake;
mod recipe;
mod secret;
mod words;

pub(crate) use judge::{Case, Verdict, Wrong, judge};
pub(crate) use mistake::Mistake;
pub(crate) use secret::KeyText;
pub(crate) use words::Told;

use mistake::KeyForm;

#[cfg(test)]
mod tests;
