//! A second order-svc beside the first.

use super::{Part, World, client, metrics};
use crate::{
    ports::Port,
    process::{Process, Signal},
};

/// A second order-svc on the same database and bus, over the same links. Dropping it kills it.
#[derive(Debug)]
pub struct Second {
    process: Process,
    /// Reserved as long as it may run.
    _grpc: Port,
    admin: Port,
}

impl World {
    /// Starts a second order-svc, without waiting for it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_second(&self) -> Second {
        let (grpc, admin) = (Port::reserve(), Port::reserve());
        let mut command = self.plan.command(Part::OrderSvc);
        command.env("LISTEN", grpc.address()).env("ADMIN_LISTEN", admin.address());
        let log = self.folder().join("order-svc-2.log");
        Second { process: Process::start("order-svc-2", command, &log, Signal::Kill), _grpc: grpc, admin }
    }
}

impl Second {
    /// The sum of a metric over all its series; 0 while it does not answer.
    pub async fn metric(&self, name: &str) -> i64 {
        metrics::read(&client(), &self.admin.url(), name, &[]).await.ok().flatten().unwrap_or(0)
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        self.process.runs()
    }
}
