//! What a bench does about refunds.

use std::time::Duration;

use reqwest::{Client, Response};
use sandbox::control::{Balance, Callback, CallbackKind, PlatformRefund, Refund, RefundState, Settle, SettleDelay};
use wechat_pay::v2::{Fields, xml};

use super::{ACME, Account, Bench, outcome, until};

/// The call for which the certificate counts.
pub(crate) const REFUND: &str = "/secapi/pay/refund";

impl Bench {
    /// Asks for a refund, with the certificate of the account that signs.
    pub(crate) async fn refund(&self, account: &Account, fields: &[(&str, &str)]) -> Fields {
        let response = self.send_refund(self.https(account), &account.signed(fields)).await.unwrap();
        assert_eq!(response.status(), 200);
        xml::parse("xml", &response.bytes().await.unwrap()).unwrap()
    }

    pub(crate) async fn send_refund(&self, client: &Client, fields: &Fields) -> reqwest::Result<Response> {
        client.post(format!("{}{REFUND}", self.tls_url)).body(xml::write("xml", fields)).send().await
    }

    /// Asks for a refund of an order of [`ACME`], which must be accepted.
    pub(crate) async fn refunded(&self, number: &str, out_refund_no: &str, total: i64, part: i64) -> Fields {
        let (total, part) = (total.to_string(), part.to_string());
        let fields = [
            ("out_trade_no", number),
            ("out_refund_no", out_refund_no),
            ("total_fee", &*total),
            ("refund_fee", &*part),
        ];
        let answer = self.refund(&ACME, &fields).await;
        assert_eq!(outcome(&answer), "SUCCESS", "{:?}", answer.text("err_code_des"));
        answer
    }

    /// A person refunds so many fen in the merchant platform.
    pub(crate) async fn refunded_at_platform(&self, out_trade_no: &str, amount_fen: i64) -> Refund {
        let command = PlatformRefund { amount_fen: Some(amount_fen), ..PlatformRefund::default() };
        let url = format!("{}/_sandbox/payments/{out_trade_no}/refund", self.url);
        self.http.post(url).json(&command).send().await.unwrap().json().await.unwrap()
    }

    /// What a person is answered who wants to refund all of an order in the merchant platform.
    pub(crate) async fn refunded_at_platform_status(&self, out_trade_no: &str) -> u16 {
        let url = format!("{}/_sandbox/payments/{out_trade_no}/refund", self.url);
        self.http.post(url).json(&PlatformRefund::default()).send().await.unwrap().status().as_u16()
    }

    /// Decides what becomes of a refund, which must be possible.
    pub(crate) async fn settle(&self, out_refund_no: &str, state: RefundState) -> Refund {
        let response = self.try_settle(out_refund_no, state).await;
        assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
        response.json().await.unwrap()
    }

    pub(crate) async fn try_settle(&self, out_refund_no: &str, state: RefundState) -> Response {
        let url = format!("{}/_sandbox/refunds/{out_refund_no}/settle", self.url);
        self.http.post(url).json(&Settle { state, merchant: None }).send().await.unwrap()
    }

    pub(crate) async fn settle_delay(&self, delay: Option<Duration>) {
        let delay_ms = delay.map(|delay| u64::try_from(delay.as_millis()).unwrap());
        let url = format!("{}/_sandbox/settle_delay", self.url);
        assert_eq!(self.http.post(url).json(&SettleDelay { delay_ms }).send().await.unwrap().status(), 200);
    }

    pub(crate) async fn set_balance(&self, account: &Account, fen: Option<i64>) {
        let url = format!("{}/_sandbox/merchants/{}/balance", self.url, account.name);
        assert_eq!(self.http.post(url).json(&Balance { fen }).send().await.unwrap().status(), 200);
    }

    pub(crate) async fn balance(&self, account: &Account) -> Option<i64> {
        let url = format!("{}/_sandbox/merchants/{}/balance", self.url, account.name);
        self.http.get(url).send().await.unwrap().json::<Balance>().await.unwrap().fen
    }

    /// What the ledger knows of a refund.
    pub(crate) async fn known_refund(&self, out_refund_no: &str) -> Option<Refund> {
        let orders = self.ledger().await.orders;
        orders.into_iter().flat_map(|order| order.refunds).find(|refund| refund.out_refund_no == out_refund_no)
    }

    /// The callback about a state of a refund, once it is as wanted.
    pub(crate) async fn refund_callback(
        &self,
        number: &str,
        reached: RefundState,
        is_wanted: impl Fn(&Callback) -> bool,
    ) -> Callback {
        until("the callback about the refund is as wanted", || async {
            self.ledger().await.callbacks.into_iter().find(|callback| {
                let about = CallbackKind::Refund { out_refund_no: number.to_owned(), state: reached };
                callback.kind == about && is_wanted(callback)
            })
        })
        .await
    }
}
