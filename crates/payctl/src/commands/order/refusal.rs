//! What to do when order-svc says no.

use proto::error::ErrorReason;
use tonic::Code;

/// What to do.
pub(super) fn fix(code: Code, reason: Option<&str>) -> &'static str {
    let reason = reason.and_then(|word| ErrorReason::from_str_name(&format!("ERROR_REASON_{word}")));
    match reason {
        Some(ErrorReason::InvalidArgument) => "correct the fields above",
        Some(ErrorReason::Unauthenticated) => {
            "use the token of a team that APPS_FILE of order-svc lists (--token-file, ORDER_TOKEN)"
        }
        Some(ErrorReason::RequestIdReused) => {
            "leave --request-id out, or repeat with exactly the content of the first time"
        }
        Some(ErrorReason::OrderNoReused) => {
            "give the order another number, or read the one that has it: payctl order get NUMBER"
        }
        Some(ErrorReason::OrderNotFound | ErrorReason::RefundNotFound | ErrorReason::ProductCodeNotFound) => {
            "look at its name, and at whose token this is: a team sees only its own"
        }
        Some(ErrorReason::OrderNotPayable | ErrorReason::OrderExpired) => "create another order",
        Some(ErrorReason::OrderNotClosable) => "it is paid: give the money back with payctl order refund",
        Some(ErrorReason::TooManyPayments) => "wait until earlier payments are closed, or create another order",
        Some(ErrorReason::MerchantNotFound) => "look at the merchant's name: payctl merchants check DIR lists them",
        Some(ErrorReason::MethodNotAvailable) => {
            "name one of the merchant's apps with --app-id, pay in another way, or mend the merchant's file"
        }
        Some(ErrorReason::LoginCodeInvalid) => "get a fresh code; each is good once, for five minutes",
        Some(ErrorReason::ProviderRefused) => "read provider_code; then pay with a new request id",
        Some(ErrorReason::ProviderUnknown | ErrorReason::TryAgain | ErrorReason::InProgress) => {
            "repeat with the same --request-id: what was done is answered, what was not is done"
        }
        Some(ErrorReason::Overloaded) => "repeat a little later with the same --request-id",
        Some(ErrorReason::DeadlineExceeded) => {
            "the outcome is unknown: repeat with the same --request-id, or read the order"
        }
        Some(ErrorReason::OrderNotRefundable) => "no payment of it holds money: read it with payctl order get",
        Some(ErrorReason::RefundExceedsPayment) => "ask for at most left_fen",
        Some(ErrorReason::TooManyRefunds | ErrorReason::RefundTooLate) => "give the money back outside WeChat",
        Some(ErrorReason::RefundNotAvailable) => {
            "name the merchant's client certificate in its file (client_cert_file, client_key_file)"
        }
        Some(ErrorReason::PaymentUnderWay) => "wait with payctl order watch until the earlier attempt has ended",
        Some(ErrorReason::PayCodeInvalid) => "scan a fresh code and pay with a new request id",
        Some(ErrorReason::PayerCannotPay) => "let the payer pay in another way, with a new request id",
        Some(ErrorReason::ProductNoReused) => "give the product another number, or use the code named above",
        Some(ErrorReason::Internal) => "read order-svc's log",
        _ => match code {
            Code::NotFound => "look at the number, and at whose token this is: a team sees only its own",
            Code::Unavailable => {
                "look whether order-svc runs there (--order-url); then repeat with the same --request-id"
            }
            Code::Unimplemented => {
                "this order-svc is older than this payctl, or something else answers there (--order-url)"
            }
            Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                "the outcome is unknown: repeat with the same --request-id, or read the order"
            }
            _ => "read order-svc's log",
        },
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::fix;

    #[test]
    fn what_nobody_of_ours_said_has_a_fix_too() {
        assert!(fix(Code::Unavailable, None).contains("look whether order-svc runs there"));
        assert!(fix(Code::NotFound, None).contains("look at the number"));
    }

    #[test]
    fn every_reason_that_order_svc_gives_has_a_fix_of_its_own() {
        // Reasons 18 to 20 are reconcile-svc's.
        for number in (1..=33).filter(|number| !(18..=20).contains(number) && *number != 22) {
            let reason = proto::error::ErrorReason::try_from(number).unwrap();
            assert_ne!(fix(Code::Ok, Some(reason.word())), "read order-svc's log", "{reason:?}");
        }
    }
}
