use proto::gateway::v1;
use tonic::{Request, Response, Status};
use wechat_pay::v2::limits;

use super::{
    super::{Api, deadline, fields::Fields},
    needs_certificate,
};
use crate::calls::{About, Number, Operation};

/// Asks what has become of a red packet. The app need not be configured any more.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::GetRedPacketRequest>,
) -> Result<Response<v1::GetRedPacketResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let v1::GetRedPacketRequest { merchant, app_id, mch_billno } = request.into_inner();
    let mut fields = Fields::of_merchant(&merchant, &api.merchants);
    fields.app_id(&app_id);
    fields.limit("mch_billno", limits::check_mch_billno(&mch_billno));
    let merchant = fields.finish()?;
    needs_certificate(&merchant)?;

    let route = api.providers.route(&merchant);
    let about = About { operation: Operation::GetRedPacket, merchant, number: Number::MchBillno(mch_billno.clone()) };
    let work = async move { route.red_packet(&app_id, mch_billno).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
