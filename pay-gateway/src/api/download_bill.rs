use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use jiff::{ToSpan as _, civil::Date};
use proto::{error::ErrorReason, gateway::v1};
use svc_kit::refusal;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::Stream;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use wechat_pay::{
    time::bill_date,
    v2::{AccountType, BillType},
};

use super::{Api, deadline, fields::Fields};
use crate::{
    calls::{About, Calls, Ended, Number, Operation, note},
    metrics::InFlight,
    outcome::{Unknown, Why},
    providers::{Bill, BillKind, NoBill},
};

/// Longest time until the provider begins to answer; it may have to put the bill together.
const FIRST_BYTE: Duration = Duration::from_secs(30);

/// Longest time that a caller may take to accept one chunk; after that its place goes to another.
const STALLED_CALLER: Duration = Duration::from_mins(1);

/// Longest download altogether.
const WHOLE: Duration = Duration::from_mins(15);

/// After the stop was asked for, a download may still take this long: less than the process has to drain.
const AFTER_STOP: Duration = Duration::from_secs(5);

/// Chunks that wait for the caller.
const CHUNKS_AHEAD: usize = 2;

/// Months of bills that providers keep.
const HISTORY_MONTHS: i64 = 3;

/// The chunks of a bill, then `end`; an error when anything else would end it.
#[derive(Debug)]
pub(crate) struct Parts {
    parts: mpsc::Receiver<Sent>,
    complete: bool,
}

/// Streams one day's bill, decompressed.
pub(super) async fn handle(api: &Api, request: Request<v1::DownloadBillRequest>) -> Result<Response<Parts>, Status> {
    let time = deadline::within(request.metadata(), FIRST_BYTE)?;
    let v1::DownloadBillRequest { merchant, bill_date: asked, kind } = request.into_inner();
    let today = bill_date(api.clock.now());
    let mut fields = Fields::of_merchant(&merchant, &api.merchants);
    let date = parse_date(&asked);
    fields.check(date.is_some(), "bill_date", "must be a date such as 2026-11-21");
    let oldest = today.saturating_sub(HISTORY_MONTHS.months());
    fields.check(date.is_none_or(|date| oldest <= date), "bill_date", "is more than three months ago");
    let kind = kind_of(kind);
    fields.check(kind.is_some(), "kind", "is no kind of bill that we know");
    let merchant = fields.finish()?;
    let (Some(date), Some(kind)) = (date, kind) else { unreachable!("a field that cannot be read is a violation") };
    if today <= date {
        let message = format!("the day {date} is not over in Asia/Shanghai; nothing was asked");
        return Err(refusal::refuse(Code::FailedPrecondition, ErrorReason::BillNotReady.word(), message, []));
    }
    // WeChat answers a call without certificate with a page for people, which would read like a broken bill.
    if matches!(kind, BillKind::Fund(_)) && merchant.wechat_v2().is_none_or(|account| account.client_identity.is_none())
    {
        let message = format!("fund flows need a client certificate, and {} has none; nothing was sent", merchant.name);
        let told = [("merchant", merchant.name.to_string())];
        return Err(refusal::refuse(Code::FailedPrecondition, ErrorReason::MethodNotAvailable.word(), message, told));
    }

    let (place, in_flight) = (api.calls.admit_download()?, api.calls.metrics().begin());
    let route = api.providers.route(&merchant);
    let about = About { operation: Operation::DownloadBill, merchant, number: Number::None };
    let started = Instant::now();
    let opened = tokio::select! {
        opened = tokio::time::timeout(time, route.download_bill(kind, date)) => {
            opened.unwrap_or_else(|_late| Err(NoBill::Unknown(Unknown::new(Why::Timeout))))
        }
        // A bill that has not begun would not be whole before the end; another process can fetch it.
        () = api.stop.cancelled() => Err(NoBill::Unknown(Unknown::new(Why::Stopping))),
    };
    let bill = match opened {
        Ok(bill) => bill,
        Err(no_bill) => return Err(told(&api.calls, &about, no_bill, started.elapsed())),
    };

    let (chunks, last_word, parts) = channel();
    let calls = Arc::clone(&api.calls);
    let download = Download { bill, chunks, last_word, about, started, calls, _place: place, _in_flight: in_flight };
    api.calls.spawn(download.run(api.stop.clone()));
    Ok(Response::new(Parts { parts, complete: false }))
}

type Sent = Result<v1::DownloadBillResponse, Status>;

/// The way to the caller: for chunks, and one place that is kept free, so that nobody waits for a stalled caller only to
/// say why its bill ends.
fn channel() -> (mpsc::Sender<Sent>, mpsc::OwnedPermit<Sent>, mpsc::Receiver<Sent>) {
    let (chunks, parts) = mpsc::channel(CHUNKS_AHEAD + 1);
    let last_word = chunks.clone().try_reserve_owned().expect("a new channel is empty and open");
    (chunks, last_word, parts)
}

impl Stream for Parts {
    type Item = Result<v1::DownloadBillResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        use v1::download_bill_response::Part;
        let next = ready!(self.parts.poll_recv(context));
        match &next {
            Some(Ok(v1::DownloadBillResponse { part: Some(Part::End(_)) }) | Err(_)) => self.complete = true,
            // The other end is gone, whatever happened to it: the caller must not take this for a whole bill.
            None if !self.complete => {
                self.complete = true;
                return Poll::Ready(Some(Err(broken_off(&Unknown::new(Why::Internal)))));
            }
            Some(Ok(_)) | None => {}
        }
        Poll::Ready(next)
    }
}

/// One download under way.
struct Download {
    bill: Bill,
    chunks: mpsc::Sender<Sent>,
    last_word: mpsc::OwnedPermit<Sent>,
    about: About,
    started: Instant,
    calls: Arc<Calls>,
    _place: OwnedSemaphorePermit,
    _in_flight: InFlight,
}

impl Download {
    async fn run(mut self, stop: CancellationToken) {
        let stopped = async {
            stop.cancelled().await;
            tokio::time::sleep(AFTER_STOP).await;
        };
        let ended = tokio::select! {
            ended = tokio::time::timeout(WHOLE, self.hand_over()) => {
                ended.unwrap_or_else(|_late| Err(Some(Unknown::new(Why::Timeout))))
            }
            () = stopped => Err(Some(Unknown::new(Why::Stopping))),
        };
        let took = self.started.elapsed();
        match ended {
            Ok(bytes) => {
                self.calls.metrics().bill_bytes(bytes);
                note(self.calls.metrics(), &self.about, Ended::well("done", "done"), took);
            }
            Err(Some(unknown)) => {
                let status = told(&self.calls, &self.about, NoBill::Unknown(unknown), took);
                self.last_word.send(Err(status));
            }
            Err(None) => note(self.calls.metrics(), &self.about, Ended::well("unknown", "caller_left"), took),
        }
    }

    /// Hands every chunk over, then `end`. Answers how many bytes there were; `Err(None)` when the caller has left.
    async fn hand_over(&mut self) -> Result<u64, Option<Unknown>> {
        use v1::download_bill_response::Part;
        let mut bytes: u64 = 0;
        while let Some(chunk) = self.bill.next().await? {
            bytes = bytes.saturating_add(chunk.len().try_into().unwrap_or(u64::MAX));
            self.send(Part::Chunk(chunk.into())).await?;
        }
        let end = v1::BillEnd { bytes: i64::try_from(bytes).unwrap_or(i64::MAX) };
        self.send(Part::End(end)).await?;
        Ok(bytes)
    }

    async fn send(&self, part: v1::download_bill_response::Part) -> Result<(), Option<Unknown>> {
        let message = v1::DownloadBillResponse { part: Some(part) };
        self.chunks.send_timeout(Ok(message), STALLED_CALLER).await.map_err(|_left| None)
    }
}

/// Counts and logs why there is no bill, and says it to the caller.
fn told(calls: &Calls, about: &About, no_bill: NoBill, took: Duration) -> Status {
    let log = |ended| note(calls.metrics(), about, ended, took);
    match no_bill {
        NoBill::None => {
            log(Ended::well("not_done", "no_bill"));
            let message = "the provider has no bill for that day: there was nothing to tell".to_owned();
            refusal::refuse(Code::NotFound, ErrorReason::NoBill.word(), message, [])
        }
        NoBill::NotReady => {
            log(Ended::well("not_done", "bill_not_ready"));
            let message = "the provider is still making the bill of that day; ask again in half an hour".to_owned();
            refusal::refuse(Code::FailedPrecondition, ErrorReason::BillNotReady.word(), message, [])
        }
        NoBill::Refused(no) => {
            log(Ended::not_done(&no));
            let message = format!("the provider refused: {}", no.message);
            let told = [("provider_code", no.code)];
            refusal::refuse(Code::FailedPrecondition, ErrorReason::ProviderRefused.word(), message, told)
        }
        NoBill::Unknown(unknown) => {
            log(Ended::unknown(&unknown));
            broken_off(&unknown)
        }
    }
}

fn broken_off(unknown: &Unknown) -> Status {
    let message = format!("the bill did not come whole ({}); try again", unknown.why.word());
    let told = [("why", unknown.why.word().to_owned()), ("provider_code", unknown.code.clone())];
    refusal::refuse(Code::Unavailable, ErrorReason::ProviderUnknown.word(), message, told)
}

/// Which bill the wire asks for.
fn kind_of(wire: i32) -> Option<BillKind> {
    use v1::download_bill_request::Kind;
    Some(match Kind::try_from(wire).ok()? {
        Kind::Unspecified | Kind::TradeAll => BillKind::Trade(BillType::All),
        Kind::TradeSuccess => BillKind::Trade(BillType::Success),
        Kind::TradeRefund => BillKind::Trade(BillType::Refund),
        Kind::TradeRechargeRefund => BillKind::Trade(BillType::RechargeRefund),
        Kind::FundBasic => BillKind::Fund(AccountType::Basic),
        Kind::FundOperation => BillKind::Fund(AccountType::Operation),
        Kind::FundFees => BillKind::Fund(AccountType::Fees),
    })
}

/// Reads `2026-11-21` and no other spelling of it.
fn parse_date(text: &str) -> Option<Date> {
    text.parse().ok().filter(|date: &Date| date.to_string() == text)
}

#[cfg(test)]
mod tests {
    use proto::gateway::v1::{self, download_bill_response::Part};
    use tokio::sync::mpsc;
    use tokio_stream::StreamExt as _;
    use tonic::Code;

    use super::{CHUNKS_AHEAD, Parts, broken_off, channel, parse_date};
    use crate::outcome::{Unknown, Why};

    fn message(part: Part) -> v1::DownloadBillResponse {
        v1::DownloadBillResponse { part: Some(part) }
    }

    #[tokio::test]
    async fn a_download_that_vanishes_ends_in_an_error_and_not_like_a_whole_one() {
        let (chunks, parts) = mpsc::channel(2);
        chunks.send(Ok(message(Part::Chunk(vec![1])))).await.expect("there is room");
        drop(chunks);
        let mut parts = Parts { parts, complete: false };
        assert!(matches!(parts.next().await, Some(Ok(_))));
        let error = parts.next().await.expect("an end of its own").expect_err("an error");
        assert_eq!(error.code(), Code::Unavailable);
        assert!(parts.next().await.is_none());
    }

    #[tokio::test]
    async fn a_whole_download_ends_after_its_end() {
        let (chunks, parts) = mpsc::channel(2);
        chunks.send(Ok(message(Part::End(v1::BillEnd { bytes: 0 })))).await.expect("there is room");
        drop(chunks);
        let mut parts = Parts { parts, complete: false };
        assert!(matches!(parts.next().await, Some(Ok(_))));
        assert!(parts.next().await.is_none());
    }

    #[tokio::test]
    async fn a_stalled_caller_is_told_the_end_without_anybody_waiting_for_it() {
        let (chunks, last_word, parts) = channel();
        while chunks.try_send(Ok(message(Part::Chunk(vec![1])))).is_ok() {}
        last_word.send(Err(broken_off(&Unknown::new(Why::Stopping))));
        drop(chunks);
        let parts: Vec<_> = Parts { parts, complete: false }.collect().await;
        assert_eq!(parts.len(), CHUNKS_AHEAD + 1);
        let error = parts.last().expect("an end").as_ref().expect_err("an error");
        assert!(error.message().contains("stopping"), "{}", error.message());
    }

    #[test]
    fn a_bill_date_has_one_spelling() {
        assert!(parse_date("2026-11-21").is_some());
        for text in ["", "20261121", "2026-11-21T00:00", "2026-11-31", "2026-1-2", " 2026-11-21", "+002026-11-21"] {
            assert!(parse_date(text).is_none(), "{text:?}");
        }
    }
}
