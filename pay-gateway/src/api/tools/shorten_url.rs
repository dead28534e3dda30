use proto::gateway::v1;
use tonic::{Request, Response, Status};
use wechat_pay::v2::limits;

use super::super::{Api, deadline, fields::Fields};
use crate::calls::{About, Number, Operation};

/// Shortens the text of a QR code.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::ShortenUrlRequest>,
) -> Result<Response<v1::ShortenUrlResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let v1::ShortenUrlRequest { merchant, app_id, long_url } = request.into_inner();
    let mut fields = Fields::of_merchant(&merchant, &api.merchants);
    fields.paired_app_id(&app_id);
    fields.limit("long_url", limits::check_long_url(&long_url));
    let merchant = fields.finish()?;

    let route = api.providers.route(&merchant);
    let about = About { operation: Operation::ShortenUrl, merchant, number: Number::None };
    let work = async move { route.shorten_url(&app_id, long_url).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
