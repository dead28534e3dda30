//! The words of our own files.

use super::{OrderState, RefundCause, RefundState, TakenAs};

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// The word in files and tables.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($type::$variant => $word),+
                }
            }

            /// Reads the word.
            pub fn parse(text: &str) -> Option<$type> {
                match text {
                    $($word => Some($type::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words!(TakenAs { Paid = "PAID", Surplus = "SURPLUS" });
words!(OrderState {
    Open = "OPEN",
    Closed = "CLOSED",
    Paid = "PAID",
    PaidByOther = "PAID_BY_OTHER",
    Unknown = "UNKNOWN",
});
words!(RefundState {
    Created = "CREATED",
    Processing = "PROCESSING",
    Succeeded = "SUCCEEDED",
    Abnormal = "ABNORMAL",
    Closed = "CLOSED",
    Rejected = "REJECTED",
});
words!(RefundCause { Requested = "REQUESTED", Surplus = "SURPLUS", External = "EXTERNAL" });
