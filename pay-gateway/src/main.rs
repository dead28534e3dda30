//! pay-gateway, the process. See the library for what it does.

use std::process::ExitCode;

use pay_gateway::{App, Config};
use svc_kit::{process, telemetry};

fn main() -> ExitCode {
    process::main(|tasks| async move {
        let config: Config = process::settings()?;
        let flush = telemetry::init("pay-gateway", &config.telemetry)?;
        App::start(&config, &tasks).await?;
        Ok(flush)
    })
}
