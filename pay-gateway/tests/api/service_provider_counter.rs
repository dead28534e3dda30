//! Charges, reversals and queries of a service provider's sub-merchant.

use proto::gateway::v1::{
    self, charge_response::Outcome as Charged, not_done::Kind, payment_status::State,
    query_payment_response::Outcome as Queried, reverse_payment_response::Outcome as Reversed,
};

use crate::{
    counter::{OPENID, PROVIDER_APP, SUB_MCH_ID, TAKEN, named, of_provider, providing, reversal},
    fake::{Fake, Reply},
    harness::{APP_ID, Gateway, MCH_ID, query},
};

const SUCCESS: (&str, &str) = ("result_code", "SUCCESS");
const SUB: [(&str, &str); 2] = [("sub_appid", APP_ID), ("sub_mch_id", SUB_MCH_ID)];

fn taken(whose: &[(&'static str, &'static str)]) -> Reply {
    of_provider(&[&[SUCCESS][..], whose, &TAKEN].concat())
}

async fn before(reply: Reply) -> (Gateway, Fake) {
    let fake = Fake::always(reply).await;
    (Gateway::of(providing(), &fake.url, &[]).await, fake)
}

fn of_sub(request: v1::ChargeRequest) -> v1::ChargeRequest {
    v1::ChargeRequest { sub_mch_id: SUB_MCH_ID.into(), ..request }
}

#[tokio::test]
async fn a_charge_names_the_provider_and_for_whom_it_charges() {
    let (gateway, fake) = before(taken(&SUB)).await;
    for request in [gateway.charge_request(), gateway.facepay_request()] {
        let Charged::Done(status) = gateway.charge(of_sub(request)).await else { panic!("it is paid") };
        let paid = status.paid.expect("it is told");
        assert_eq!(status.provider_state, "SUCCESS");
        assert_eq!(
            (paid.mch_id.as_str(), paid.sub_mch_id.as_str(), paid.app_id.as_str()),
            (MCH_ID, SUB_MCH_ID, APP_ID)
        );
    }
    let [by_code, by_face] = fake.received().try_into().expect("two requests");
    for sent in [&by_code, &by_face] {
        for (name, value) in
            [("appid", PROVIDER_APP), ("mch_id", MCH_ID), ("sub_appid", APP_ID), ("sub_mch_id", SUB_MCH_ID)]
        {
            assert_eq!(sent.fields.get(name), Some(value), "{name}");
        }
    }
    assert_eq!((by_face.fields.get("openid"), by_face.fields.get("sub_openid")), (None, Some(OPENID)));
}

#[tokio::test]
async fn money_that_names_no_sub_merchant_or_another_one_proves_nothing() {
    for (whose, why) in [
        (&[("sub_appid", APP_ID)][..], "bad_answer"),
        (&[("sub_mch_id", "1900000778"), ("sub_appid", APP_ID)], "wrong_identity"),
        (&[("sub_mch_id", SUB_MCH_ID), ("sub_appid", "wx0000000000000999")], "wrong_identity"),
    ] {
        let (gateway, _fake) = before(taken(whose)).await;
        let Charged::Unknown(unknown) = gateway.charge(of_sub(gateway.charge_request())).await else {
            panic!("it proves nothing: {whose:?}")
        };
        assert_eq!(unknown.why, why, "{whose:?}");
    }
}

#[tokio::test]
async fn a_query_of_a_sub_merchants_payment_is_judged_alike() {
    let ask = async |whose: &[(&'static str, &'static str)]| {
        let state = [("trade_state", "SUCCESS")];
        let (gateway, fake) = before(of_provider(&[&[SUCCESS][..], whose, &state, &TAKEN].concat())).await;
        let request = v1::QueryPaymentRequest { sub_mch_id: SUB_MCH_ID.into(), ..query() };
        let response = gateway.client.clone().query_payment(request).await.expect("an outcome").into_inner();
        let sent = fake.only().fields;
        assert_eq!((sent.get("sub_mch_id"), sent.get("sub_appid")), (Some(SUB_MCH_ID), Some(APP_ID)));
        response.outcome.expect("an outcome is set")
    };
    let Queried::Done(status) = ask(&SUB).await else { panic!("it is paid") };
    assert_eq!((status.state(), status.paid.expect("it is told").sub_mch_id.as_str()), (State::Paid, SUB_MCH_ID));
    assert!(matches!(ask(&[]).await, Queried::Unknown(unknown) if unknown.why == "bad_answer"));
    let other = ask(&[("sub_mch_id", "1900000778")]).await;
    assert!(matches!(other, Queried::Unknown(unknown) if unknown.why == "wrong_identity"));
}

#[tokio::test]
async fn a_reversal_names_for_whom_it_reverses() {
    let (gateway, fake) = before(of_provider(&[SUCCESS, ("recall", "N")])).await;
    let request = v1::ReversePaymentRequest { sub_mch_id: SUB_MCH_ID.into(), ..reversal() };
    assert!(matches!(gateway.reverse(request).await, Reversed::Done(_)));
    let sent = fake.only().fields;
    for (name, value) in
        [("appid", PROVIDER_APP), ("mch_id", MCH_ID), ("sub_appid", APP_ID), ("sub_mch_id", SUB_MCH_ID)]
    {
        assert_eq!(sent.get(name), Some(value), "{name}");
    }
    let refused = of_provider(&[("result_code", "FAIL"), ("err_code", "REVERSE_EXPIRE")]);
    let (gateway, _fake) = before(refused).await;
    let request = v1::ReversePaymentRequest { sub_mch_id: SUB_MCH_ID.into(), ..reversal() };
    let Reversed::NotDone(no) = gateway.reverse(request).await else { panic!("it is a no") };
    assert_eq!(no.kind(), Kind::TooLate);
}

#[tokio::test]
async fn an_attempt_of_another_sub_merchant_is_refused_before_anything_is_sent() {
    let (gateway, fake) = before(taken(&SUB)).await;
    let mut client = gateway.client.clone();
    for sub_mch_id in ["", "1900000778"] {
        let told = || sub_mch_id.to_owned();
        let refusals = [
            client.charge(v1::ChargeRequest { sub_mch_id: told(), ..gateway.charge_request() }).await.map(drop),
            client.reverse_payment(v1::ReversePaymentRequest { sub_mch_id: told(), ..reversal() }).await.map(drop),
            client.query_payment(v1::QueryPaymentRequest { sub_mch_id: told(), ..query() }).await.map(drop),
        ];
        for refused in refusals {
            assert_eq!(named(&refused.expect_err("refused")), ["sub_mch_id"]);
        }
    }
    assert!(fake.received().is_empty());
}
