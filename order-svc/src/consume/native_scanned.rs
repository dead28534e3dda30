//! `ask.v1.native.scanned.*`: requests of notify-svc, each answered by one replica. Not facts: nobody keeps them, and what is not
//! answered in time is asked again by whoever scans again.

use std::{net::IpAddr, sync::Arc};

use anyhow::Context as _;
use futures::StreamExt as _;
use proto::{
    bus::subject,
    order::v1::{NativeScan, NativeScanAnswer},
};
use svc_kit::bus::Bus;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    api::{
        Api,
        native_scan::{No, answer},
    },
    config::PROCESS,
};

/// Scans of one process at once. More hear at once that we are busy: an answer that waits for its turn comes too late.
const AT_ONCE: usize = 128;
/// Largest request: names and numbers of at most 128 characters each.
const MAX_BYTES: usize = 8 * 1024;

/// Answers scans until told to stop, and then those that were taken.
pub async fn run(api: Api, bus: Bus, terminal_ip: IpAddr, stop: CancellationToken) -> anyhow::Result<()> {
    let client = bus.client().clone();
    // The replicas are one group: the server gives each request to one of them.
    let scans = client.queue_subscribe(subject::native_scanned("*"), PROCESS.to_owned()).await;
    let mut scans = scans.context("cannot subscribe to the scans of product codes")?;
    let (places, running) = (Arc::new(Semaphore::new(AT_ONCE)), TaskTracker::new());
    let mut stopping = false;
    loop {
        let scan = tokio::select! {
            scan = scans.next() => scan,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                // What the server has sent before it heard of this still comes.
                scans.drain().await.context("cannot leave the scans of product codes")?;
                continue;
            }
        };
        let Some(scan) = scan else { break };
        let Some(reply) = scan.reply else { continue }; // Nobody waits for an answer.
        let place = Arc::clone(&places).try_acquire_owned();
        let (api, client) = (api.clone(), client.clone());
        running.spawn(async move {
            let answered = match place {
                Ok(_place) => answered(&api, terminal_ip, &scan.payload).await,
                Err(_) => Err(No::Busy),
            };
            api.life.measured.scanned(answered.as_ref().map_or_else(|no| no.word(), |_| "prepaid"));
            let body = body(answered);
            if let Err(error) = client.publish(reply, body.into()).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "a scan was not answered");
            }
        });
    }
    running.close();
    running.wait().await;
    bus.flush().await;
    Ok(())
}

async fn answered(api: &Api, terminal_ip: IpAddr, request: &[u8]) -> Result<NativeScanAnswer, No> {
    let scan = (request.len() <= MAX_BYTES).then(|| serde_json::from_slice::<NativeScan>(request).ok()).flatten();
    let Some(scan) = scan else {
        // Its content is a payer's, so it is not logged.
        tracing::error!(bytes = request.len(), "a scan cannot be read");
        return Err(No::Busy);
    };
    answer(api, terminal_ip, &scan).await
}

fn body(answered: Result<NativeScanAnswer, No>) -> Vec<u8> {
    let answer = answered.unwrap_or_else(No::answer);
    serde_json::to_vec(&answer).expect("an answer of two texts is JSON")
}

#[cfg(test)]
mod tests {
    use super::{No, body};

    #[test]
    fn an_answer_is_proto3_json() {
        let json = |answered| String::from_utf8(body(answered)).expect("text");
        assert_eq!(json(Err(No::Closed)), r#"{"refusal":"商品已下架"}"#);
    }
}
