//! What WeChat's bills say otherwise than it happened, and money that moves without a trade.

use reqwest::Method;
use sandbox::control::{Misbilled, NewMovement};

use super::SandboxClient;

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

    async fn move_as(&self, merchant: &str, movement: &NewMovement) {
        let path = format!("merchants/{merchant}/movements");
        let _: NewMovement = self.must(Method::POST, &path, Some(movement)).await;
    }
}

fn movement(kind: &str, amount_fen: i64) -> NewMovement {
    NewMovement { account: "Basic".to_owned(), kind: kind.to_owned(), amount_fen, remark: String::new(), hidden: false }
}
