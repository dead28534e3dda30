//! pay-gateway as its callers see it.

mod fake;
mod harness;

mod bills;
mod closing;
mod limits;
mod login;
mod merchants;
mod prepaying;
mod querying;
mod refusals;
mod running;
mod verifying;
mod wire;

mod sandbox;
