//! A QR code on a screen (Native mode 2).

use e2e::{
    Options,
    sandbox_client::{Scan, Shown},
    selling::{MINI_PROGRAM, PaymentState, State, WEB_SITE},
    story,
};
use proto::{
    error::ErrorReason,
    order::v1::{Native, QrImage, pay_order_request::Method},
};
use tonic::Code;

use super::{goes_back, is_paid};
use crate::refused::{refused, wrong_fields};

fn native(native: Native) -> Method {
    Method::Native(native)
}

#[test]
fn a_code_that_ran_out_opens_nothing_and_the_next_one_does() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).expires_in_s(3600 * 5).await;
        let first = order.pay_by_qr().await;
        world.pass(std::time::Duration::from_hours(2) + std::time::Duration::from_mins(1)).await;
        let shown = world.sandbox.scan(&first.qr().code_url).await.shown;
        assert!(matches!(shown, Shown::Nothing { .. }), "{shown:?}");

        let second = order.pay_by_qr().await;
        assert_ne!(second.qr().code_url, first.qr().code_url);
        world.sandbox.pay_code_url(&second.qr().code_url).await;
        is_paid(&second, "native").await;
    });
}

#[test]
fn what_no_code_can_be_made_of_names_its_field() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let wrong = Native { app_id: "wx 1".to_owned(), product_id: "tea and more".to_owned(), images: vec![9] };
        wrong_fields(
            order.pay_by(native(wrong)).attempt().await,
            &["native.app_id", "native.product_id", "native.images[0]"],
        );
        // The merchant has four apps, and nobody can guess which one.
        let no = order.pay_by(native(Native::default())).attempt().await;
        refused(no, Code::FailedPrecondition, ErrorReason::MethodNotAvailable);
        let strangers = Native { app_id: "wxac3e0000000000b1".to_owned(), ..Native::default() };
        refused(
            order.pay_by(native(strangers)).attempt().await,
            Code::FailedPrecondition,
            ErrorReason::MethodNotAvailable,
        );
        assert!(order.now().await.payments.is_empty(), "nothing was written");
    });
}

#[test]
fn a_code_is_scanned_paid_and_its_money_goes_back() {
    story(Options::default(), async |world| {
        let order = world.create_order(990).await;
        let cashier = order.pay_by_qr().await;
        assert_eq!(cashier.payment().state(), PaymentState::Pending);
        let shown = world.sandbox.scan(&cashier.qr().code_url).await.shown;
        let Shown::Cashier(shown) = shown else { panic!("the phone shows a cashier: {shown:?}") };
        assert_eq!((shown.amount_fen, shown.out_trade_no.as_str()), (990, cashier.out_trade_no()));
        assert_eq!(
            world.sandbox.order(cashier.out_trade_no()).await.map(|order| order.trade_type),
            Some("NATIVE".to_owned())
        );

        world.sandbox.pay_code_url(&cashier.qr().code_url).await;
        is_paid(&cashier, "native").await;
        goes_back(world, &cashier).await;
        let again = world.sandbox.scan_as(&Scan { code_url: cashier.qr().code_url.clone(), ..Scan::default() }).await;
        assert!(matches!(again.shown, Shown::Nothing { .. }), "{again:?}");
    });
}

#[test]
fn the_pictures_that_were_asked_for_hold_the_code() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let plain = order.pay_by(native(Native { app_id: WEB_SITE.to_owned(), ..Native::default() })).await;
        assert_eq!((plain.qr().qr_svg.as_str(), plain.qr().qr_png.len()), ("", 0), "nobody asked");
        let images = vec![QrImage::Svg.into(), QrImage::Png.into()];
        let paying = order.pay_by(native(Native { app_id: MINI_PROGRAM.to_owned(), images, ..Native::default() }));
        let drawn = paying.clone().await;
        let qr = drawn.qr();
        assert!(qr.qr_svg.contains("<svg") && qr.qr_svg.len() < 64 * 1024, "{}", qr.qr_svg);
        assert!(qr.qr_png.starts_with(b"\x89PNG\r\n\x1a\n") && qr.qr_png.len() < 64 * 1024);
        let again = paying.await;
        assert_eq!(again.opened(), drawn.opened(), "the same request is answered the same, pictures and all");
        drawn.pay().await;
        order.becomes(State::Paid).await;
    });
}
