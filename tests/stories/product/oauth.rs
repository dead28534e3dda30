//! A page inside WeChat whose user WeChat's redirect has just brought.

use e2e::{
    Options,
    selling::{MINI_PROGRAM, OFFICIAL_ACCOUNT},
    story,
};
use proto::error::ErrorReason;
use tonic::Code;

use super::{goes_back, is_paid};
use crate::refused::refused;

#[test]
fn a_code_that_was_used_is_too_old_or_anothers_names_nobody() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let used = world.sandbox.oauth_code(OFFICIAL_ACCOUNT).await;
        order.pay_by_oauth_code(&used.code).await;
        let stale = world.sandbox.oauth_code(OFFICIAL_ACCOUNT).await;
        world.pass(std::time::Duration::from_mins(6)).await;
        // A mini program's login is no consent given to an official account.
        let login = world.sandbox.login_code(MINI_PROGRAM).await;
        for code in [&used.code, &stale.code, &login.code] {
            let answer = order.pay_by_oauth_code(code).attempt().await;
            refused(answer, Code::FailedPrecondition, ErrorReason::LoginCodeInvalid);
        }
    });
}

#[test]
fn whom_the_redirect_brought_pays_and_is_paid_back_and_no_log_knows_them() {
    story(Options::default(), async |world| {
        let payer = world.sandbox.oauth_code(OFFICIAL_ACCOUNT).await;
        let order = world.create_order(100).await;
        let cashier = order.pay_by_oauth_code(&payer.code).await;
        assert_eq!(cashier.invocation().app_id, OFFICIAL_ACCOUNT);
        cashier.pay().await;
        is_paid(&cashier, "jsapi").await;
        goes_back(world, &cashier).await;
        for part in e2e::Part::OURS {
            let log = world.log(part);
            assert!(!log.contains(&payer.openid) && !log.contains(&payer.code), "{part} logs who paid");
        }
    });
}
