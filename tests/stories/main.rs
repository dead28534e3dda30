//! Stories: what people rely on, told in whole worlds. One file per thing that can happen.

mod amount;
mod checking;
mod forged;
mod lost;
mod paid;
