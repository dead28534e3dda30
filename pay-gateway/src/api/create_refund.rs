use proto::gateway::v1;
use tonic::{Request, Response, Status};

use super::{Api, deadline, fields::Fields};
use crate::{
    calls::{About, Number, Operation},
    leave::Leave,
    providers::RefundOrder,
};

/// Asks for money to go back. The app need not be configured any more: its payments can still be refunded.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::CreateRefundRequest>,
) -> Result<Response<v1::CreateRefundResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let mut asked = request.into_inner();
    let mut fields = Fields::of_merchant(&asked.merchant, &api.merchants);
    fields.mch_id(&asked.mch_id);
    fields.sub_mch_id(&asked.sub_mch_id);
    fields.app_id(&asked.app_id);
    fields.transaction_id(&asked.transaction_id);
    fields.out_refund_no(&asked.out_refund_no);
    let (total, amount) = fields.refunded(asked.total_fen, asked.amount_fen);
    fields.reason(&asked.reason);
    let goods = fields.refund_goods(std::mem::take(&mut asked.goods));
    let leave_before = fields.optional_instant("leave_before", asked.leave_before.as_ref());
    let merchant = fields.finish()?;

    let leave = Leave::before(leave_before, &api.real)?;
    let route = api.providers.route(&merchant).leaving(leave);
    let about =
        About { operation: Operation::Refund, merchant, number: Number::OutRefundNo(asked.out_refund_no.clone()) };
    let order = RefundOrder {
        app_id: asked.app_id,
        transaction_id: asked.transaction_id,
        out_refund_no: asked.out_refund_no,
        total,
        amount,
        reason: Some(asked.reason).filter(|reason| !reason.is_empty()),
        goods,
    };
    let work = async move { route.refund(&order).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
