//! The code that pays: a pay code that a terminal scanned, or what a face device gave.

use proto::order::v1::{Face, PayCode};
use svc_kit::refusal::Violations;
use tonic::Status;
use wechat_pay::v2::limits;

use crate::{
    api::{fields, refuse},
    domain::payment::Method,
    gateway::Merchant,
};

/// Digits of a pay code.
const PAY_CODE_DIGITS: usize = 18;
/// Longest face code.
const MAX_FACE_CODE: usize = 128;

/// A code that works once. Whoever reads it can charge the payer, so it is in memory only and has no Debug.
pub(super) struct Code {
    pub(super) code: String,
    /// The payer, as a face device gave it; empty otherwise.
    pub(super) openid: String,
}

/// Checks what a terminal scanned. Source: WeChat Pay v2 reference, identifiers, `auth_code`.
pub(super) fn pay_code(asked: &PayCode, violations: &mut Violations) -> Code {
    let code = &asked.auth_code;
    let digits = code.len() == PAY_CODE_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
    let good = digits && matches!(code.as_bytes(), [b'1', b'0'..=b'5', ..]);
    violations.check(good, "pay_code.auth_code", "must be a pay code: 18 digits, the first two 10 to 15");
    Code { code: code.clone(), openid: String::new() }
}

/// Checks what a face device gave.
pub(super) fn face(asked: &Face, violations: &mut Violations) -> Code {
    let code = &asked.face_code;
    let good = (1..=MAX_FACE_CODE).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_graphic());
    let words = format!("must be what the device's SDK gave, 1 to {MAX_FACE_CODE} printable characters");
    violations.check(good, "face.face_code", words);
    let good = asked.openid.is_empty() || fields::is_openid(&asked.openid);
    violations.check(good, "face.openid", "must be what the device's SDK gave, 1 to 128 of [0-9A-Za-z_-], or absent");
    Code { code: code.clone(), openid: asked.openid.clone() }
}

impl Code {
    /// By which method this merchant takes it. A face goes through WeChat's older face API where the merchant's file says so.
    pub(super) fn method_at(&self, merchant: &Merchant, method: Method) -> Result<Method, Status> {
        let takes = |method: Method| merchant.methods.iter().any(|word| word == method.word());
        let method = if method == Method::Face && takes(Method::Facepay) { Method::Facepay } else { method };
        if !takes(method) {
            let words = format!("merchant {} does not take {}", merchant.name, method.word());
            return Err(refuse::method_not_available(words));
        }
        // What cannot be taken back must not be started.
        if !merchant.can_refund {
            let words = format!(
                "merchant {} cannot take a payment back: its file names no client certificate (client_cert_file)",
                merchant.name
            );
            return Err(refuse::method_not_available(words));
        }
        if method == Method::Facepay && self.openid.is_empty() {
            let mut violations = Violations::new();
            violations.push("face.openid", "is required: the merchant takes faces through WeChat's older face API");
            violations.finish()?;
        }
        // pay-gateway would refuse it, but only when its attempt is written.
        if method == Method::Face && limits::check_face_pay_code(&self.code).is_err() {
            let mut violations = Violations::new();
            violations.push("face.face_code", "must be 18 digits: tell the device's SDK face_code_type 1");
            violations.finish()?;
        }
        Ok(method)
    }
}

#[cfg(test)]
mod tests {
    use proto::order::v1::{Face, PayCode};
    use svc_kit::refusal::Violations;
    use tonic::Code as Grpc;

    use super::{Code, face, pay_code};
    use crate::{
        domain::payment::Method,
        gateway::{Merchant, Surplus},
    };

    fn merchant(methods: &[Method], can_refund: bool) -> Merchant {
        Merchant {
            name: "acme-shop".into(),
            provider: "wechat-v2".into(),
            mch_id: "1900000109".into(),
            sub_mch_id: String::new(),
            apps: Vec::new(),
            methods: methods.iter().map(|method| method.word().to_owned()).collect(),
            can_refund,
            surplus: Surplus::Refund,
        }
    }

    fn is_taken(auth_code: &str) -> bool {
        let mut violations = Violations::new();
        let asked = PayCode { auth_code: auth_code.to_owned(), ..PayCode::default() };
        pay_code(&asked, &mut violations);
        violations.finish().is_ok()
    }

    #[test]
    fn a_pay_code_has_18_digits_and_begins_with_10_to_15() {
        for good in ["100000000000000000", "134567890123456789", "159999999999999999"] {
            assert!(is_taken(good), "{good}");
        }
        for bad in [
            "",
            "13456789012345678",
            "1345678901234567890",
            "160000000000000000",
            "093456789012345678",
            "13456789012345678x",
        ] {
            assert!(!is_taken(bad), "{bad}");
        }
        assert!(!is_taken("１３４５６７"), "digits of another script are none");
    }

    #[test]
    fn what_is_wrong_with_a_code_is_said_without_the_code() {
        let mut violations = Violations::new();
        let asked = PayCode { auth_code: "secret".into(), ..PayCode::default() };
        pay_code(&asked, &mut violations);
        let asked = Face { face_code: "sec\nret".into(), openid: "sec ret".into(), ..Face::default() };
        face(&asked, &mut violations);
        let status = violations.finish().expect_err("all of it is wrong");
        let said = format!("{status:?}");
        assert!(said.contains("face.openid") && !said.contains("sec"), "{said}");
    }

    #[test]
    fn a_face_goes_the_way_that_the_merchants_file_says() {
        let code = Code { code: "134567890123456789".into(), openid: "o".into() };
        let at = |methods: &[Method]| code.method_at(&merchant(methods, true), Method::Face);
        assert_eq!(at(&[Method::Face]).ok(), Some(Method::Face));
        assert_eq!(at(&[Method::Facepay]).ok(), Some(Method::Facepay));
        assert_eq!(at(&[Method::PayCode]).map_err(|status| status.code()), Err(Grpc::FailedPrecondition));
        let nobody = Code { code: "f".into(), openid: String::new() };
        let refused = nobody.method_at(&merchant(&[Method::Facepay], true), Method::Face);
        assert_eq!(refused.map_err(|status| status.code()), Err(Grpc::InvalidArgument));
    }

    #[test]
    fn a_face_code_has_18_digits_except_where_it_goes_through_the_older_face_api() {
        let code = Code { code: "f".into(), openid: "o".into() };
        let at = |methods: &[Method]| code.method_at(&merchant(methods, true), Method::Face);
        assert_eq!(at(&[Method::Face]).map_err(|status| status.code()), Err(Grpc::InvalidArgument));
        assert_eq!(at(&[Method::Facepay]).ok(), Some(Method::Facepay));
    }

    #[test]
    fn nothing_is_charged_that_could_not_be_taken_back() {
        let code = Code { code: "134567890123456789".into(), openid: String::new() };
        let refused = code.method_at(&merchant(&[Method::PayCode], false), Method::PayCode);
        assert_eq!(refused.map_err(|status| status.code()), Err(Grpc::FailedPrecondition));
    }
}
