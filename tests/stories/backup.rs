//! WeChat's main host is away, and its host in another region is there: the same paths, the same numbers.

use std::time::Duration;

use e2e::{
    Link, Options, Part, World,
    ports::Port,
    proxy::Fault,
    sandbox_client::{Fault as WechatFault, FaultPoint, always, once},
    selling::{Cashier, PaymentState, RefundState, State},
    story,
};
use proto::error::ErrorReason;
use tonic::Code;

use crate::{
    refused::refused,
    restart::{is_paid_once, is_told},
};

/// Longer than a host rests.
const RESTED: Duration = Duration::from_secs(31);

/// Restarts pay-gateway with these settings, which name ports of this world.
async fn with(world: &mut World, settings: &[(&str, String)]) {
    world.stop(Part::PayGateway);
    let settings = settings.iter().map(|(variable, value)| (Part::PayGateway, (*variable).to_owned(), value.clone()));
    world.options_mut().settings.extend(settings);
    world.start(Part::PayGateway).await;
}

/// With the backup host beside a main host that a proxy can take away.
async fn with_backup(world: &mut World) {
    let backup = world.addresses().sandbox.url();
    with(world, &[("WECHAT_V2_BACKUP_URL", backup)]).await;
}

async fn backup_is_in_use(world: &World, calls: &str, in_use: bool) {
    world.counts(Part::PayGateway, "provider_backup_in_use", &[("calls", calls)], in_use.into()).await;
}

async fn switches(world: &World, to: &str, times: i64) {
    let labels = [("calls", "plain"), ("to", to)];
    world.counts(Part::PayGateway, "provider_host_switches_total", &labels, times).await;
}

/// One number at WeChat, accepted and paid once.
async fn is_one_paid_order(world: &World, cashier: &Cashier) {
    cashier.pay().await;
    is_told(world, cashier.out_trade_no()).await;
    assert_eq!(is_paid_once(world, cashier).await.payments.len(), 1);
    let there = world.sandbox.ledger().await.orders;
    assert_eq!(there.iter().map(|order| order.out_trade_no.as_str()).collect::<Vec<_>>(), [cashier.out_trade_no()]);
}

#[test]
fn while_nobody_listens_at_the_main_host_everything_goes_to_the_other_one_at_once() {
    story(Options::default(), async |world| {
        let (nobody, at) = (Port::reserve(), world.addresses());
        let settings = [
            ("WECHAT_V2_URL", nobody.url()),
            ("WECHAT_V2_BACKUP_URL", at.sandbox.url()),
            ("WECHAT_V2_CERT_URL", nobody.tls_url()),
            ("WECHAT_V2_BACKUP_CERT_URL", at.sandbox_tls.tls_url()),
        ];
        with(world, &settings).await;
        world.sandbox.fault(always(FaultPoint::Callback, WechatFault::Lose)).await;
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        // Nothing could be sent to the main host, so the team notices nothing.
        let opened = paying.attempt().await.expect("a cashier opens");
        let number = opened.payment.expect("it says which").out_trade_no;
        assert_eq!(world.sandbox.order(&number).await.expect("it is there").prepays, 1);
        backup_is_in_use(world, "plain", true).await;

        world.sandbox.pay(&number).await;
        let paid = order.becomes_when_asked(State::Paid).await;
        assert_eq!((paid.payments.len(), world.sandbox.ledger().await.orders.len()), (1, 1));

        order.refund(40).await.becomes(RefundState::Succeeded).await;
        backup_is_in_use(world, "with_certificate", true).await;
        switches(world, "backup", 1).await;
        switches(world, "main", 0).await;
    });
}

#[test]
fn a_main_host_that_falls_silent_costs_one_call_and_the_same_request_opens_the_cashier_at_the_other() {
    let options =
        Options::default().through(Link::PayGatewayToSandbox).setting(Part::PayGateway, "PROVIDER_TIMEOUT_MS", 2_000);
    story(options, async |world| {
        with_backup(world).await;
        let link = world.link(Link::PayGatewayToSandbox);
        link.black_hole();
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        refused(paying.attempt().await, Code::Unavailable, ErrorReason::ProviderUnknown);
        assert!(1 <= link.observed(Fault::BlackHole));
        let unknown = order.now().await.payments;
        assert_eq!((unknown.len(), unknown[0].state()), (1, PaymentState::Created));

        let cashier = paying.await;
        assert_eq!(cashier.out_trade_no(), unknown[0].out_trade_no);
        backup_is_in_use(world, "plain", true).await;
        is_one_paid_order(world, &cashier).await;

        // What the main host was sent arrives late, under the same number, and changes nothing; then it is used again.
        link.pass();
        world.pass(RESTED).await;
        world.open_cashier(100).await;
        backup_is_in_use(world, "plain", false).await;
        switches(world, "backup", 1).await;
        switches(world, "main", 1).await;
    });
}

#[test]
fn a_main_host_that_answers_5xx_rests_and_the_next_call_goes_to_the_other() {
    story(Options::default().through(Link::PayGatewayToSandbox), async |world| {
        with_backup(world).await;
        let broken = WechatFault::Status { status: 503, executed: true };
        let struck = world.sandbox.fault(once(FaultPoint::UnifiedOrder, broken)).await;
        let order = world.create_order(100).await;
        let paying = order.pay_by_openid();
        // It may have been done, so it is not sent a second time by itself.
        refused(paying.attempt().await, Code::Unavailable, ErrorReason::ProviderUnknown);
        assert_eq!(world.sandbox.hits(&struck).await, 1);

        // From here on nobody comes through to the main host.
        let link = world.link(Link::PayGatewayToSandbox);
        link.refuse();
        link.cut();
        let cashier = paying.await;
        assert_eq!(world.sandbox.order(cashier.out_trade_no()).await.expect("it is there").prepays, 2);
        backup_is_in_use(world, "plain", true).await;
        switches(world, "backup", 1).await;
        is_one_paid_order(world, &cashier).await;
        assert_eq!(link.observed(Fault::Refuse), 0, "while it rests nobody tries");
    });
}

#[test]
fn what_wechat_says_is_no_reason_to_ask_its_other_host() {
    story(Options::default().through(Link::PayGatewayToSandbox), async |world| {
        with_backup(world).await;
        for code in ["SYSTEMERROR", "INVALID_REQUEST", "FREQUENCY_LIMITED"] {
            let says = WechatFault::ErrorCode { code: code.to_owned(), executed: false };
            let struck = world.sandbox.fault(once(FaultPoint::UnifiedOrder, says)).await;
            let order = world.create_order(100).await;
            order.pay_by_openid().attempt().await.expect_err("a refusal");
            assert_eq!(world.sandbox.hits(&struck).await, 1, "{code}");
        }
        backup_is_in_use(world, "plain", false).await;
        switches(world, "backup", 0).await;
    });
}
