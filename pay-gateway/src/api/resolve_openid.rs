use merchants::AppKind;
use proto::{error::ErrorReason, gateway::v1};
use secrecy::SecretString;
use svc_kit::refusal;
use tonic::{Code, Request, Response, Status};

use super::{Api, deadline, fields::Fields};
use crate::calls::{About, Number, Operation};

/// Turns a mini program's login code into the payer's openid.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::ResolveOpenidRequest>,
) -> Result<Response<v1::ResolveOpenidResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let v1::ResolveOpenidRequest { merchant, app_id, login_code } = request.into_inner();
    let mut fields = Fields::of_merchant(&merchant, &api.merchants);
    fields.paired_app_id(&app_id);
    fields.login_code(&login_code);
    let merchant = fields.finish()?;

    let app = merchant.app(&app_id).filter(|app| app.kind == AppKind::MiniProgram);
    let Some(secret) = app.and_then(|app| app.app_secret.clone()) else {
        return Err(refusal::refuse(
            Code::FailedPrecondition,
            ErrorReason::MethodNotAvailable.word(),
            format!("{app_id} is no mini program of {} with an app_secret_file", merchant.name),
            [("merchant", merchant.name.to_string()), ("app_id", app_id)],
        ));
    };

    let route = api.providers.route(&merchant);
    let about = About { operation: Operation::ResolveOpenid, merchant, number: Number::None };
    // A login code is as good as a password for five minutes.
    let login_code = SecretString::from(login_code);
    let work = async move { route.resolve_openid(&app_id, &secret, &login_code).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
