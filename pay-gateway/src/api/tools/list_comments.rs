use jiff::{Timestamp, ToSpan as _};
use proto::gateway::v1;
use tonic::{Request, Response, Status};
use wechat_pay::{time, v2::CommentQuery};

use super::{
    super::{Api, deadline, fields::Fields},
    needs_certificate,
};
use crate::{
    calls::{About, Number, Operation},
    providers::CommentPage,
};

/// How far back WeChat knows comments.
const HISTORY_MONTHS: i64 = 3;

/// Lists what payers wrote about their payments.
pub(super) async fn handle(
    api: &Api,
    request: Request<v1::ListCommentsRequest>,
) -> Result<Response<v1::ListCommentsResponse>, Status> {
    let within = deadline::within(request.metadata(), api.provider_timeout)?;
    let asked = request.into_inner();
    let mut fields = Fields::of_merchant(&asked.merchant, &api.merchants);
    fields.paired_app_id(&asked.app_id);
    let begin_time = fields.instant("begin_time", asked.begin_time.as_ref());
    let oldest = oldest(api.clock.now());
    fields.check(begin_time.is_none_or(|begin| oldest <= begin), "begin_time", "is more than three months ago");
    let end_time = fields.instant("end_time", asked.end_time.as_ref());
    let ordered = begin_time.zip(end_time).is_none_or(|(begin, end)| begin < end);
    fields.check(ordered, "end_time", "must be after begin_time");
    let offset = u64::try_from(asked.offset).ok();
    fields.check(offset.is_some(), "offset", "must be 0 or the next_offset of an answer");
    let limit = match u32::try_from(asked.limit) {
        Ok(0) => Some(CommentQuery::MOST),
        limit => limit.ok().filter(|limit| *limit <= CommentQuery::MOST),
    };
    fields.check(limit.is_some(), "limit", "must be 1 to 200, or 0 for 200");
    let merchant = fields.finish()?;
    needs_certificate(&merchant)?;
    let (Some(begin_time), Some(end_time), Some(offset), Some(limit)) = (begin_time, end_time, offset, limit) else {
        unreachable!("a field that cannot be read is a violation")
    };

    let route = api.providers.route(&merchant);
    let about = About { operation: Operation::ListComments, merchant, number: Number::None };
    let page = CommentPage { app_id: asked.app_id, begin_time, end_time, offset, limit };
    let work = async move { route.list_comments(&page).await };
    Ok(Response::new(api.calls.make(about, within, work).await?.into()))
}

/// The beginning of the day three months ago in Beijing.
fn oldest(now: Timestamp) -> Timestamp {
    time::day_start(time::bill_date(now).saturating_sub(HISTORY_MONTHS.months())).unwrap_or(Timestamp::MIN)
}
