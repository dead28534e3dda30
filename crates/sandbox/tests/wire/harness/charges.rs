//! What a bench does about pay codes and faces.

use reqwest::Response;
use sandbox::control::{FaceCode, NewPayCode, Order, PayBehaviour, PayCode};
use serde::Serialize;
use wechat_pay::v2::{Fields, xml};

use super::{ACME, Account, Bench, TEA, client, outcome};

/// The fields of a charge of one yuan, without its code.
pub(crate) fn charge_fields(out_trade_no: &str) -> Vec<(&str, &str)> {
    vec![
        ("body", "通宝-苹果"),
        ("out_trade_no", out_trade_no),
        ("total_fee", "100"),
        ("spbill_create_ip", "203.0.113.7"),
    ]
}

impl Bench {
    /// A phone shows a code of a user who behaves like this.
    pub(crate) async fn pay_code(&self, behaviour: PayBehaviour) -> PayCode {
        self.command("pay-codes", &NewPayCode { behaviour, ..NewPayCode::default() }).await.json().await.unwrap()
    }

    /// A device sees the face of a user who pays.
    pub(crate) async fn face_code(&self) -> FaceCode {
        self.command("face-codes", &NewPayCode::default()).await.json().await.unwrap()
    }

    /// Charges one yuan of a code of [`ACME`]'s.
    pub(crate) async fn micropay(&self, out_trade_no: &str, auth_code: &str) -> Fields {
        self.micropay_with(&ACME, out_trade_no, auth_code, &[]).await
    }

    pub(crate) async fn micropay_with(
        &self,
        account: &Account,
        out_trade_no: &str,
        auth_code: &str,
        changes: &[(&str, &str)],
    ) -> Fields {
        let mut fields = charge_fields(out_trade_no);
        fields.push(("auth_code", auth_code));
        fields.extend_from_slice(changes);
        self.post("/pay/micropay", &account.signed(&fields)).await
    }

    /// Charges a user who behaves like this; tells what the charge was answered.
    pub(crate) async fn charged(&self, out_trade_no: &str, behaviour: PayBehaviour) -> String {
        let code = self.pay_code(behaviour).await;
        outcome(&self.micropay(out_trade_no, &code.auth_code).await)
    }

    /// Posts a message with the certificate of the account that signs.
    pub(crate) async fn post_certified(&self, account: &Account, path: &str, fields: &[(&str, &str)]) -> Fields {
        let response = self.send_certified(account, path, &account.signed(fields)).await;
        assert_eq!(response.status(), 200);
        xml::parse("xml", &response.bytes().await.unwrap()).unwrap()
    }

    pub(crate) async fn send_certified(&self, account: &Account, path: &str, fields: &Fields) -> Response {
        // Those whose certificate the bench does not hold ready get one here.
        let own = [ACME, TEA].iter().all(|ready| ready.mch_id != account.mch_id).then(|| {
            let certificate = self.authority.issue_for_merchant(account.mch_id).unwrap();
            client(&self.authority, Some(certificate))
        });
        let request = own.as_ref().unwrap_or(self.https(account)).post(format!("{}{path}", self.tls_url));
        request.body(xml::write("xml", fields)).send().await.unwrap()
    }

    /// Takes a charge of [`ACME`]'s back.
    pub(crate) async fn reverse(&self, out_trade_no: &str) -> Fields {
        self.post_certified(&ACME, "/secapi/pay/reverse", &[("out_trade_no", out_trade_no)]).await
    }

    /// What the ledger has of an order.
    pub(crate) async fn known_order(&self, out_trade_no: &str) -> Option<Order> {
        self.ledger().await.orders.into_iter().find(|order| order.out_trade_no == out_trade_no)
    }

    /// Posts a command of the control API.
    pub(crate) async fn command(&self, path: &str, body: &impl Serialize) -> Response {
        self.http.post(format!("{}/_sandbox/{path}", self.url)).json(body).send().await.unwrap()
    }
}
