use std::time::Duration;

use e2e::{
    World, eventually,
    selling::{MINI_PROGRAM, Order, RefundState, State},
};

use jiff::civil::Date;
use wechat_pay::time::bill_date;

use super::{GIVEN_BACK_FEN, PRICES_FEN};
use crate::telling::{Telling, beijing, call, fact, json, say, yuan};

/// How long the sandbox keeps a refund on its way, and a little more.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

/// Order, cashier, payment, callback, fact, event. Returns the bill day.
pub(super) async fn tell(telling: &mut Telling, world: &World) -> Date {
    telling.chapter("The shop creates an order");
    say(
        "Any language that speaks gRPC will do. The bearer token says which team calls; nothing leaves for WeChat yet.",
    );
    let new = world
        .create_order(PRICES_FEN[0])
        .order_no("S-1001")
        .description("一壶龙井 a pot of Dragon Well")
        .expires_in_s(1800);
    let request = new.request().await;
    let order = world.create_order(PRICES_FEN[0]).like(request.clone()).await;
    call("order-svc", "tongbao.order.v1.OrderService/CreateOrder", &request, &order.now().await);

    telling.chapter("The user opens the cashier in the shop's mini program");
    say("The page called wx.login and sent the code along. Tongbao asks WeChat who that is, writes the attempt down,");
    say(
        "asks WeChat to accept it, checks the signature of the answer, and signs what the page hands to wx.requestPayment.",
    );
    let login = world.sandbox.login_code(MINI_PROGRAM).await;
    let paying = order.pay_by_login_code(&login.code);
    let request = paying.request();
    let cashier = paying.await;
    call("order-svc", "tongbao.order.v1.OrderService/PayOrder", &request, cashier.opened());

    telling.chapter("The user pays");
    let paid = cashier.pay().await;
    say(format!("WeChat's ledger, at {} in Beijing:", beijing(paid.paid_at)));
    say(format!("  {} for our number {}", yuan(paid.amount_fen), paid.out_trade_no));
    say(format!("  under WeChat's number {}", paid.transaction_id));

    telling.chapter("WeChat tells notify-svc with a signed callback");
    let callback = cashier.attempted(1).await;
    say(format!("POST {} (signed with HMAC-SHA256)", callback.url));
    for attempt in &callback.attempts {
        say(format!(
            "at {}: answered HTTP {}, which WeChat takes as {:?}",
            beijing(attempt.at),
            attempt.status.unwrap_or_default(),
            attempt.answer
        ));
    }
    say("notify-svc has verified it with the merchant's key, and answered only after the fact was on disk at the bus:");
    for told in world.tells("pay.v1.payment.paid.>", 1).await {
        fact(&told);
    }

    telling.chapter("order-svc checks the fact against the attempt, and the order is PAID");
    say("Amount, currency, account and app must be what was asked for. State and event commit in one transaction.");
    json(&order.becomes(State::Paid).await);

    telling.chapter("The shop hears it, and delivers the tea");
    say("nats sub 'order.v1.order.paid.shop'");
    let name = order.name().to_owned();
    let told = eventually("the shop hears of its order", async || {
        world.facts("order.v1.order.paid.shop").await.into_iter().find(|fact| fact.text("order") == name)
    });
    fact(&told.await);

    give_back(telling, world, &order).await;
    bill_date(paid.paid_at)
}

/// A part of the money goes back.
async fn give_back(telling: &mut Telling, world: &World, order: &Order) {
    telling.chapter("The tea was cold: a part of the money goes back");
    say(
        "The refund is written with its amount reserved, and only then WeChat is asked, with the merchant's certificate.",
    );
    let refunding = order.refund(GIVEN_BACK_FEN).reason("茶凉了 the tea was cold");
    let request = refunding.request();
    let refund = refunding.await;
    call("order-svc", "tongbao.order.v1.OrderService/CreateRefund", &request, refund.written());
    eventually("WeChat has accepted it", async || world.sandbox.refund(refund.out_refund_no()).await).await;
    world.pass(ON_ITS_WAY).await;
    refund.becomes(RefundState::Succeeded).await;
    say(
        "WeChat's refund notice carries no signature, so it proves nothing: notify-svc tells it as a hint, and order-svc asks.",
    );
    for (subjects, count) in [("pay.v1.refund.>", 2), ("order.v1.order.refunded.shop", 1)] {
        for told in world.tells(subjects, count).await {
            fact(&told);
        }
    }
    say("The order keeps what was paid, and what of it was given back:");
    json(&order.becomes(State::PartiallyRefunded).await);
}
