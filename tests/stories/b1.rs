//! Temporary.

mod expiry;
mod input;
mod provider;
mod refused;
mod requests;
