//! One file for each command.

pub(crate) mod bill;
pub(crate) mod check_sign;
pub(crate) mod completions;
pub(crate) mod decrypt;
pub(crate) mod events;
pub(crate) mod merchants;
pub(crate) mod order;
pub(crate) mod recon;
pub(crate) mod sign;
pub(crate) mod trigger;
