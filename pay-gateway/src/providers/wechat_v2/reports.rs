//! Tells WeChat how some of its calls went (交易保障), in the background. A call neither waits for its report nor learns of it.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use svc_kit::{clock::Clock, process::Tasks};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wechat_pay::v2::{
    Answer, ApiKey, Fields, Identity, Unknown as Unproven,
    report::{Report, is_taken},
    xml,
};

use super::{hosts::Endpoint, http, nonce};
use crate::{
    Config,
    metrics::{ReportEnd, ReportMetrics},
    outcome::{Failure, Unknown, Why},
};

/// Reports that wait. A further one is dropped: it is worth less than the memory it would take.
const QUEUE: usize = 256;

/// Longest that one report may take. They go one after the other, so a host that hangs costs reports and nothing else.
const REPORT_TIME: Duration = Duration::from_secs(2);

/// Where calls leave their reports.
#[derive(Debug)]
pub(super) struct Reports {
    per_mille: u64,
    /// Grows by `per_mille` with every call; each full thousand is a report.
    turn: AtomicU64,
    user_ip: Ipv4Addr,
    queue: mpsc::Sender<Queued>,
    clock: Clock,
    metrics: ReportMetrics,
}

#[derive(Debug)]
struct Queued {
    report: Report,
    key: ApiKey,
}

impl Reports {
    /// Starts the task that sends them; `None` when no call is to be reported.
    pub(super) fn start(
        config: &Config,
        client: reqwest::Client,
        endpoint: Endpoint,
        clock: Clock,
        metrics: ReportMetrics,
        tasks: &Tasks,
    ) -> Option<Arc<Reports>> {
        if config.wechat_report_per_mille == 0 {
            return None;
        }
        let (queue, queued) = mpsc::channel(QUEUE);
        let (stop, counted) = (tasks.stop(), metrics.clone());
        tasks.spawn("reports", async move {
            send(client, endpoint, queued, counted, stop).await;
            Ok(())
        });
        Some(Arc::new(Reports {
            per_mille: config.wechat_report_per_mille.into(),
            turn: AtomicU64::new(0),
            user_ip: config.wechat_report_ip,
            queue,
            clock,
            metrics,
        }))
    }

    /// Follows a call that begins now, when it is one of those that are reported.
    pub(super) fn follow(
        self: &Arc<Reports>,
        endpoint: &Endpoint,
        identity: &Identity,
        signed: &Fields,
        key: &ApiKey,
    ) -> Option<Followed> {
        let before = self.turn.fetch_add(self.per_mille, Ordering::Relaxed) % 1000;
        if before + self.per_mille < 1000 {
            return None;
        }
        Some(Followed {
            reports: Arc::clone(self),
            identity: identity.clone(),
            interface_url: endpoint.url().to_string(),
            out_trade_no: signed.text("out_trade_no").map(str::to_owned),
            key: key.clone(),
            time: self.clock.now(),
            began: Instant::now(),
            open: true,
        })
    }
}

/// A call under way that will be reported. One that is given up is reported as late.
pub(super) struct Followed {
    reports: Arc<Reports>,
    identity: Identity,
    interface_url: String,
    out_trade_no: Option<String>,
    key: ApiKey,
    time: Timestamp,
    began: Instant,
    open: bool,
}

/// What a report says about the end of its call.
struct End<'a> {
    answered: bool,
    return_msg: Option<&'a str>,
    succeeded: bool,
    err_code: Option<&'a str>,
    err_code_des: Option<&'a str>,
}

impl Followed {
    /// The call has ended.
    pub(super) fn ends(mut self, result: &Result<Answer, Failure>) {
        self.open = false;
        if let Err(Failure::Unknown(Unknown { why: Why::TooLateToLeave, .. })) = result {
            // WeChat has not been called, so there is nothing to report.
            return;
        }
        self.tell(&match result {
            Ok(Answer::Success(_)) => {
                End { answered: true, return_msg: None, succeeded: true, err_code: None, err_code_des: None }
            }
            Ok(Answer::Refused { err_code, err_code_des, .. }) => End {
                answered: true,
                return_msg: None,
                succeeded: false,
                err_code: Some(err_code),
                err_code_des: Some(err_code_des),
            },
            Ok(Answer::Unknown(Unproven::NotSigned { return_msg, err_code })) => End {
                answered: false,
                return_msg: Some(return_msg),
                succeeded: false,
                err_code: err_code.as_deref(),
                err_code_des: None,
            },
            Ok(Answer::Unknown(_)) | Err(Failure::NotDone(_)) => failed(Why::BadAnswer.word()),
            Err(Failure::Unknown(unknown)) => failed(unknown.why.word()),
        });
    }

    fn tell(&self, end: &End<'_>) {
        let word = |good: bool| if good { "SUCCESS" } else { "FAIL" }.to_owned();
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let report = Report {
            identity: self.identity.clone(),
            device_info: None,
            interface_url: self.interface_url.clone(),
            execute_time_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            return_code: word(end.answered),
            return_msg: text(end.return_msg),
            result_code: word(end.succeeded),
            err_code: text(end.err_code),
            err_code_des: text(end.err_code_des),
            out_trade_no: self.out_trade_no.clone(),
            time: Some(self.time),
            user_ip: self.reports.user_ip,
        };
        if self.reports.queue.try_send(Queued { report, key: self.key.clone() }).is_err() {
            self.reports.metrics.ended(ReportEnd::Dropped);
        }
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        if self.open {
            self.tell(&failed(Why::Timeout.word()));
        }
    }
}

fn failed(return_msg: &str) -> End<'_> {
    End { answered: false, return_msg: Some(return_msg), succeeded: false, err_code: None, err_code_des: None }
}

/// Sends what is queued until the process stops; what waits then is given up.
async fn send(
    client: reqwest::Client,
    endpoint: Endpoint,
    mut queued: mpsc::Receiver<Queued>,
    metrics: ReportMetrics,
    stop: CancellationToken,
) {
    let all = async {
        while let Some(Queued { report, key }) = queued.recv().await {
            let message = xml::write("xml", &report.signed(&nonce(), &key));
            let sent = tokio::time::timeout(REPORT_TIME, http::post_xml(&client, &endpoint, &message)).await;
            let taken = matches!(&sent, Ok(Ok(body)) if is_taken(body));
            metrics.ended(if taken { ReportEnd::Taken } else { ReportEnd::Failed });
        }
    };
    tokio::select! {
        () = all => {}
        () = stop.cancelled() => {}
    }
}
