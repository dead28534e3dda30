//! What opens the cashier, as the team hears it.

use std::time::Duration;

use jiff::Timestamp;
use proto::{
    gateway::v1::Prepaid,
    order::v1::{H5Invocation, JsapiInvocation, NativeInvocation, PayOrderResponse, pay_order_response::Invocation},
    time::to_wire,
};

use super::sending::Reply;
use crate::{
    api::{answer, images::Images},
    domain::payment::{Method, Payment},
    gateway::CALL_TIME,
};

/// The answer of a `PayOrder`.
pub(super) struct ToTeam {
    /// Of a QR code, when there is one.
    pub(super) images: Images,
}

impl Reply for ToTeam {
    type Kept = PayOrderResponse;

    const TIME: Duration = CALL_TIME;

    fn of(&self, payment: &Payment, prepaid: Prepaid, usable_until: Timestamp) -> Option<PayOrderResponse> {
        Some(PayOrderResponse {
            payment: Some(answer::payment(payment)),
            invocation: Some(invocation(payment.method, prepaid, self.images)?),
            usable_until: Some(to_wire(usable_until)),
        })
    }

    fn of_charge(&self, payment: &Payment) -> Option<PayOrderResponse> {
        Some(PayOrderResponse { payment: Some(answer::payment(payment)), invocation: None, usable_until: None })
    }
}

/// Nothing when the gateway told nothing that this method could open the cashier with.
fn invocation(method: Method, prepaid: Prepaid, images: Images) -> Option<Invocation> {
    match method {
        Method::MiniProgram | Method::Jsapi => {
            (!prepaid.pay_sign.is_empty()).then_some(Invocation::Jsapi(JsapiInvocation {
                app_id: prepaid.app_id,
                time_stamp: prepaid.time_stamp,
                nonce_str: prepaid.nonce_str,
                package: prepaid.package,
                sign_type: prepaid.sign_type,
                pay_sign: prepaid.pay_sign,
            }))
        }
        Method::Native => (!prepaid.code_url.is_empty()).then(|| {
            let drawn = images.draw(&prepaid.code_url);
            Invocation::Native(NativeInvocation { code_url: prepaid.code_url, qr_svg: drawn.svg, qr_png: drawn.png })
        }),
        Method::App => prepaid.app.map(Invocation::App),
        Method::H5 => (!prepaid.h5_url.is_empty()).then_some(Invocation::H5(H5Invocation { url: prepaid.h5_url })),
        // They have no cashier and are never prepaid.
        Method::PayCode | Method::Face | Method::Facepay => None,
    }
}

#[cfg(test)]
mod tests {
    use proto::{
        gateway::v1::Prepaid,
        order::v1::{AppInvocation, QrImage, pay_order_response::Invocation},
    };
    use svc_kit::refusal::Violations;

    use super::invocation;
    use crate::{api::images::Images, domain::payment::Method};

    fn prepaid() -> Prepaid {
        Prepaid {
            app_id: "wx01".into(),
            pay_sign: "S".into(),
            code_url: "weixin://wxpay/bizpayurl?pr=1".into(),
            h5_url: "https://wx.tenpay.com/x?prepay_id=1".into(),
            app: Some(AppInvocation { prepayid: "wx2026".into(), ..AppInvocation::default() }),
            ..Prepaid::default()
        }
    }

    #[test]
    fn each_method_is_answered_with_what_opens_its_own_cashier() {
        let of = |method| invocation(method, prepaid(), Images::default());
        for method in [Method::MiniProgram, Method::Jsapi] {
            assert!(
                matches!(of(method), Some(Invocation::Jsapi(jsapi)) if jsapi.pay_sign == "S" && jsapi.app_id == "wx01")
            );
        }
        assert!(matches!(of(Method::App), Some(Invocation::App(app)) if app.prepayid == "wx2026"));
        assert!(matches!(of(Method::H5), Some(Invocation::H5(h5)) if h5.url.starts_with("https://wx.tenpay.com/")));
        let Some(Invocation::Native(native)) = of(Method::Native) else { panic!("a QR code") };
        assert_eq!(native.code_url, "weixin://wxpay/bizpayurl?pr=1");
        assert!(native.qr_svg.is_empty() && native.qr_png.is_empty(), "no picture was wanted");
        let images = Images::wanted(&[QrImage::Svg.into()], "images", &mut Violations::new());
        let Some(Invocation::Native(native)) = invocation(Method::Native, prepaid(), images) else {
            panic!("a QR code")
        };
        assert!(native.qr_svg.starts_with("<svg"));
    }

    #[test]
    fn an_answer_that_opens_nothing_is_none() {
        for method in Method::ALL {
            assert_eq!(invocation(method, Prepaid::default(), Images::default()), None, "{method:?}");
        }
    }
}
