//! pay-gateway as this service uses it: which merchants there are, and their bills.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context as _;
use jiff::civil::Date;
use proto::error::ErrorReason;
use proto::gateway::v1::download_bill_request::Kind;
use proto::gateway::v1::payment_gateway_client::PaymentGatewayClient;
use proto::gateway::v1::{DownloadBillRequest, DownloadBillResponse, ListMerchantsRequest};
use svc_kit::grpc::{TracedChannel, traced};
use svc_kit::refusal::reason_of;
use tonic::{Code, Request, Status, Streaming};
use url::Url;

/// How long the list of merchants may take; the gateway answers it from memory.
const LIST_TIME: Duration = Duration::from_secs(5);

/// Longest message of the gateway: one chunk of 256 KiB and its frame.
const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// A client of pay-gateway. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Gateway {
    client: PaymentGatewayClient<TracedChannel>,
}

/// A merchant account, as the gateway has it configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    /// Our name for it.
    pub name: String,
    /// Which provider, such as `wechat-v2`.
    pub provider: String,
    /// The provider's number of the account.
    pub mch_id: String,
    /// The sub-merchant in service-provider mode; empty otherwise.
    pub sub_mch_id: String,
    /// Whether it has the client certificate that fund flows need.
    pub has_certificate: bool,
}

/// What a caller can do about a call that gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// There is no such merchant.
    #[error("no merchant of that name is configured")]
    MerchantNotFound,
    /// The provider says that it has no bill: nothing was paid and nothing refunded.
    #[error("the provider has no bill for that day")]
    NoBill,
    /// The bill is still being made.
    #[error("the bill of that day is not ready yet")]
    BillNotReady,
    /// The provider refused, for good; a person must look.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// This account cannot do that: a fund flow needs a client certificate. Nothing was sent.
    #[error("not available for this account: {0}")]
    NotAvailable(String),
    /// Anything else: nothing is known, try again.
    #[error("the gateway gave no answer: {0}")]
    Unavailable(String),
}

impl Gateway {
    /// A client for the gateway at `url`; it connects at the first call.
    pub fn new(url: &Url) -> anyhow::Result<Self> {
        let channel = traced(url.as_str()).context("GATEWAY_URL")?;
        Ok(Self { client: PaymentGatewayClient::new(channel).max_decoding_message_size(MAX_MESSAGE_BYTES) })
    }

    /// Every merchant, by name.
    pub async fn merchants(&self) -> Result<HashMap<String, Merchant>, GatewayError> {
        let listed = self.client.clone().list_merchants(within(ListMerchantsRequest {}, LIST_TIME)).await?;
        let merchants = listed.into_inner().merchants.into_iter();
        Ok(merchants
            .map(|merchant| {
                let name = merchant.name;
                let (provider, mch_id, sub_mch_id) = (merchant.provider, merchant.mch_id, merchant.sub_mch_id);
                // Refunds and fund flows need the same certificate.
                let has_certificate = merchant.can_refund;
                (name.clone(), Merchant { name, provider, mch_id, sub_mch_id, has_certificate })
            })
            .collect())
    }

    /// One merchant.
    pub async fn merchant(&self, name: &str) -> Result<Merchant, GatewayError> {
        self.merchants().await?.remove(name).ok_or(GatewayError::MerchantNotFound)
    }

    /// Starts the download of a bill.
    pub async fn bill(
        &self,
        merchant: &str,
        day: Date,
        kind: Kind,
    ) -> Result<Streaming<DownloadBillResponse>, GatewayError> {
        let request =
            DownloadBillRequest { merchant: merchant.to_owned(), bill_date: day.to_string(), kind: kind.into() };
        // The time of the whole stream is limited by whoever reads it.
        Ok(self.client.clone().download_bill(request).await?.into_inner())
    }
}

fn within<T>(message: T, time: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(time);
    request
}

impl From<Status> for GatewayError {
    fn from(status: Status) -> Self {
        let reason = reason_of(&status).unwrap_or_default();
        let is = |expected: ErrorReason| reason == expected.word();
        if is(ErrorReason::NoBill) {
            GatewayError::NoBill
        } else if is(ErrorReason::BillNotReady) {
            GatewayError::BillNotReady
        } else if is(ErrorReason::MerchantNotFound) {
            GatewayError::MerchantNotFound
        } else if is(ErrorReason::MethodNotAvailable) {
            GatewayError::NotAvailable(status.message().to_owned())
        } else if status.code() == Code::FailedPrecondition || status.code() == Code::InvalidArgument {
            GatewayError::Refused(status.message().to_owned())
        } else {
            GatewayError::Unavailable(format!("{:?}: {}", status.code(), status.message()))
        }
    }
}
