//! order-svc: owns orders and payments, and serves the internal teams.

use std::process::ExitCode;

use order_svc::{app, config::Config};
use svc_kit::process;

/// A fact is many small allocations, as a callback is.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    process::main(|tasks| async move { app::start(process::settings::<Config>()?, &tasks).await })
}
