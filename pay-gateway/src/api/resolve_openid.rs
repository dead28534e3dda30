use merchants::AppKind;
use proto::{error::ErrorReason, gateway::v1};
use svc_kit::refusal;
use tonic::{Code, Request, Response, Status};

use super::{Api, deadline, fields::Fields};
use crate::{
    calls::{About, Number, Operation},
    providers::{Login, LoginOf},
};

/// Turns a mini program's login code, or an official account's OAuth code, into the payer's openid.
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

    let found = merchant.app(&app_id).and_then(|app| Some((login_of(app.kind)?, app.app_secret.clone()?)));
    let Some((of, app_secret)) = found else {
        return Err(refusal::refuse(
            Code::FailedPrecondition,
            ErrorReason::MethodNotAvailable.word(),
            format!(
                "{app_id} is neither a mini program nor an official account of {} with an app_secret_file",
                merchant.name
            ),
            [("merchant", merchant.name.to_string()), ("app_id", app_id)],
        ));
    };

    let route = api.providers.route(&merchant);
    let about = About { operation: Operation::ResolveOpenid, merchant, number: Number::None };
    let login = Login { app_id, app_secret, code: login_code.into(), of };
    let work = async move { route.resolve_openid(&login).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}

/// How the users of such an app log in.
pub(super) fn login_of(kind: AppKind) -> Option<LoginOf> {
    match kind {
        AppKind::MiniProgram => Some(LoginOf::MiniProgram),
        AppKind::OfficialAccount => Some(LoginOf::OfficialAccount),
        AppKind::App | AppKind::Web => None,
    }
}
