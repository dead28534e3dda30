//! What can go wrong, and where.

use std::{fmt, time::Duration};

use crate::{
    Link, Part, proxy,
    sandbox_client::{Fault, FaultPoint, RefundState},
};

/// Everything that is ours and can die.
const SERVICES: [Part; 4] = [Part::OrderSvc, Part::PayGateway, Part::NotifySvc, Part::ReconcileSvc];

/// What networks do to every link.
const ON_EVERY_LINK: [proxy::Fault; 5] =
    [proxy::Fault::Cut, proxy::Fault::Refuse, proxy::Fault::Delay, proxy::Fault::BlackHole, proxy::Fault::HalfOpen];

/// The calls to WeChat that the load makes.
const CALLS: [FaultPoint; 5] = [
    FaultPoint::UnifiedOrder,
    FaultPoint::OrderQuery,
    FaultPoint::CloseOrder,
    FaultPoint::Refund,
    FaultPoint::RefundQuery,
];

/// Longer than pay-gateway waits for WeChat is a fault of its own; this is only slow.
const SLOW: Duration = Duration::from_millis(1_500);

/// A callback is put off by this, on WeChat's clock.
const PUT_OFF: Duration = Duration::from_secs(90);

/// One kind of fault. Each must be observed at least once in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A process dies (SIGKILL) and is started again.
    Kill(Part),
    /// A process of ours dies by itself between two durable steps, at a point that the seed draws.
    Crash(Part),
    /// A process of ours stands still for a moment (SIGSTOP).
    Pause(Part),
    /// A second order-svc shares the work for a while, and then dies.
    Replica,
    /// order-svc stands still for longer than its leases while a second one works, and then goes on as if nothing had been.
    Overtaken,
    /// Something happens to the connections of a link.
    Network(Link, proxy::Fault),
    /// WeChat does something to calls or callbacks.
    WeChat(FaultPoint, Fault),
    /// Everybody's time jumps forward by minutes.
    Jump,
    /// An account has no money for refunds for a while.
    ShortBalance,
    /// What becomes of refunds that WeChat has accepted: they bounce, or they are given up.
    Settled(RefundState),
}

/// Faults of one lane wait for each other; lanes do not wait for other lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// One process at a time.
    Process,
    /// A few links at a time, each with one fault.
    Network,
    /// Rules that strike when their call comes.
    WeChat,
    /// Now and then.
    Business,
    /// Brought about by the load.
    Load,
}

impl Kind {
    /// Every kind.
    pub fn all() -> Vec<Kind> {
        let mut kinds = Self::without_networks();
        kinds.push(Kind::Overtaken);
        for link in Link::ALL {
            kinds.extend(ON_EVERY_LINK.map(|fault| Kind::Network(link, fault)));
        }
        kinds
    }

    /// As many as a short run has room for: two of the five troubles of each link, all five over all links, and no pause that
    /// is longer than a lease.
    pub fn few(rng: &mut fastrand::Rng) -> Vec<Kind> {
        let mut kinds = Self::without_networks();
        let first = rng.usize(..ON_EVERY_LINK.len());
        for (place, link) in Link::ALL.into_iter().enumerate() {
            for step in 0..2 {
                kinds.push(Kind::Network(link, ON_EVERY_LINK[(first + 2 * place + step) % ON_EVERY_LINK.len()]));
            }
        }
        kinds
    }

    fn without_networks() -> Vec<Kind> {
        let mut kinds: Vec<Kind> = SERVICES.map(Kind::Kill).into();
        kinds.extend([Kind::Kill(Part::Postgres), Kind::Kill(Part::Nats)]);
        kinds.extend(SERVICES.map(Kind::Crash));
        kinds.extend(SERVICES.map(Kind::Pause));
        kinds.extend([Kind::Replica, Kind::Jump, Kind::ShortBalance]);
        kinds.extend([RefundState::Change, RefundState::RefundClose].map(Kind::Settled));
        // reconcile-svc publishes only when a bill differs from the books, and here none does.
        for link in [Link::OrderSvcToNats, Link::NotifySvcToNats] {
            kinds.push(Kind::Network(link, proxy::Fault::LoseAck));
        }
        for link in [Link::OrderSvcToPostgres, Link::ReconcileSvcToPostgres] {
            kinds.push(Kind::Network(link, proxy::Fault::LoseCommit));
        }
        for point in [FaultPoint::Callback, FaultPoint::RefundCallback] {
            kinds.extend(to_callbacks(point).into_iter().map(|fault| Kind::WeChat(point, fault)));
        }
        for point in CALLS {
            kinds.extend(to_calls(point).into_iter().map(|fault| Kind::WeChat(point, fault)));
        }
        kinds
    }

    pub(super) fn lane(&self) -> Lane {
        match self {
            Kind::Kill(_) | Kind::Crash(_) | Kind::Pause(_) | Kind::Replica | Kind::Overtaken => Lane::Process,
            Kind::Network(..) => Lane::Network,
            Kind::WeChat(..) => Lane::WeChat,
            Kind::Jump | Kind::ShortBalance => Lane::Business,
            Kind::Settled(_) => Lane::Load,
        }
    }

    /// Whether it leaves something behind for a minute: claims of a dead process are free when their lease is over, and an
    /// account rests after WeChat has said that it takes no more. Such faults come early, because in the end one minute is all
    /// that the system gets.
    pub(super) fn lingers(&self) -> bool {
        match self {
            Kind::Kill(part) | Kind::Crash(part) | Kind::Pause(part) => matches!(part, Part::OrderSvc | Part::Postgres),
            Kind::Replica | Kind::Overtaken => true,
            Kind::Network(link, fault) => *link == Link::OrderSvcToPostgres && *fault != proxy::Fault::Delay,
            Kind::WeChat(_, Fault::ErrorCode { code, .. }) => code == "FREQUENCY_LIMITED",
            Kind::WeChat(..) | Kind::Jump | Kind::ShortBalance | Kind::Settled(_) => false,
        }
    }
}

fn to_callbacks(point: FaultPoint) -> Vec<Fault> {
    let put_off = u64::try_from(PUT_OFF.as_millis()).expect("it is short");
    let mut faults = vec![
        Fault::Lose,
        Fault::Duplicate { copies: 2 },
        Fault::Reorder,
        Fault::Delay { delay_ms: put_off },
        Fault::Forge,
        Fault::Tamper { field: None, value: None },
    ];
    if point == FaultPoint::Callback {
        faults.push(Fault::OtherSignType);
    }
    faults
}

fn to_calls(point: FaultPoint) -> Vec<Fault> {
    let code = |code: &str, executed| Fault::ErrorCode { code: code.to_owned(), executed };
    let mut faults = vec![
        Fault::Lost,
        Fault::NotExecuted,
        Fault::Late { delay_ms: u64::try_from(SLOW.as_millis()).expect("it is short") },
        Fault::Status { status: 502, executed: true },
        Fault::Status { status: 503, executed: false },
        Fault::Garbage,
        Fault::BadSignature,
        code("SYSTEMERROR", false),
        code("FREQUENCY_LIMITED", false),
        Fault::Redirect,
    ];
    match point {
        FaultPoint::UnifiedOrder | FaultPoint::CloseOrder => faults.push(code("SYSTEMERROR", true)),
        FaultPoint::Refund => faults.extend([code("SYSTEMERROR", true), code("ERROR", false)]),
        _ => {}
    }
    faults
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Kill(part) => write!(f, "kill {part}"),
            Kind::Crash(part) => write!(f, "crash {part}"),
            Kind::Pause(part) => write!(f, "pause {part}"),
            Kind::Replica => f.write_str("second order-svc"),
            Kind::Overtaken => f.write_str("order-svc overtaken by a second one"),
            Kind::Network(link, fault) => write!(f, "{fault:?} {link:?}"),
            Kind::WeChat(point, fault) => {
                write!(f, "{} {}", point.as_str(), fault.as_str())?;
                match fault {
                    Fault::Status { status, executed } => write!(f, " {status} {}", done(*executed)),
                    Fault::ErrorCode { code, executed } => write!(f, " {code} {}", done(*executed)),
                    _ => Ok(()),
                }
            }
            Kind::Jump => f.write_str("clock jump"),
            Kind::ShortBalance => f.write_str("short balance"),
            Kind::Settled(state) => write!(f, "refund {}", state.as_str()),
        }
    }
}

fn done(executed: bool) -> &'static str {
    if executed { "done" } else { "not done" }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Kind, ON_EVERY_LINK};

    #[test]
    fn no_two_kinds_share_a_name_and_a_short_run_has_every_trouble_of_networks() {
        let mut rng = fastrand::Rng::with_seed(1);
        for kinds in [Kind::all(), Kind::few(&mut rng)] {
            let names: BTreeSet<_> = kinds.iter().map(ToString::to_string).collect();
            assert_eq!(names.len(), kinds.len());
            for trouble in ON_EVERY_LINK {
                assert!(kinds.iter().any(|kind| matches!(kind, Kind::Network(_, fault) if *fault == trouble)));
            }
        }
    }
}
