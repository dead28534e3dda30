//! Until when a call may leave.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proto::{
    gateway::v1::{self, create_refund_response::Outcome},
    time::to_wire,
};
use svc_kit::{
    clock::{Clock, Hand},
    refusal::reason_of,
};
use tokio::net::{TcpListener, TcpStream};
use tonic::{Code, Status};
use url::Url;

use crate::{
    certificates::Authority,
    counter::{TAKEN, certified, reversal},
    fake::{Fake, Reply},
    harness::{ACCEPTED, Gateway, add_certificate, is_signed, merchants, prepaid, refund, success},
};

/// What callers give a call after its write.
const GIVEN: Duration = Duration::from_secs(30);

fn after(real: &Clock, seconds: i64) -> pbjson_types::Timestamp {
    to_wire(real.now() + SignedDuration::from_secs(seconds))
}

/// Makes each call that moves money, with this limit.
async fn all(gateway: &Gateway, leave_before: Option<pbjson_types::Timestamp>) -> [Result<(), Status>; 4] {
    let mut client = gateway.client.clone();
    let prepay = v1::PrepayRequest { leave_before, ..gateway.prepay() };
    let charge = v1::ChargeRequest { leave_before, ..gateway.charge_request() };
    [
        client.prepay(prepay).await.map(drop),
        client.charge(charge).await.map(drop),
        client.reverse_payment(v1::ReversePaymentRequest { leave_before, ..reversal() }).await.map(drop),
        client.create_refund(v1::CreateRefundRequest { leave_before, ..refund() }).await.map(drop),
    ]
}

/// That the gateway itself says that nothing was sent.
fn is_not_sent(answer: Result<(), Status>) {
    let status = answer.expect_err("it is not sent");
    assert_eq!((status.code(), reason_of(&status).as_deref()), (Code::Unavailable, Some("TRY_AGAIN")), "{status:?}");
    assert!(status.message().contains("nothing was sent"), "{status:?}");
}

async fn wechat() -> Fake {
    Fake::start(|received| match received.line() {
        line if line.contains("/unifiedorder") => prepaid(),
        line if line.contains("/micropay") => success(&TAKEN),
        line if line.contains("/secapi/pay/refund") => success(&ACCEPTED),
        _ => Reply::HangUp,
    })
    .await
}

#[tokio::test]
async fn a_call_whose_instant_is_over_is_not_sent_and_neither_is_one_by_a_wrong_clock() {
    let fake = wechat().await;
    let gateway = certified(&fake).await;
    for seconds in [-3600, -60, -1, 60, 600] {
        for answer in all(&gateway, Some(after(&gateway.real, seconds))).await {
            is_not_sent(answer);
        }
    }
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn a_call_in_time_is_sent_as_ever_and_the_clock_of_the_business_is_not_asked() {
    let fake = wechat().await;
    let gateway = certified(&fake).await;
    gateway.hand.advance(Duration::from_hours(24));
    for answer in all(&gateway, Some(after(&gateway.real, 30))).await {
        answer.expect("an outcome");
    }
    for answer in all(&gateway, None).await {
        answer.expect("an outcome");
    }
    let received = fake.received();
    assert_eq!(received.len(), 8);
    for one in received {
        assert!(is_signed(&one) && one.head.to_lowercase().contains("content-length:"), "{}", one.head);
    }
}

#[tokio::test]
async fn an_instant_that_is_none_is_named() {
    let fake = wechat().await;
    let gateway = certified(&fake).await;
    for answer in all(&gateway, Some(pbjson_types::Timestamp { seconds: 0, nanos: -1 })).await {
        let status = answer.expect_err("it is refused");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("leave_before"), "{status:?}");
    }
    assert!(fake.received().is_empty());
}

/// Stands in front of a host: whoever connects waits for this long of the real time, and then is let through or sent away.
struct Doorman {
    url: Url,
    came: Arc<AtomicUsize>,
}

impl Doorman {
    async fn before(host: Option<&Fake>, real: Hand, waits: Duration) -> Doorman {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("https://{}", listener.local_addr().expect("an address")).parse().expect("a URL");
        let port = host.map(|host| host.url.port().expect("a port"));
        let came = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&came);
        tokio::spawn(async move {
            while let Ok((mut guest, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                real.advance(waits);
                let Some(port) = port else { continue };
                tokio::spawn(async move {
                    let mut inside = TcpStream::connect(("127.0.0.1", port)).await?;
                    tokio::io::copy_bidirectional(&mut guest, &mut inside).await
                });
            }
        });
        Doorman { url, came }
    }

    fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}

/// A refund that may leave within what callers give.
async fn refunds(gateway: &Gateway, now: Timestamp) -> Result<Option<Outcome>, Status> {
    let limit = now + SignedDuration::try_from(GIVEN).expect("short");
    let request = v1::CreateRefundRequest { leave_before: Some(to_wire(limit)), ..refund() };
    Ok(gateway.client.clone().create_refund(request).await?.into_inner().outcome)
}

#[tokio::test]
async fn a_connection_that_took_too_long_carries_nothing() {
    let (of_server, of_merchants) = (Authority::new(), Authority::new());
    let fake = Fake::behind(of_server.server("127.0.0.1", &of_merchants), success(&ACCEPTED)).await;
    for (waits, sent) in [(Duration::from_secs(1), true), (GIVEN, false)] {
        let (real, hand) = Clock::adjustable();
        let door = Doorman::before(Some(&fake), hand, waits).await;
        let (dir, ours) = (merchants(), of_merchants.issue("merchant"));
        add_certificate(dir.path(), &ours.certificate.pem(), &ours.key.serialize_pem());
        let ca = dir.path().join("ca.pem");
        std::fs::write(&ca, of_server.pem()).expect("the directory takes a file");
        let settings = ["--wechat-v2-ca-file", ca.to_str().expect("UTF-8")];
        let gateway = Gateway::at_real_time(dir, &door.url, &settings, real.clone()).await;
        let answer = refunds(&gateway, real.now()).await;
        assert_eq!(door.came(), 1);
        if sent {
            assert!(matches!(answer, Ok(Some(Outcome::Done(_)))), "{answer:?}");
            continue;
        }
        is_not_sent(answer.map(drop));
        gateway
            .measures("provider_calls_total{operation=\"refund\",outcome=\"not_sent\",detail=\"too_late_to_leave\"} 1")
            .await;
    }
    assert_eq!(fake.received().len(), 1, "only the one that was in time arrived");
}

#[tokio::test]
async fn the_other_host_is_not_turned_to_when_it_is_too_late() {
    for (waits, sent) in [(Duration::from_secs(1), true), (GIVEN, false)] {
        let backup = Fake::always(success(&ACCEPTED)).await;
        let (real, hand) = Clock::adjustable();
        let main = Doorman::before(None, hand, waits).await;
        let settings = ["--wechat-v2-backup-url", backup.url.as_str()];
        let gateway = Gateway::at_real_time(crate::harness::refunding(), &main.url, &settings, real.clone()).await;
        let answer = refunds(&gateway, real.now()).await;
        assert_eq!((main.came(), backup.received().len()), (1, usize::from(sent)));
        if sent {
            assert!(matches!(answer, Ok(Some(Outcome::Done(_)))), "{answer:?}");
        } else {
            is_not_sent(answer.map(drop));
        }
    }
}
