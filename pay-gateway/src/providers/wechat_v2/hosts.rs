//! A host and the one that stands in for it.
//!
//! A host that could not be connected to has been sent nothing, so the same call goes to the other one at once. After that, and
//! after a silence or an HTTP 5xx, the host rests, and calls go to the other one; what WeChat itself says never changes the
//! host. Both hosts are one WeChat: numbers and certificates are the same, so nothing else depends on which one is asked.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use reqwest::{RequestBuilder, Response};
use svc_kit::clock::Clock;
use url::Url;

use super::http;
use crate::{
    leave::Leave,
    metrics::HostMetrics,
    outcome::{Unknown, Why},
};

/// How long a host rests after it failed: long enough that not every call of a bad minute waits for it in vain, short enough
/// that the main host is not given up for a hiccup.
const REST: SignedDuration = SignedDuration::from_secs(30);

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Main,
    Backup,
}

impl Which {
    const fn word(self) -> &'static str {
        match self {
            Which::Main => "main",
            Which::Backup => "backup",
        }
    }

    const fn other(self) -> Which {
        match self {
            Which::Main => Which::Backup,
            Which::Backup => Which::Main,
        }
    }
}

/// A host, and perhaps another one for when it fails.
#[derive(Debug)]
pub(super) struct Hosts {
    main: Url,
    backup: Option<Url>,
    /// Which calls go there; a label of metrics.
    calls: &'static str,
    /// A silence of this length is the host's fault; a shorter one may be an impatient caller's.
    patience: Duration,
    clock: Clock,
    metrics: HostMetrics,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    in_use: Which,
    main_rests_until: Option<Timestamp>,
    backup_rests_until: Option<Timestamp>,
}

/// One path on these hosts.
#[derive(Debug)]
pub(super) struct Endpoint {
    hosts: Arc<Hosts>,
    main: Url,
    backup: Option<Url>,
}

/// The head of an answer, and what its host is to be judged by.
pub(super) struct Sent {
    pub(super) response: Response,
    pub(super) trial: Trial,
}

impl Hosts {
    pub(super) fn new(
        main: Url,
        backup: Option<Url>,
        calls: &'static str,
        patience: Duration,
        clock: Clock,
        metrics: HostMetrics,
    ) -> Hosts {
        metrics.in_use(calls, false);
        let state = State { in_use: Which::Main, main_rests_until: None, backup_rests_until: None };
        Hosts { main, backup, calls, patience, clock, metrics, state: Mutex::new(state) }
    }

    /// Whether these are the same two.
    pub(super) fn are(&self, main: &Url, backup: Option<&Url>) -> bool {
        self.main == *main && self.backup.as_ref() == backup
    }

    /// The host for the next call: the main one unless it rests; of two that rest, the one that has rested longer.
    fn choose(&self) -> Which {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let main = rest_left(state.main_rests_until, now);
        let backup = rest_left(state.backup_rests_until, now);
        let chosen = if self.backup.is_some() && backup < main { Which::Backup } else { Which::Main };
        self.uses(&mut state, chosen);
        chosen
    }

    /// The other host, when there is one; it is in use from now on.
    fn other_than(&self, which: Which) -> Option<Which> {
        self.backup.as_ref()?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.uses(&mut state, which.other());
        Some(which.other())
    }

    fn uses(&self, state: &mut State, which: Which) {
        if std::mem::replace(&mut state.in_use, which) != which {
            self.metrics.switched(self.calls, which.word());
            self.metrics.in_use(self.calls, which == Which::Backup);
            tracing::warn!(
                calls = self.calls,
                host = which.word(),
                "calls to WeChat go to its {} host now",
                which.word()
            );
        }
    }

    fn rests(&self, which: Which, why: &'static str) {
        if self.backup.is_none() {
            return;
        }
        let until = self.clock.now().saturating_add(REST).ok();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let rests_until = match which {
            Which::Main => &mut state.main_rests_until,
            Which::Backup => &mut state.backup_rests_until,
        };
        *rests_until = until;
        tracing::warn!(
            calls = self.calls,
            host = which.word(),
            why,
            "WeChat's {} host failed and rests for 30 s",
            which.word()
        );
    }
}

/// How much longer a host rests. A clock that was put back does not lengthen the rest.
fn rest_left(until: Option<Timestamp>, now: Timestamp) -> SignedDuration {
    let left = until.map_or(SignedDuration::ZERO, |until| until.duration_since(now));
    if (SignedDuration::ZERO..=REST).contains(&left) { left } else { SignedDuration::ZERO }
}

impl Endpoint {
    /// # Errors
    /// When base and path are no URL together.
    pub(super) fn below(hosts: &Arc<Hosts>, path: &str) -> anyhow::Result<Endpoint> {
        Ok(Endpoint {
            hosts: Arc::clone(hosts),
            main: url_below(&hosts.main, path)?,
            backup: hosts.backup.as_ref().map(|backup| url_below(backup, path)).transpose()?,
        })
    }

    /// The address at the main host.
    pub(super) fn url(&self) -> &Url {
        &self.main
    }

    /// Sends a request and takes the head of the answer, which must be 200. `request` makes the same request for either host.
    ///
    /// A silence that is longer than `patience`, or than the host's own where there is none, is the host's fault. Each host is
    /// turned to only while the call may still leave.
    pub(super) async fn send(
        &self,
        patience: Option<Duration>,
        leave: &Leave,
        request: impl Fn(Url) -> RequestBuilder,
    ) -> Result<Sent, Unknown> {
        let first = self.hosts.choose();
        match self.send_to(first, patience, leave, &request).await {
            // Nothing has left, so this is no second sending.
            Err(unknown) if unknown.why == Why::Connect => match self.hosts.other_than(first) {
                Some(other) => self.send_to(other, patience, leave, &request).await,
                None => Err(unknown),
            },
            sent => sent,
        }
    }

    async fn send_to(
        &self,
        which: Which,
        patience: Option<Duration>,
        leave: &Leave,
        request: &impl Fn(Url) -> RequestBuilder,
    ) -> Result<Sent, Unknown> {
        leave.check().map_err(|_late| Unknown::new(Why::TooLateToLeave))?;
        let url = match (which, &self.backup) {
            (Which::Backup, Some(backup)) => backup,
            (Which::Main | Which::Backup, _) => &self.main,
        };
        let patience = patience.unwrap_or(self.hosts.patience);
        let trial = Trial { hosts: Arc::clone(&self.hosts), which, began: Instant::now(), patience, open: true };
        match http::send(request(url.clone())).await {
            Ok(response) => Ok(Sent { response, trial }),
            Err(unknown) => {
                trial.ends(Some(&unknown));
                Err(unknown)
            }
        }
    }
}

/// A call under way. One that is given up before its end tells of its host's silence.
pub(super) struct Trial {
    hosts: Arc<Hosts>,
    which: Which,
    began: Instant,
    patience: Duration,
    open: bool,
}

impl Trial {
    /// The call has ended: with an answer, or with what went wrong.
    pub(super) fn ends(mut self, unknown: Option<&Unknown>) {
        self.open = false;
        let Some(unknown) = unknown else { return };
        let at_fault = match unknown.why {
            Why::Connect | Why::Timeout => true,
            Why::HttpStatus => unknown.code.starts_with('5'),
            _ => false,
        };
        if at_fault {
            self.hosts.rests(self.which, unknown.why.word());
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if self.open && self.patience <= self.began.elapsed() {
            self.hosts.rests(self.which, Why::Timeout.word());
        }
    }
}

/// A path below a base URL.
///
/// # Errors
/// When they are no URL together.
pub(super) fn url_below(base: &Url, path: &str) -> anyhow::Result<Url> {
    let text = format!("{}{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&text).with_context(|| format!("{text} is not a URL"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use svc_kit::{
        clock::{Clock, Hand},
        metrics::Metrics,
    };

    use super::{Hosts, Which};
    use crate::metrics::HostMetrics;

    fn hosts(backup: bool) -> (Hosts, Hand, Metrics) {
        let (clock, hand) = Clock::adjustable();
        let metrics = Metrics::new();
        let url = |text: &str| text.parse().expect("a URL");
        let backup = backup.then(|| url("https://b.example"));
        let of_hosts = HostMetrics::register(&metrics);
        (Hosts::new(url("https://a.example"), backup, "all", Duration::from_secs(3), clock, of_hosts), hand, metrics)
    }

    #[test]
    fn a_host_that_failed_rests_for_thirty_seconds_and_is_used_again() {
        let (hosts, hand, metrics) = hosts(true);
        assert_eq!(hosts.choose(), Which::Main);
        hosts.rests(Which::Main, "timeout");
        assert_eq!(hosts.choose(), Which::Backup);
        hand.advance(Duration::from_secs(29));
        assert_eq!(hosts.choose(), Which::Backup);
        hand.advance(Duration::from_secs(2));
        assert_eq!(hosts.choose(), Which::Main);
        let text = metrics.encode();
        for line in [
            "provider_host_switches_total{calls=\"all\",to=\"backup\"} 1",
            "provider_host_switches_total{calls=\"all\",to=\"main\"} 1",
            "provider_backup_in_use{calls=\"all\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing:\n{text}");
        }
    }

    #[test]
    fn of_two_that_rest_the_one_that_has_rested_longer_is_asked() {
        let (hosts, hand, _) = hosts(true);
        hosts.rests(Which::Backup, "timeout");
        hand.advance(Duration::from_secs(10));
        hosts.rests(Which::Main, "timeout");
        assert_eq!(hosts.choose(), Which::Backup);
        hosts.rests(Which::Backup, "timeout");
        hand.advance(Duration::from_secs(1));
        assert_eq!(hosts.choose(), Which::Main);
    }

    #[test]
    fn a_host_that_stands_alone_is_asked_whatever_happened() {
        let (hosts, _, _) = hosts(false);
        hosts.rests(Which::Main, "timeout");
        assert_eq!((hosts.choose(), hosts.other_than(Which::Main)), (Which::Main, None));
    }
}
