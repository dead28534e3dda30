use proto::gateway::v1;
use tonic::{Request, Response, Status};

use super::{Api, deadline, fields::Fields};
use crate::{
    calls::{About, Number, Operation},
    leave::Leave,
};

/// Takes a pay code or face attempt back. The app need not be configured any more.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::ReversePaymentRequest>,
) -> Result<Response<v1::ReversePaymentResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let asked = request.into_inner();
    let mut fields = Fields::of_merchant(&asked.merchant, &api.merchants);
    fields.mch_id(&asked.mch_id);
    fields.sub_mch_id(&asked.sub_mch_id);
    fields.app_id(&asked.app_id);
    fields.out_trade_no(&asked.out_trade_no);
    let call = fields.counter_method(asked.method());
    let leave_before = fields.optional_instant("leave_before", asked.leave_before.as_ref());
    let merchant = fields.finish()?;
    let Some(call) = call else { unreachable!("a method that is none of the counter's is a violation") };

    let leave = Leave::before(leave_before, &api.real)?;
    let route = api.providers.route(&merchant).leaving(leave);
    let about =
        About { operation: Operation::Reverse, merchant, number: Number::OutTradeNo(asked.out_trade_no.clone()) };
    let work = async move { route.reverse(call, &asked.app_id, &asked.out_trade_no).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
