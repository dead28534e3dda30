//! What WeChat's bills say otherwise than it happened, and money that moves without a trade.

use std::time::Duration;

use jiff::civil::Date;
use reqwest::Method;
use sandbox::control::{GivenBill, Misbilled, NewMovement};

use super::SandboxClient;

/// Longest wait until a large bill is packed.
const PACKING_TIME: Duration = Duration::from_mins(5);

impl SandboxClient {
    /// Lets the bills say something else about a payment. Callbacks and queries go on telling the truth.
    ///
    /// # Panics
    /// When it is not paid.
    pub async fn misbill(&self, out_trade_no: &str, misbilled: &Misbilled) {
        let path = format!("bills/payments/{out_trade_no}");
        let _: Misbilled = self.must(Method::POST, &path, Some(misbilled)).await;
    }

    /// Lets the bills say something else about a refund.
    ///
    /// # Panics
    /// When WeChat never accepted it.
    pub async fn misbill_refund(&self, out_refund_no: &str, misbilled: &Misbilled) {
        let path = format!("bills/refunds/{out_refund_no}");
        let _: Misbilled = self.must(Method::POST, &path, Some(misbilled)).await;
    }

    /// Money of a merchant moves on its basic account, now, for a reason that is no trade; negative when it leaves.
    ///
    /// # Panics
    /// When there is no such merchant.
    pub async fn move_money(&self, merchant: &str, kind: &str, amount_fen: i64) {
        self.move_as(merchant, &movement(kind, amount_fen)).await;
    }

    /// The balance of a merchant's basic account moves, now, and no file has a row of it.
    ///
    /// # Panics
    /// When there is no such merchant.
    pub async fn move_unseen(&self, merchant: &str, amount_fen: i64) {
        self.move_as(merchant, &NewMovement { hidden: true, ..movement("调账", amount_fen) }).await;
    }

    /// Serves this bill of a day from now on: `trade`, or the fund flow `basic`, `operation` or `fees`.
    ///
    /// # Panics
    /// When the sandbox does not take it.
    pub async fn give_bill(&self, merchant: &str, day: Date, kind: &str, bill: Vec<u8>) -> GivenBill {
        let url = format!("{}/_sandbox/merchants/{merchant}/bills/{day}/{kind}", self.url);
        let answer = self.http.put(url).body(bill).timeout(PACKING_TIME).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status);
        let answer = answer.unwrap_or_else(|error| panic!("the sandbox takes no bill: {error}"));
        answer.json().await.unwrap_or_else(|error| panic!("the sandbox stopped answering: {error}"))
    }

    async fn move_as(&self, merchant: &str, movement: &NewMovement) {
        let path = format!("merchants/{merchant}/movements");
        let _: NewMovement = self.must(Method::POST, &path, Some(movement)).await;
    }
}

fn movement(kind: &str, amount_fen: i64) -> NewMovement {
    NewMovement { account: "Basic".to_owned(), kind: kind.to_owned(), amount_fen, remark: String::new(), hidden: false }
}
