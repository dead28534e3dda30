use proto::gateway::v1;
use secrecy::SecretString;
use tonic::{Request, Response, Status};
use wechat_pay::v2::limits;

use super::super::{Api, deadline, fields::Fields};
use crate::calls::{About, Number, Operation};

/// Tells who shows a pay code.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::ResolvePayCodeRequest>,
) -> Result<Response<v1::ResolveOpenidResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let v1::ResolvePayCodeRequest { merchant, app_id, auth_code } = request.into_inner();
    let mut fields = Fields::of_merchant(&merchant, &api.merchants);
    fields.paired_app_id(&app_id);
    fields.limit("auth_code", limits::check_auth_code(&auth_code));
    let merchant = fields.finish()?;

    let route = api.providers.route(&merchant);
    let about = About { operation: Operation::ResolvePayCode, merchant, number: Number::None };
    let auth_code = SecretString::from(auth_code);
    let work = async move { route.resolve_pay_code(&app_id, &auth_code).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
