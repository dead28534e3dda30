use jiff::SignedDuration;
use merchants::AppKind;
use proto::{error::ErrorReason, gateway::v1};
use secrecy::SecretString;
use svc_kit::refusal;
use tonic::{Code, Request, Response, Status};

use super::{Api, deadline, fields::Fields};
use crate::{
    calls::{About, Number, Operation},
    providers::Attempt,
};

/// WeChat refuses an attempt that has no more than this left.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_secs(60);

/// Asks the provider to accept an attempt, and signs what opens the cashier.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::PrepayRequest>,
) -> Result<Response<v1::PrepayResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let asked = request.into_inner();
    let mut fields = Fields::of_merchant(&asked.merchant, &api.merchants);
    fields.mch_id(&asked.mch_id);
    fields.paired_app_id(&asked.app_id);
    fields.out_trade_no(&asked.out_trade_no);
    let amount = fields.amount(asked.amount_fen);
    fields.description(&asked.description);
    let expire_time = fields.instant("expire_time", asked.expire_time.as_ref());
    let lives = expire_time.is_none_or(|expire_time| SHORTEST_LIFE < expire_time.duration_since(api.clock.now()));
    fields.check(lives, "expire_time", "must be more than a minute from now");
    let payer_ip = fields.payer_ip(&asked.payer_ip);
    fields.openid(&asked.openid);
    let merchant = fields.finish()?;
    let (Some(expire_time), Some(payer_ip)) = (expire_time, payer_ip) else {
        unreachable!("a field that cannot be read is a violation")
    };

    // Only these two open their cashier with an openid.
    let kind = merchant.app(&asked.app_id).map(|app| app.kind);
    if !matches!(kind, Some(AppKind::MiniProgram | AppKind::OfficialAccount)) {
        return Err(refusal::refuse(
            Code::FailedPrecondition,
            ErrorReason::MethodNotAvailable.word(),
            format!("{} is neither a mini program nor an official account", asked.app_id),
            [("merchant", merchant.name.to_string()), ("app_id", asked.app_id)],
        ));
    }

    let route = api.providers.route(&merchant);
    let about =
        About { operation: Operation::Prepay, merchant, number: Number::OutTradeNo(asked.out_trade_no.clone()) };
    let attempt = Attempt {
        app_id: asked.app_id,
        out_trade_no: asked.out_trade_no,
        amount,
        description: asked.description,
        expire_time,
        payer_ip,
        openid: SecretString::from(asked.openid),
    };
    let work = async move { route.prepay(&attempt).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
