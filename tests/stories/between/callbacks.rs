//! The way from WeChat to notify-svc breaks or falls silent: the callback comes again.

use e2e::{
    Link, Options, Part,
    proxy::{Direction, Fault},
    sandbox_client::AnswerClass,
    story,
};

use crate::restart::{is_paid_once, is_told};

/// Before the first byte, in the status line, among the headers.
const PLACES_IN_AN_ANSWER: [u64; 3] = [0, 5, 40];

#[test]
fn a_callback_into_silence_comes_again_and_pays_once_even_when_the_first_arrives_late() {
    let impatient = Options::default().setting(Part::Sandbox, "SANDBOX_CALLBACK_TIMEOUT_MS", 1_000);
    story(impatient.through(Link::SandboxToNotifySvc), async |world| {
        let link = world.link(Link::SandboxToNotifySvc);
        let cashier = world.open_cashier(100).await;
        link.black_hole();
        cashier.pay().await;
        assert_eq!(cashier.attempted(1).await.attempts[0].answer, AnswerClass::TimedOut);
        assert!(1 <= link.observed(Fault::BlackHole));
        assert_eq!(world.facts("pay.v1.>").await, []);
        link.pass();
        assert!(2 <= is_told(world, cashier.out_trade_no()).await.attempts.len());
        is_paid_once(world, &cashier).await;
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), 1);
    });
}

#[test]
fn a_callback_whose_answer_breaks_off_comes_again_and_its_fact_is_stored_once() {
    story(Options::default().through(Link::SandboxToNotifySvc), async |world| {
        let link = world.link(Link::SandboxToNotifySvc);
        for (struck, bytes) in (1..).zip(PLACES_IN_AN_ANSWER) {
            let cashier = world.open_cashier(100).await;
            link.cut_after(Direction::ToClient, bytes);
            cashier.pay().await;
            assert_eq!(cashier.attempted(1).await.attempts[0].answer, AnswerClass::Unreachable, "after {bytes} bytes");
            assert_eq!(link.observed(Fault::CutAfter), struck);
            world.tells("pay.v1.payment.paid.>", usize::try_from(struck).expect("small")).await;
            assert!(2 <= is_told(world, cashier.out_trade_no()).await.attempts.len());
            is_paid_once(world, &cashier).await;
        }
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), PLACES_IN_AN_ANSWER.len());
    });
}

#[test]
fn half_a_callback_is_not_believed_and_the_whole_one_comes_again() {
    story(Options::default().through(Link::SandboxToNotifySvc), async |world| {
        let link = world.link(Link::SandboxToNotifySvc);
        let cashier = world.open_cashier(100).await;
        link.cut_after(Direction::ToServer, 400);
        cashier.pay().await;
        assert_ne!(cashier.attempted(1).await.attempts[0].answer, AnswerClass::Accepted);
        assert_eq!(link.observed(Fault::CutAfter), 1);
        assert_eq!(world.facts("pay.v1.>").await, []);
        world.counts(Part::NotifySvc, "callbacks_total", &[("outcome", "broken")], 1).await;
        is_told(world, cashier.out_trade_no()).await;
        is_paid_once(world, &cashier).await;
    });
}
