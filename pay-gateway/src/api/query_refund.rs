use proto::gateway::v1;
use tonic::{Request, Response, Status};

use super::{Api, deadline, fields::Fields};
use crate::{
    calls::{About, Number, Operation},
    providers::WhichRefund,
};

/// Asks what has become of a refund. The app need not be configured any more.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::QueryRefundRequest>,
) -> Result<Response<v1::QueryRefundResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let v1::QueryRefundRequest { merchant, mch_id, app_id, out_refund_no, sub_mch_id, with_goods, refund_id } =
        request.into_inner();
    let mut fields = Fields::of_merchant(&merchant, &api.merchants);
    fields.mch_id(&mch_id);
    fields.sub_mch_id(&sub_mch_id);
    fields.app_id(&app_id);
    let refund = fields.which_refund(out_refund_no, refund_id, with_goods);
    let merchant = fields.finish()?;

    let route = api.providers.route(&merchant);
    let number = match &refund {
        WhichRefund::OutRefundNo { number, .. } => Number::OutRefundNo(number.clone()),
        WhichRefund::RefundId(number) => Number::RefundId(number.clone()),
    };
    let about = About { operation: Operation::QueryRefund, merchant, number };
    let work = async move { route.query_refund(&app_id, &refund).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
