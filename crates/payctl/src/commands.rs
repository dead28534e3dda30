//! One file for each command.

pub(crate) mod check_sign;
pub(crate) mod sign;
