//! Everything goes right.

use std::{collections::BTreeSet, time::Duration};

use e2e::{
    Options,
    selling::{MINI_PROGRAM, OFFICIAL_ACCOUNT, OTHER_MERCHANT, PaymentState, State},
    story,
};
use proto::{
    event::{OrderPaid, PaymentPaid, Source},
    order::v1::ListOrdersRequest,
};

#[test]
fn a_payment_in_a_mini_program_pays_its_order_and_the_team_is_told() {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        assert_eq!(cashier.payment().state(), PaymentState::Pending);
        let invocation = cashier.invocation();
        assert_eq!((invocation.app_id.as_str(), invocation.sign_type.as_str()), (MINI_PROGRAM, "HMAC-SHA256"));
        assert!(invocation.package.starts_with("prepay_id="), "{}", invocation.package);

        let paid = cashier.pay().await;
        let order = cashier.order().becomes(State::Paid).await;
        assert_eq!(order.payments.len(), 1);
        let payment = &order.payments[0];
        assert_eq!(payment.state(), PaymentState::Succeeded);
        assert_eq!((payment.transaction_id.as_str(), payment.amount_fen), (paid.transaction_id.as_str(), 100));
        assert_eq!(order.paid_payment, payment.name);
        assert_eq!(order.paid_time, Some(proto::time::to_wire(paid.paid_at)));

        let callback = cashier.delivered().await;
        assert!(callback.attempts.iter().all(|attempt| attempt.genuine), "{callback:?}");
        let facts = world.facts("pay.v1.payment.paid.acme-mini").await;
        assert_eq!(facts.len(), 1);
        assert_eq!(facts[0].id, format!("paid:wechat-v2:1900000109:{}", paid.transaction_id));
        assert_eq!(facts[0].header("Nats-Msg-Id"), facts[0].id);
        assert_eq!(facts[0].header("ce-type"), "tongbao.event.v1.PaymentPaid");
        assert_eq!(facts[0].event::<PaymentPaid>().source(), Source::Notice);

        world.tells("order.v1.order.paid.shop", 1).await;
        let told = world.facts("order.v1.order.paid.shop").await;
        assert_eq!(told[0].id, format!("paid:{}", cashier.order().id()));
        let event: OrderPaid = told[0].event();
        assert_eq!((event.order.as_str(), event.amount_fen), (cashier.order().name(), 100));
        assert_eq!(event.transaction_id, paid.transaction_id);
    });
}

#[test]
fn a_payer_who_just_logged_in_pays_with_the_login_code() {
    story(Options::default(), async |world| {
        let login = world.sandbox.login_code(MINI_PROGRAM).await;
        let order = world.create_order(1).await;
        let cashier = order.pay_by_login_code(&login.code).await;
        cashier.pay().await;
        order.becomes(State::Paid).await;
        // Openids are personal data: none of our processes writes one down for people to read.
        for part in e2e::Part::OURS {
            assert!(!world.log(part).contains(&login.openid), "{part} logs an openid");
        }
    });
}

#[test]
fn a_page_of_an_official_account_pays_an_order() {
    story(Options::default(), async |world| {
        let order = world.create_order(100_000_000).await;
        let cashier = order.jsapi().await;
        assert_eq!(cashier.invocation().app_id, OFFICIAL_ACCOUNT);
        cashier.pay().await;
        let paid = order.becomes(State::Paid).await;
        assert_eq!(paid.payments[0].method, "jsapi");
    });
}

#[test]
fn an_account_that_signs_with_md5_is_paid_as_well() {
    story(Options::default(), async |world| {
        let order = world.canteen().create_order(250).merchant(OTHER_MERCHANT).await;
        let cashier = order.pay_by_openid().await;
        assert_eq!(cashier.invocation().sign_type, "MD5");
        cashier.pay().await;
        order.becomes(State::Paid).await;
        world.tells("order.v1.order.paid.canteen", 1).await;
        assert_eq!(world.facts("order.v1.order.paid.shop").await.len(), 0, "another team hears nothing");
    });
}

#[test]
fn a_watch_sees_the_payment_and_ends() {
    story(Options::default(), async |world| {
        let cashier = world.open_cashier(100).await;
        let mut watch = cashier.order().watch().await;
        let first = watch.message().await.expect("the stream goes on").expect("it begins with the order as it is");
        assert_eq!(first.state(), State::Pending);
        cashier.pay().await;
        let mut last = first;
        while let Some(order) = watch.message().await.expect("the stream ends well") {
            assert!(last.version < order.version, "versions grow");
            last = order;
        }
        assert_eq!(last.state(), State::Paid);
    });
}

#[test]
fn a_team_pages_through_its_orders_newest_first() {
    story(Options::default(), async |world| {
        let mut created = Vec::new();
        for fen in 1..=5 {
            created.insert(0, world.create_order(fen).await.name().to_owned());
            // Orders of one millisecond have no order among themselves.
            world.pass(Duration::from_millis(10)).await;
        }
        let others = world.canteen().create_order(9).await;

        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let page = ListOrdersRequest { page_size: 2, page_token, ..ListOrdersRequest::default() };
            let page = world.shop().list(page).await;
            assert!(page.orders.len() <= 2);
            listed.extend(page.orders.into_iter().map(|order| order.name));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, created);

        let paid = ListOrdersRequest { state: State::Paid.into(), ..ListOrdersRequest::default() };
        assert_eq!(world.shop().list(paid.clone()).await.orders.len(), 0);
        let cashier = world.order(&created[0]).pay_by_openid().await;
        cashier.pay().await;
        cashier.order().becomes(State::Paid).await;
        let names: BTreeSet<_> = world.shop().list(paid).await.orders.into_iter().map(|order| order.name).collect();
        assert_eq!(names, BTreeSet::from([created[0].clone()]));
        let canteen = world.canteen().list(ListOrdersRequest::default()).await.orders;
        assert_eq!(canteen.into_iter().map(|order| order.name).collect::<Vec<_>>(), [others.name()]);
    });
}
