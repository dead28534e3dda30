use jiff::SignedDuration;
use merchants::NoticeKind;
use proto::{gateway::v1, time::to_wire};
use secrecy::ExposeSecret as _;
use wechat_pay::v2::{
    Answer, OpenId, Particulars, Payer, Prepaid, TradeType, UnifiedOrder, action::Api, client::Invocation,
};

use super::{Session, nonce, verdict};
use crate::{
    outcome::{Failure, Outcome, Unknown, Why},
    providers::Attempt,
};

/// How long a prepay id opens the cashier.
const PREPAY_LIFE: SignedDuration = SignedDuration::from_hours(2);

impl Session {
    /// Places the order and signs what opens the cashier.
    pub(crate) async fn prepay(&self, attempt: &Attempt) -> Outcome<v1::Prepaid> {
        self.place(attempt).await.into()
    }

    async fn place(&self, attempt: &Attempt) -> Result<v1::Prepaid, Failure> {
        let account = &self.account;
        let order = UnifiedOrder {
            identity: self.identity(&attempt.app_id),
            trade_type: TradeType::Jsapi(Payer::App(OpenId::new(attempt.openid.expose_secret()))),
            out_trade_no: attempt.out_trade_no.clone(),
            body: attempt.description.clone(),
            total_fee: attempt.amount,
            spbill_create_ip: attempt.payer_ip,
            notify_url: self.merchant.notify_url(NoticeKind::Payment),
            // It would differ in each repetition, and a repetition must say the same.
            time_start: None,
            time_expire: Some(attempt.expire_time),
            particulars: Particulars::default(),
        };
        // Read before the call, so that the cashier is never promised for longer than it opens.
        let usable_until =
            attempt.expire_time.min(self.wechat.clock.now().saturating_add(PREPAY_LIFE).unwrap_or(attempt.expire_time));
        let signed = order.signed(&nonce(), &account.api_key, account.sign_type);
        let fields = match self.exchange(&self.wechat.urls.unified_order, &order.identity, &signed).await? {
            Answer::Success(fields) => fields,
            other => return Err(verdict::of(Api::UnifiedOrder, &other)),
        };
        let prepaid =
            Prepaid::parse(&fields, &order.trade_type).map_err(|error| Unknown::new(Why::BadAnswer).because(&error))?;
        let now = self.wechat.clock.now();
        let client =
            Invocation::new(&order.identity, &prepaid.prepay_id, &nonce(), now, &account.api_key, account.sign_type);
        Ok(v1::Prepaid {
            app_id: client.app_id,
            time_stamp: client.time_stamp,
            nonce_str: client.nonce_str,
            package: client.package,
            sign_type: client.sign_type.as_str().to_owned(),
            pay_sign: client.pay_sign,
            usable_until: Some(to_wire(usable_until)),
            prepay_id: prepaid.prepay_id,
            ..v1::Prepaid::default()
        })
    }
}
