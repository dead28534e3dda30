use proto::gateway::v1;
use tonic::{Request, Response, Status};
use wechat_pay::v2::limits;

use super::super::{Api, deadline, fields::Fields};
use crate::calls::{About, Number, Operation};

/// Gives a face device's SDK the credential that it starts with.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::GetFaceCredentialRequest>,
) -> Result<Response<v1::GetFaceCredentialResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let asked = request.into_inner();
    let mut fields = Fields::of_merchant(&asked.merchant, &api.merchants);
    fields.paired_app_id(&asked.app_id);
    fields.limit("store_id", limits::check_device_number(&asked.store_id));
    fields.limit("store_name", limits::check_store_name(&asked.store_name));
    fields.limit("device_id", limits::check_device_number(&asked.device_id));
    fields.limit("rawdata", limits::check_rawdata(&asked.rawdata));
    let merchant = fields.finish()?;

    let route = api.providers.route(&merchant);
    let about = About { operation: Operation::GetFaceCredential, merchant, number: Number::None };
    let work = async move { route.face_credential(asked).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
