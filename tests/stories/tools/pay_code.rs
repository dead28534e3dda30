//! Who shows a pay code, before it is charged.

use std::time::Duration;

use e2e::{
    Options, World,
    sandbox_client::{Fault, FaultPoint, PayBehaviour, once},
    selling::{MERCHANT, MINI_PROGRAM, OTHER_MERCHANT, Order, Paying, State},
    story,
    tools::Outcome as _,
};
use proto::{
    error::ErrorReason,
    gateway::v1::{ResolveOpenidResponse, ResolvePayCodeRequest, not_done::Kind},
    order::v1::{PayCode, pay_order_request::Method},
};
use tonic::Code;

use super::OTHER_MINI_PROGRAM;
use crate::refused::refused;

/// A merchant with its mini program.
type Account = (&'static str, &'static str);

/// It signs with HMAC-SHA256.
const USUAL: Account = (MERCHANT, MINI_PROGRAM);
/// It signs with MD5.
const OTHER: Account = (OTHER_MERCHANT, OTHER_MINI_PROGRAM);

async fn who_shows(world: &World, (merchant, app_id): Account, auth_code: &str) -> ResolveOpenidResponse {
    let asked = ResolvePayCodeRequest {
        merchant: merchant.to_owned(),
        app_id: app_id.to_owned(),
        auth_code: auth_code.to_owned(),
    };
    world.tools().resolve_pay_code(asked).await.expect("an outcome").into_inner()
}

fn charge(order: &Order, (_, app_id): Account, auth_code: &str) -> Paying {
    order.pay_by(Method::PayCode(PayCode { app_id: app_id.to_owned(), auth_code: auth_code.to_owned() }))
}

#[test]
fn accounts_of_both_types_hear_who_shows_a_code_which_is_then_theirs_alone_to_charge() {
    story(Options::default(), async |world| {
        // WeChat takes MD5 only, whatever an account signs with otherwise.
        for (account, stranger) in [(USUAL, OTHER), (OTHER, USUAL)] {
            let code = world.sandbox.pay_code(PayBehaviour::Pays).await;
            for _ in 0..2 {
                assert_eq!(who_shows(world, account, &code.auth_code).await.done().openid, code.openid);
            }
            assert_eq!(who_shows(world, stranger, &code.auth_code).await.no().kind(), Kind::PayCodeInvalid);
            let order = world.create_order(100).merchant(stranger.0).await;
            let stolen = charge(&order, stranger, &code.auth_code);
            refused(stolen.attempt().await, Code::FailedPrecondition, ErrorReason::PayCodeInvalid);

            let order = world.create_order(100).merchant(account.0).await;
            charge(&order, account, &code.auth_code).attempt().await.expect("its own code pays");
            order.becomes(State::Paid).await;
            let spent = who_shows(world, account, &code.auth_code).await.no();
            assert_eq!((spent.kind(), spent.provider_code.as_str()), (Kind::PayCodeInvalid, "AUTH_CODE_ERROR"));
        }
    });
}

#[test]
fn a_code_that_is_old_or_nobodys_names_nobody() {
    story(Options::default(), async |world| {
        let code = world.sandbox.pay_code(PayBehaviour::Pays).await;
        world.pass(Duration::from_secs(61)).await;
        for (auth_code, word) in
            [(code.auth_code.as_str(), "AUTHCODEEXPIRE"), ("134567890123456789", "AUTH_CODE_INVALID")]
        {
            let no = who_shows(world, USUAL, auth_code).await.no();
            assert_eq!((no.kind(), no.provider_code.as_str()), (Kind::PayCodeInvalid, word));
        }
    });
}

#[test]
fn an_answer_that_proves_nothing_names_nobody_and_the_code_can_be_asked_about_again() {
    story(Options::default(), async |world| {
        let code = world.sandbox.pay_code(PayBehaviour::Pays).await;
        for (fault, why) in [
            (Fault::Lost, "transport"),
            (Fault::BadSignature, "bad_signature"),
            (Fault::Status { status: 502, executed: true }, "http_status"),
        ] {
            let struck = world.sandbox.fault(once(FaultPoint::AuthCodeToOpenid, fault)).await;
            assert_eq!(who_shows(world, USUAL, &code.auth_code).await.unknown().why, why);
            assert_eq!(world.sandbox.hits(&struck).await, 1);
        }
        assert_eq!(who_shows(world, USUAL, &code.auth_code).await.done().openid, code.openid);
    });
}
