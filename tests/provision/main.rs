//! `scripts/provision` on made-up machines: every way to find or install a server, and every way that fails.

mod installing;
mod machine;
mod searching;
mod wheel;
