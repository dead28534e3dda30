//! reconcile-svc proves every morning, bill against books, that no fen is missing.

use std::process::ExitCode;

use reconcile_svc::PROCESS;
use reconcile_svc::app;
use reconcile_svc::config::Config;
use svc_kit::{process, telemetry};

fn main() -> ExitCode {
    process::main(|tasks| async move {
        let config: Config = process::settings()?;
        let telemetry = telemetry::init(PROCESS, &config.telemetry)?;
        app::start(&config, &tasks).await?;
        Ok(telemetry)
    })
}
