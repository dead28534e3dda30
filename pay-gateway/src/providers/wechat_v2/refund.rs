use merchants::NoticeKind;
use proto::gateway::v1;
use wechat_pay::v2::{Answer, OrderNumber, Refund, RefundAccepted, action::Api};

use super::{Session, nonce, verdict};
use crate::{
    outcome::{Failure, Kind, NotDone, Outcome, Unknown, Why},
    providers::RefundOrder,
};

impl Session {
    /// Asks for money to go back. Done means accepted: whether it is back is said by the query alone.
    pub(crate) async fn refund(&self, order: &RefundOrder) -> Outcome<v1::RefundAccepted> {
        self.ask_to_refund(order).await.into()
    }

    async fn ask_to_refund(&self, order: &RefundOrder) -> Result<v1::RefundAccepted, Failure> {
        // WeChat answers a call without certificate with a page for people, which would leave the refund unknown.
        if self.account.client_identity.is_none() {
            let words = "this merchant has no client certificate; nothing was sent";
            return Err(NotDone::new(Kind::Configuration, "", words).into());
        }
        let refund = Refund {
            identity: self.identity(&order.app_id),
            order: OrderNumber::TransactionId(order.transaction_id.clone()),
            out_refund_no: order.out_refund_no.clone(),
            total_fee: order.total,
            refund_fee: order.amount,
            refund_desc: order.reason.clone(),
            notify_url: Some(self.merchant.notify_url(NoticeKind::Refund)),
            goods: order.goods.clone(),
        };
        let signed = refund.signed(&nonce(), &self.account.api_key, self.account.sign_type);
        let urls = &self.wechat.urls;
        let endpoint = if refund.goods.is_empty() { &urls.refund } else { &urls.refund_with_goods };
        let fields = match self.exchange(endpoint, &refund.identity, &signed).await? {
            Answer::Success(fields) => fields,
            other => return Err(verdict::of(Api::Refund, &other)),
        };
        let accepted =
            RefundAccepted::parse(&fields, &refund).map_err(|error| Unknown::new(Why::BadAnswer).because(&error))?;
        Ok(v1::RefundAccepted { refund_id: accepted.refund_id })
    }
}
