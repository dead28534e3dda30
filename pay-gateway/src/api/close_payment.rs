use proto::gateway::v1;
use tonic::{Request, Response, Status};

use super::{Api, deadline, fields::Fields};
use crate::calls::{About, Number, Operation};

/// Asks that nobody can pay an attempt any more. The app need not be configured any more.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::ClosePaymentRequest>,
) -> Result<Response<v1::ClosePaymentResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let v1::ClosePaymentRequest { merchant, mch_id, app_id, out_trade_no, sub_mch_id } = request.into_inner();
    let mut fields = Fields::of_merchant(&merchant, &api.merchants);
    fields.mch_id(&mch_id);
    fields.sub_mch_id(&sub_mch_id);
    fields.app_id(&app_id);
    fields.out_trade_no(&out_trade_no);
    let merchant = fields.finish()?;

    let route = api.providers.route(&merchant);
    let about = About { operation: Operation::Close, merchant, number: Number::OutTradeNo(out_trade_no.clone()) };
    let work = async move { route.close(&app_id, &out_trade_no).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
