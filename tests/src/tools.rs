//! What operators and their programs do: calls of WeChat Pay that have no place in an order's life, straight at pay-gateway.
//!
//! ```no_run
//! # async fn example(world: &e2e::World) {
//! use e2e::tools::Outcome as _;
//! use proto::gateway::v1::ListProviderRefundsRequest;
//!
//! let asked = ListProviderRefundsRequest { merchant: "acme-mini".into(), ..Default::default() };
//! let refused = world.tools().list_provider_refunds(asked.clone()).await.unwrap_err(); // nothing was sent
//! let page = world.tools().list_provider_refunds(asked).await.unwrap().into_inner().done(); // WeChat's word
//! # }
//! ```

use std::fmt::Debug;

use jiff::civil::Date;
use proto::gateway::v1::{
    self, DownloadBillRequest, NotDone, Unknown, download_bill_request::Kind, download_bill_response::Part,
    payment_gateway_client::PaymentGatewayClient, wechat_tools_client::WechatToolsClient,
};
use svc_kit::grpc;
use tonic::{Status, transport::Channel};

use crate::World;

/// A raw client of the tools.
pub type Tools = WechatToolsClient<Channel>;
/// A raw client of everything else that pay-gateway does.
pub type Gateway = PaymentGatewayClient<Channel>;

impl World {
    /// The tools of pay-gateway.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn tools(&self) -> Tools {
        Tools::new(self.gateway_channel())
    }

    /// What order-svc and reconcile-svc call.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn gateway(&self) -> Gateway {
        Gateway::new(self.gateway_channel())
    }

    /// A bill of one day, decompressed, whole.
    ///
    /// # Errors
    /// The status that came instead of it or in its middle.
    ///
    /// # Panics
    /// When a download ends without its end, or tells another length than it has.
    pub async fn bill(&self, merchant: &str, day: Date, kind: Kind) -> Result<Vec<u8>, Status> {
        let request =
            DownloadBillRequest { merchant: merchant.to_owned(), bill_date: day.to_string(), kind: kind.into() };
        let mut parts = self.gateway().download_bill(request).await?.into_inner();
        let mut bill = Vec::new();
        let mut told = None;
        while let Some(part) = parts.message().await? {
            match part.part {
                Some(Part::Chunk(chunk)) => bill.extend_from_slice(&chunk),
                Some(Part::End(end)) => told = Some(end.bytes),
                None => panic!("a part is a chunk or the end"),
            }
        }
        assert_eq!(told, i64::try_from(bill.len()).ok(), "a whole download says so");
        Ok(bill)
    }

    fn gateway_channel(&self) -> Channel {
        grpc::channel(&self.addresses().gateway.url()).expect("our own URL is well formed")
    }
}

/// An answer of pay-gateway's, of which exactly one outcome is set.
pub trait Outcome: Debug + Sized {
    /// What a yes tells.
    type Done;

    /// The outcome.
    fn outcome(self) -> Result<Self::Done, Undone>;

    /// What a yes tells.
    ///
    /// # Panics
    /// When it is no yes.
    #[track_caller]
    fn done(self) -> Self::Done {
        self.outcome().unwrap_or_else(|undone| panic!("it is not done: {undone:?}"))
    }

    /// A definite no.
    ///
    /// # Panics
    /// When it is another outcome.
    #[track_caller]
    fn no(self) -> NotDone {
        let told = format!("{self:?}");
        match self.outcome() {
            Err(Undone::No(no)) => no,
            _ => panic!("no definite no: {told}"),
        }
    }

    /// Why nobody knows.
    ///
    /// # Panics
    /// When it is another outcome.
    #[track_caller]
    fn unknown(self) -> Unknown {
        let told = format!("{self:?}");
        match self.outcome() {
            Err(Undone::Unknown(unknown)) => unknown,
            _ => panic!("somebody knows: {told}"),
        }
    }
}

/// An outcome that is no yes.
#[derive(Clone, Debug, PartialEq)]
pub enum Undone {
    /// A definite no.
    No(NotDone),
    /// Nobody knows.
    Unknown(Unknown),
}

macro_rules! outcomes {
    ($($response:ident of $outcome:ident is $done:ident;)*) => {$(
        impl Outcome for v1::$response {
            type Done = v1::$done;

            fn outcome(self) -> Result<v1::$done, Undone> {
                match self.outcome.expect("an outcome is set") {
                    v1::$outcome::Outcome::Done(done) => Ok(done),
                    v1::$outcome::Outcome::NotDone(no) => Err(Undone::No(no)),
                    v1::$outcome::Outcome::Unknown(unknown) => Err(Undone::Unknown(unknown)),
                }
            }
        }
    )*};
}

outcomes! {
    ResolveOpenidResponse of resolve_openid_response is Resolved;
    GetFaceCredentialResponse of get_face_credential_response is FaceCredential;
    ShortenUrlResponse of shorten_url_response is ShortUrl;
    ListProviderRefundsResponse of list_provider_refunds_response is ProviderRefunds;
    ListCommentsResponse of list_comments_response is Comments;
    SendRedPacketResponse of send_red_packet_response is RedPacketSent;
    GetRedPacketResponse of get_red_packet_response is RedPacket;
    PrepayResponse of prepay_response is Prepaid;
    CreateRefundResponse of create_refund_response is RefundAccepted;
}
