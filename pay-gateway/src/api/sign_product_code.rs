use proto::{error::ErrorReason, gateway::v1};
use svc_kit::refusal;
use tonic::{Code, Request, Response, Status};

use super::{Api, fields::Fields};

/// Signs the QR code of a product (Native mode 1). Nothing is sent.
pub(super) fn handle(
    api: &Api,
    request: Request<v1::SignProductCodeRequest>,
) -> Result<Response<v1::SignProductCodeResponse>, Status> {
    let v1::SignProductCodeRequest { merchant, app_id, product_id } = request.into_inner();
    let mut fields = Fields::of_merchant(&merchant, &api.merchants);
    fields.paired_app_id(&app_id);
    fields.product_id(&product_id);
    let merchant = fields.finish()?;
    // The code has no place for a sub-merchant: whoever scanned it would pay the service provider.
    if merchant.sub_mch_id().is_some() {
        return Err(refusal::refuse(
            Code::FailedPrecondition,
            ErrorReason::MethodNotAvailable.word(),
            format!("{} is a service provider's sub-merchant, and product codes name none", merchant.name),
            [("merchant", merchant.name.to_string()), ("app_id", app_id)],
        ));
    }
    let code_url = api.providers.route(&merchant).sign_product_code(&app_id, &product_id);
    Ok(Response::new(v1::SignProductCodeResponse { code_url }))
}
