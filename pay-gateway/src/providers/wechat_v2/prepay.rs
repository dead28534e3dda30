use jiff::{SignedDuration, Timestamp};
use merchants::NoticeKind;
use proto::{gateway::v1, order, time::to_wire};
use secrecy::{ExposeSecret as _, SecretString};
use wechat_pay::v2::{
    Answer, Identity, OpenId, Payer, Prepaid, TradeType, UnifiedOrder,
    action::Api,
    client::{AppInvocation, Invocation, h5_url},
};

use super::{Session, nonce, verdict};
use crate::{
    outcome::{Failure, Outcome, Unknown, Why},
    providers::{Attempt, Way},
};

/// How long a prepay id opens the cashier, and a QR code can be scanned.
const PREPAY_LIFE: SignedDuration = SignedDuration::from_hours(2);

/// How long a browser is let in.
const H5_LIFE: SignedDuration = SignedDuration::from_mins(5);

impl Session {
    /// Places the order and signs what opens the cashier.
    pub(crate) async fn prepay(&self, attempt: &Attempt) -> Outcome<v1::Prepaid> {
        self.place(attempt).await.into()
    }

    async fn place(&self, attempt: &Attempt) -> Result<v1::Prepaid, Failure> {
        let account = &self.account;
        let identity = self.identity(&attempt.app_id);
        let order = UnifiedOrder {
            trade_type: trade_type(&attempt.way, &identity),
            identity,
            out_trade_no: attempt.out_trade_no.clone(),
            body: attempt.description.clone(),
            total_fee: attempt.amount,
            spbill_create_ip: attempt.payer_ip,
            notify_url: self.merchant.notify_url(NoticeKind::Payment),
            // It would differ in each repetition, and a repetition must say the same.
            time_start: None,
            time_expire: Some(attempt.expire_time),
            particulars: attempt.particulars.clone(),
        };
        // Read before the call, so that the cashier is never promised for longer than it opens.
        let usable_until = usable_until(attempt, self.wechat.clock.now());
        let signed = order.signed(&nonce(), &account.api_key, account.sign_type);
        let fields = match self.exchange(&self.wechat.urls.unified_order, &order.identity, &signed).await? {
            Answer::Success(fields) => fields,
            other => return Err(verdict::of(Api::UnifiedOrder, &other)),
        };
        let prepaid =
            Prepaid::parse(&fields, &order.trade_type).map_err(|error| Unknown::new(Why::BadAnswer).because(&error))?;
        Ok(v1::Prepaid { usable_until: Some(to_wire(usable_until)), ..self.opened(attempt, &order.identity, prepaid) })
    }

    /// What opens the cashier, but for how long it does.
    fn opened(&self, attempt: &Attempt, identity: &Identity, prepaid: Prepaid) -> v1::Prepaid {
        let (account, now) = (&self.account, self.wechat.clock.now());
        let told = match &attempt.way {
            Way::InsideWechat { .. } => {
                let client =
                    Invocation::new(identity, &prepaid.prepay_id, &nonce(), now, &account.api_key, account.sign_type);
                v1::Prepaid {
                    app_id: client.app_id,
                    time_stamp: client.time_stamp,
                    nonce_str: client.nonce_str,
                    package: client.package,
                    sign_type: client.sign_type.as_str().to_owned(),
                    pay_sign: client.pay_sign,
                    ..v1::Prepaid::default()
                }
            }
            Way::Native { .. } => {
                v1::Prepaid { code_url: prepaid.code_url.unwrap_or_default(), ..v1::Prepaid::default() }
            }
            Way::App => {
                let client = AppInvocation::new(
                    identity,
                    &prepaid.prepay_id,
                    &nonce(),
                    now,
                    &account.api_key,
                    account.sign_type,
                );
                v1::Prepaid { app: Some(of_app(client)), ..v1::Prepaid::default() }
            }
            Way::H5 { redirect_url, .. } => v1::Prepaid {
                h5_url: h5_url(prepaid.mweb_url.as_deref().unwrap_or_default(), redirect_url.as_deref()),
                ..v1::Prepaid::default()
            },
        };
        v1::Prepaid { prepay_id: prepaid.prepay_id, ..told }
    }
}

fn usable_until(attempt: &Attempt, now: Timestamp) -> Timestamp {
    let life = if matches!(attempt.way, Way::H5 { .. }) { H5_LIFE } else { PREPAY_LIFE };
    attempt.expire_time.min(now.saturating_add(life).unwrap_or(attempt.expire_time))
}

fn trade_type(way: &Way, identity: &Identity) -> TradeType {
    let payer = |openid: &SecretString| Payer::of(identity, OpenId::new(openid.expose_secret()));
    match way {
        Way::InsideWechat { openid } => TradeType::Jsapi(payer(openid)),
        Way::Native { product_id, openid } => {
            TradeType::Native { product_id: product_id.clone(), payer: openid.as_ref().map(payer) }
        }
        Way::App => TradeType::App,
        Way::H5 { scene, .. } => TradeType::H5 { scene: scene.clone() },
    }
}

fn of_app(client: AppInvocation) -> order::v1::AppInvocation {
    order::v1::AppInvocation {
        appid: client.appid,
        partnerid: client.partnerid,
        prepayid: client.prepayid,
        package: client.package.to_owned(),
        noncestr: client.noncestr,
        timestamp: client.timestamp,
        sign: client.sign,
    }
}
