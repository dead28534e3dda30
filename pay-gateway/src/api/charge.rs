use jiff::SignedDuration;
use proto::{error::ErrorReason, gateway::v1};
use secrecy::SecretString;
use svc_kit::refusal;
use tonic::{Code, Request, Response, Status};

use super::{Api, deadline, fields::Fields};
use crate::{
    calls::{About, Number, Operation},
    leave::Leave,
    providers::{Charge, CounterCall, Shown},
};

/// WeChat refuses an attempt that has no more than this left.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_secs(60);

/// Takes a payment by pay code or face.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::ChargeRequest>,
) -> Result<Response<v1::ChargeResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let asked = request.into_inner();
    let method = asked.method();
    let mut fields = Fields::of_merchant(&asked.merchant, &api.merchants);
    fields.mch_id(&asked.mch_id);
    fields.sub_mch_id(&asked.sub_mch_id);
    fields.paired_app_id(&asked.app_id);
    fields.out_trade_no(&asked.out_trade_no);
    let amount = fields.amount(asked.amount_fen);
    fields.description(&asked.description);
    let expire_time = fields.instant("expire_time", asked.expire_time.as_ref());
    let lives = expire_time.is_none_or(|expire_time| SHORTEST_LIFE < expire_time.duration_since(api.clock.now()));
    fields.check(lives, "expire_time", "must be more than a minute from now");
    let terminal_ip = fields.terminal_ip(&asked.terminal_ip);
    let call = fields.counter_method(method);
    fields.code(method, &asked.code);
    if call == Some(CounterCall::Facepay) {
        fields.openid(&asked.openid);
    }
    let particulars = fields.particulars(asked.particulars);
    let leave_before = fields.optional_instant("leave_before", asked.leave_before.as_ref());
    let merchant = fields.finish()?;
    let (Some(expire_time), Some(terminal_ip), Some(call)) = (expire_time, terminal_ip, call) else {
        unreachable!("a field that cannot be read is a violation")
    };

    // Only with it can an attempt be taken back that nobody knows the end of.
    if merchant.wechat_v2().is_none_or(|account| account.client_identity.is_none()) {
        return Err(refusal::refuse(
            Code::FailedPrecondition,
            ErrorReason::MethodNotAvailable.word(),
            format!(
                "{} has no client certificate, without which a payment at a counter cannot be reversed; nothing was sent",
                merchant.name
            ),
            [("merchant", merchant.name.to_string())],
        ));
    }

    let leave = Leave::before(leave_before, &api.real)?;
    let route = api.providers.route(&merchant).leaving(leave);
    let about =
        About { operation: Operation::Charge, merchant, number: Number::OutTradeNo(asked.out_trade_no.clone()) };
    let code = SecretString::from(asked.code);
    let charge = Charge {
        app_id: asked.app_id,
        out_trade_no: asked.out_trade_no,
        amount,
        description: asked.description,
        expire_time,
        terminal_ip,
        shown: match call {
            CounterCall::PayCode => Shown::PayCode(code),
            CounterCall::Facepay => Shown::Face { code, openid: SecretString::from(asked.openid) },
        },
        particulars,
    };
    let work = async move { route.charge(&charge).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
