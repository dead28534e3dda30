use proto::gateway::v1;
use tonic::{Request, Response, Status};

use super::super::{Api, deadline, fields::Fields};
use crate::calls::{About, Number, Operation};

/// Most refunds that may be skipped; WeChat makes at most 50 of one payment.
const MAX_OFFSET: u32 = 1000;

/// Lists the refunds of a payment as the provider knows them. The app need not be configured any more.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::ListProviderRefundsRequest>,
) -> Result<Response<v1::ListProviderRefundsResponse>, Status> {
    let time = deadline::within(request.metadata(), api.provider_timeout)?;
    let v1::ListProviderRefundsRequest { merchant, app_id, transaction_id, offset } = request.into_inner();
    let mut fields = Fields::of_merchant(&merchant, &api.merchants);
    fields.app_id(&app_id);
    fields.transaction_id(&transaction_id);
    let offset = u32::try_from(offset).ok().filter(|offset| *offset <= MAX_OFFSET);
    fields.check(offset.is_some(), "offset", "must be 0 to 1000");
    let merchant = fields.finish()?;
    let Some(offset) = offset else { unreachable!("an offset that is out of range is a violation") };

    let route = api.providers.route(&merchant);
    let about = About { operation: Operation::ListRefunds, merchant, number: Number::None };
    let work = async move { route.list_refunds(&app_id, &transaction_id, offset).await };
    Ok(Response::new(api.calls.make(about, time, work).await?.into()))
}
