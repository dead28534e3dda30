use proto::gateway::v1;
use tonic::{Request, Response, Status};

use super::{Api, deadline, fields::Fields};
use crate::calls::{About, Number, Operation};

/// Asks what has become of an attempt. The app need not be configured any more.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::QueryPaymentRequest>,
) -> Result<Response<v1::QueryPaymentResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let asked = request.into_inner();
    let facepay = asked.method() == v1::PaymentMethod::Facepay;
    let v1::QueryPaymentRequest { merchant, mch_id, app_id, out_trade_no, sub_mch_id, .. } = asked;
    let mut fields = Fields::of_merchant(&merchant, &api.merchants);
    fields.mch_id(&mch_id);
    fields.sub_mch_id(&sub_mch_id);
    fields.app_id(&app_id);
    fields.out_trade_no(&out_trade_no);
    let merchant = fields.finish()?;

    let route = api.providers.route(&merchant);
    let about = About { operation: Operation::Query, merchant, number: Number::OutTradeNo(out_trade_no.clone()) };
    let work = async move {
        if facepay {
            route.query_facepay(&app_id, &out_trade_no).await
        } else {
            route.query(&app_id, &out_trade_no).await
        }
    };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
