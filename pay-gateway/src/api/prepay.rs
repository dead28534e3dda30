use jiff::SignedDuration;
use merchants::{AppKind, Merchant};
use proto::{
    error::ErrorReason,
    gateway::v1::{self, PaymentMethod},
};
use secrecy::SecretString;
use svc_kit::refusal;
use tonic::{Code, Request, Response, Status};

use super::{Api, deadline, fields::Fields};
use crate::{
    calls::{About, Number, Operation},
    leave::Leave,
    providers::{Attempt, Way},
};

/// WeChat refuses an attempt that has no more than this left.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_secs(60);

/// Asks the provider to accept an attempt, and signs what opens the cashier.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::PrepayRequest>,
) -> Result<Response<v1::PrepayResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let mut asked = request.into_inner();
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
    let payer_ip = fields.payer_ip(&asked.payer_ip);
    let method = asked.method();
    let way = way(&mut fields, method, &mut asked);
    let particulars = fields.particulars(asked.particulars.take());
    let leave_before = fields.optional_instant("leave_before", asked.leave_before.as_ref());
    let merchant = fields.finish()?;
    let (Some(expire_time), Some(payer_ip), Some(way)) = (expire_time, payer_ip, way) else {
        unreachable!("a field that cannot be read is a violation")
    };
    opens(&merchant, &asked.app_id, method)?;

    let leave = Leave::before(leave_before, &api.real)?;
    let route = api.providers.route(&merchant).leaving(leave);
    let about =
        About { operation: Operation::Prepay, merchant, number: Number::OutTradeNo(asked.out_trade_no.clone()) };
    let attempt = Attempt {
        app_id: asked.app_id,
        out_trade_no: asked.out_trade_no,
        amount,
        description: asked.description,
        expire_time,
        payer_ip,
        way,
        particulars,
    };
    let work = async move { route.prepay(&attempt).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}

/// Reads what only this method needs; what belongs to another method is a mistake.
fn way(fields: &mut Fields, method: PaymentMethod, asked: &mut v1::PrepayRequest) -> Option<Way> {
    // A number that is no method of ours reads as unspecified, and is none all the same.
    let known = PaymentMethod::try_from(asked.method).is_ok();
    let (openid, product_id, h5) =
        (std::mem::take(&mut asked.openid), std::mem::take(&mut asked.product_id), asked.h5.take());
    if method != PaymentMethod::Native {
        fields.check(product_id.is_empty(), "product_id", "belongs to NATIVE alone");
    }
    if method != PaymentMethod::H5 {
        fields.check(h5.is_none(), "h5", "belongs to H5 alone");
    }
    match method {
        PaymentMethod::Unspecified | PaymentMethod::MiniProgram | PaymentMethod::Jsapi if known => {
            fields.openid(&openid);
            Some(Way::InsideWechat { openid: openid.into() })
        }
        PaymentMethod::Native => {
            fields.product_id(&product_id);
            let openid = Some(openid).filter(|openid| !openid.is_empty());
            if let Some(openid) = &openid {
                fields.openid(openid);
            }
            Some(Way::Native { product_id, openid: openid.map(SecretString::from) })
        }
        PaymentMethod::App => {
            fields.check(openid.is_empty(), "openid", "is not sent for APP");
            Some(Way::App)
        }
        PaymentMethod::H5 => {
            fields.check(openid.is_empty(), "openid", "is not sent for H5");
            let (scene, redirect_url) = fields.h5(h5)?;
            Some(Way::H5 { scene, redirect_url })
        }
        _ => {
            fields.check(false, "method", "must be MINI_PROGRAM, JSAPI, NATIVE, APP or H5");
            None
        }
    }
}

/// Whether this app opens this method's cashier. A QR code and a browser outside WeChat are no app's own.
fn opens(merchant: &Merchant, app_id: &str, method: PaymentMethod) -> Result<(), Status> {
    let kind = merchant.app(app_id).map(|app| app.kind);
    let (fits, needed) = match method {
        PaymentMethod::MiniProgram => (kind == Some(AppKind::MiniProgram), "no mini program"),
        PaymentMethod::Jsapi => (kind == Some(AppKind::OfficialAccount), "no official account"),
        PaymentMethod::App => (kind == Some(AppKind::App), "no app of the open platform"),
        PaymentMethod::Native | PaymentMethod::H5 => (true, ""),
        _ => (
            matches!(kind, Some(AppKind::MiniProgram | AppKind::OfficialAccount)),
            "neither a mini program nor an official account",
        ),
    };
    if fits {
        return Ok(());
    }
    Err(refusal::refuse(
        Code::FailedPrecondition,
        ErrorReason::MethodNotAvailable.word(),
        format!("{app_id} is {needed}"),
        [("merchant", merchant.name.to_string()), ("app_id", app_id.to_owned())],
    ))
}
