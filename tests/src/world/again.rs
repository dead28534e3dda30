//! A part that dies by itself and comes back, while others look at the world.

use std::process::ExitStatus;

use super::{Part, World, client};
use crate::{eventually, process::Process};

impl World {
    /// Starts a part of ours that does not run, this once with more in its environment. Returns when it is ready, or has
    /// ended already.
    ///
    /// # Panics
    /// When it runs already, is not ours, or does not become ready.
    pub async fn start_with(&self, part: Part, environment: &[(&str, &str)]) {
        let mut command = self.plan.command(part);
        command.envs(environment.iter().copied());
        {
            let mut running = self.running();
            assert!(!running.get_mut(&part).is_some_and(Process::runs), "{part} runs already");
            running.insert(part, self.plan.spawn_as(part, command));
        }
        eventually(&format!("{part} is ready"), async || {
            if self.ended(part).is_some() { Ok(()) } else { self.is_ready(part).await }
        })
        .await;
    }

    /// Returns when every part of ours that takes part is ready, also one that has died and is being brought back.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn all_ready(&self) {
        let parts: Vec<Part> = self.running().keys().copied().collect();
        for part in parts {
            eventually(&format!("{part} is ready"), async || self.is_ready(part).await).await;
        }
    }

    /// How a part of ours ended, when it did so without being asked to and was not started again.
    pub fn ended(&self, part: Part) -> Option<ExitStatus> {
        self.running().get_mut(&part)?.ended()
    }

    /// Returns when a part of ours has ended, however long that takes.
    pub async fn ends(&self, part: Part) -> ExitStatus {
        loop {
            if let Some(status) = self.ended(part) {
                return status;
            }
            tokio::time::sleep(eventually::PAUSE).await;
        }
    }

    async fn is_ready(&self, part: Part) -> Result<(), String> {
        let answer = client().get(self.plan.ready_url(part)).send().await.map_err(|error| error.to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(answer.status().to_string()) }
    }
}
