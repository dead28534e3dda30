//! Which merchants there are, as pay-gateway lists them: order-svc holds no merchant files and no keys.

use std::{sync::Arc, time::Duration};

use proto::gateway::v1::{AppKind, ListMerchantsRequest, SurplusPolicy, payment_gateway_client::PaymentGatewayClient};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status, transport::Channel};

/// How long one listing may take.
const LIST_TIME: Duration = Duration::from_secs(3);
/// How often a caller who names an unknown merchant may cause a fresh listing.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How often the list is read while the gateway cannot be reached and nothing is known yet.
const FIRST_TRY: Duration = Duration::from_millis(200);

/// One merchant account; no keys.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// Our name for it.
    pub name: String,
    /// "wechat-v2".
    pub provider: String,
    /// The provider's number of the account.
    pub mch_id: String,
    /// The sub-merchant in service-provider mode; empty otherwise.
    pub sub_mch_id: String,
    /// Apps paired with it.
    pub apps: Vec<App>,
    /// Words of the methods that it takes.
    pub methods: Vec<String>,
    /// Whether it can give money back.
    pub can_refund: bool,
    /// What is done with money that no order of it can keep.
    pub surplus: Surplus,
}

/// What is done with money that comes for a closed or already paid order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surplus {
    /// It goes back by itself.
    Refund,
    /// It waits for a person.
    Hold,
}

/// One app of a merchant.
#[derive(Clone, Debug)]
pub struct App {
    /// The provider's id of it.
    pub app_id: String,
    /// What opens the cashier.
    pub kind: AppKind,
    /// Whether login codes can be turned into openids.
    pub can_resolve_openid: bool,
}

/// The list, kept fresh. Clones share it.
#[derive(Clone, Debug)]
pub struct Merchants {
    client: PaymentGatewayClient<Channel>,
    known: watch::Sender<Option<Vec<Arc<Merchant>>>>,
    last_look: Arc<Mutex<Option<tokio::time::Instant>>>,
}

impl Merchants {
    /// Nothing known yet.
    pub fn new(channel: Channel) -> Self {
        let known = watch::Sender::new(None);
        Self { client: PaymentGatewayClient::new(channel), known, last_look: Arc::default() }
    }

    /// Reads the list again every `every` until told to stop.
    pub async fn keep_fresh(self, every: Duration, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            if let Err(status) = self.look().await {
                tracing::debug!(code = ?status.code(), "cannot list merchants: {}", status.message());
            }
            let pause = if self.known.borrow().is_some() { every } else { FIRST_TRY };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    /// The merchant of that name. An unknown name is looked for at the gateway, at most every half second.
    ///
    /// # Errors
    /// The gateway's status when nothing is known and it cannot be asked.
    pub async fn get(&self, name: &str) -> Result<Option<Arc<Merchant>>, Status> {
        if let Some(found) = self.find(name) {
            return Ok(Some(found));
        }
        {
            let mut last = self.last_look.lock().await;
            if last.is_none_or(|at| LOOK_AGAIN <= at.elapsed()) {
                // Rarely needed and large, so not a part of every caller's future.
                let looked = Box::pin(self.look()).await;
                *last = Some(tokio::time::Instant::now());
                if self.known.borrow().is_none() {
                    looked?;
                }
            }
        }
        if self.known.borrow().is_none() {
            return Err(Status::unavailable("the list of merchants is not known yet"));
        }
        Ok(self.find(name))
    }

    /// The names of all known merchants.
    pub fn names(&self) -> Vec<String> {
        let known = self.known.borrow();
        known.iter().flat_map(|list| list.iter()).map(|merchant| merchant.name.clone()).collect()
    }

    /// The merchant of that name, as far as it is known without asking.
    pub fn known_merchant(&self, name: &str) -> Option<Arc<Merchant>> {
        self.find(name)
    }

    /// Waits for the first list.
    pub async fn known(&self) {
        let mut known = self.known.subscribe();
        // The sender lives as long as `self`, so this ends with a list.
        let _ = known.wait_for(Option::is_some).await;
    }

    fn find(&self, name: &str) -> Option<Arc<Merchant>> {
        self.known.borrow().as_ref()?.iter().find(|merchant| merchant.name == name).cloned()
    }

    async fn look(&self) -> Result<(), Status> {
        let mut request = Request::new(ListMerchantsRequest {});
        request.set_timeout(LIST_TIME);
        let mut client = self.client.clone();
        let listed = tokio::time::timeout(LIST_TIME, client.list_merchants(request)).await;
        let listed = listed.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time")))?.into_inner();
        let merchants = listed.merchants.into_iter().map(|merchant| Merchant {
            apps: merchant
                .apps
                .iter()
                .map(|app| App {
                    app_id: app.app_id.clone(),
                    kind: app.kind(),
                    can_resolve_openid: app.can_resolve_openid,
                })
                .collect(),
            methods: merchant.methods.clone(),
            can_refund: merchant.can_refund,
            surplus: match merchant.surplus() {
                SurplusPolicy::Refund => Surplus::Refund,
                // A policy of a later release is a person's to understand.
                SurplusPolicy::Hold | SurplusPolicy::Unspecified => Surplus::Hold,
            },
            name: merchant.name,
            provider: merchant.provider,
            mch_id: merchant.mch_id,
            sub_mch_id: merchant.sub_mch_id,
        });
        self.known.send_replace(Some(merchants.map(Arc::new).collect()));
        Ok(())
    }
}
