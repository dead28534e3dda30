//! What tests of the counter and of the tools share.

use jiff::SignedDuration;
use proto::{
    gateway::v1::{self, PaymentMethod},
    order::v1 as order,
};
use tempfile::TempDir;
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::{
    fake::{Fake, Reply, signed, text},
    harness::{APP_ID, Gateway, KEY, MCH_ID, MERCHANT, NUMBER, SIGN_TYPE, TRANSACTION, refunding},
};

pub(crate) const PAY_CODE: &str = "134567890123456789";
pub(crate) const FACE_CODE: &str = "f4cec0de-8d6c2a";
pub(crate) const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
/// The sub-merchant and the provider of [`providing`].
pub(crate) const SUB_MCH_ID: &str = "1900000777";
pub(crate) const PROVIDER_APP: &str = "wx8888888888888888";

/// What a genuine answer to the usual charge says.
pub(crate) const TAKEN: [(&str, &str); 9] = [
    ("out_trade_no", NUMBER),
    ("transaction_id", TRANSACTION),
    ("openid", OPENID),
    ("total_fee", "4599"),
    ("cash_fee", "4000"),
    ("fee_type", "CNY"),
    ("trade_type", "MICROPAY"),
    ("bank_type", "OTHERS"),
    ("time_end", "20261121100000"),
];

impl Gateway {
    /// A charge by pay code that WeChat would take.
    pub(crate) fn charge_request(&self) -> v1::ChargeRequest {
        v1::ChargeRequest {
            merchant: MERCHANT.into(),
            mch_id: MCH_ID.into(),
            app_id: APP_ID.into(),
            out_trade_no: NUMBER.into(),
            amount_fen: 4599,
            description: "通宝小店-苹果 & 梨".into(),
            expire_time: Some(proto::time::to_wire(self.ahead(SignedDuration::from_mins(5)))),
            terminal_ip: "203.0.113.9".into(),
            method: PaymentMethod::PayCode.into(),
            code: PAY_CODE.into(),
            ..Default::default()
        }
    }

    /// The same by the older face API.
    pub(crate) fn facepay_request(&self) -> v1::ChargeRequest {
        v1::ChargeRequest {
            method: PaymentMethod::Facepay.into(),
            code: FACE_CODE.into(),
            openid: OPENID.into(),
            ..self.charge_request()
        }
    }

    /// Charges, and takes the outcome.
    pub(crate) async fn charge(&self, request: v1::ChargeRequest) -> v1::charge_response::Outcome {
        let response = self.client.clone().charge(request).await.expect("an outcome");
        response.into_inner().outcome.expect("an outcome is set")
    }

    /// Reverses, and takes the outcome.
    pub(crate) async fn reverse(&self, request: v1::ReversePaymentRequest) -> v1::reverse_payment_response::Outcome {
        let response = self.client.clone().reverse_payment(request).await.expect("an outcome");
        response.into_inner().outcome.expect("an outcome is set")
    }
}

/// A reversal of the usual attempt.
pub(crate) fn reversal() -> v1::ReversePaymentRequest {
    v1::ReversePaymentRequest {
        merchant: MERCHANT.into(),
        mch_id: MCH_ID.into(),
        app_id: APP_ID.into(),
        out_trade_no: NUMBER.into(),
        method: PaymentMethod::PayCode.into(),
        ..Default::default()
    }
}

/// In front of a fake, for a merchant with a client certificate.
pub(crate) async fn certified(fake: &Fake) -> Gateway {
    Gateway::of(refunding(), &fake.url, &[]).await
}

/// A directory with the usual merchant as the sub-merchant of a service provider, with a client certificate.
pub(crate) fn providing() -> TempDir {
    let dir = refunding();
    let file = dir.path().join("acme-mini.toml");
    let before = std::fs::read_to_string(&file).expect("the file is there");
    let told = format!("sub_mch_id = \"{SUB_MCH_ID}\"\nservice_provider_app_id = \"{PROVIDER_APP}\"\n{before}");
    std::fs::write(&file, told).expect("the file can be written");
    dir
}

/// A genuine answer in service-provider mode.
pub(crate) fn of_provider(more: &[(&str, &str)]) -> Reply {
    let mut fields = vec![("return_code", "SUCCESS"), ("appid", PROVIDER_APP), ("mch_id", MCH_ID)];
    fields.extend(more);
    Reply::ok(text(&signed(&fields, KEY, SIGN_TYPE)))
}

/// A failure that nobody signed.
pub(crate) fn unsigned(words: &str) -> Reply {
    Reply::ok(format!("<xml><return_code>FAIL</return_code><return_msg>{words}</return_msg></xml>"))
}

/// An unsigned answer with these fields.
pub(crate) fn plain(fields: &[(&str, &str)]) -> Reply {
    Reply::ok(text(&fields.iter().copied().collect()))
}

/// The fields that a refusal names.
pub(crate) fn named(status: &Status) -> Vec<String> {
    let told = status.get_details_bad_request().expect("the fields are named").field_violations;
    told.into_iter().map(|violation| violation.field).collect()
}

/// Everything that an order may tell.
pub(crate) fn particulars() -> order::Particulars {
    order::Particulars {
        attach: "till 7".into(),
        goods: Some(order::Goods {
            cost_price_fen: 0,
            receipt_id: String::new(),
            items: vec![order::GoodsItem { goods_id: "g1".into(), quantity: 2, price_fen: 2299, ..Default::default() }],
        }),
        goods_tag: "WXG".into(),
        no_credit: true,
        receipt: true,
        profit_sharing: true,
        device_info: "D7".into(),
        store: Some(order::Store { id: "SZTX001".into(), ..Default::default() }),
    }
}
