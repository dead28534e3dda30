//! The messages of the control API, JSON both ways. Every error answers with a [`Problem`].
//!
//! | call | body | answer |
//! |---|---|---|
//! | `GET /_sandbox/clock?after=<offset_ms>` | – | [`ClockState`]; with `after`, waits until the offset differs, at most 20 s |
//! | `POST /_sandbox/clock` | [`Advance`] | [`ClockState`] |
//! | `POST /_sandbox/login_codes` | [`NewLoginCode`] | [`LoginCode`] |
//! | `POST /_sandbox/oauth_codes` | [`NewOAuthCode`] | [`LoginCode`] |
//! | `POST /_sandbox/scans` | [`Scan`] | [`Scanned`] |
//! | `POST /_sandbox/pay` | [`PayOpened`] | [`Paid`] |
//! | `POST /_sandbox/payments/{out_trade_no}/pay` | [`Pay`], may be empty | [`Paid`] |
//! | `POST /_sandbox/payments/{out_trade_no}/cancel` | [`Cancel`], may be empty | [`Order`] |
//! | `POST /_sandbox/pay-codes` | [`NewPayCode`], may be empty | [`PayCode`] |
//! | `POST /_sandbox/face-codes` | [`NewPayCode`], may be empty | [`FaceCode`] |
//! | `POST /_sandbox/payments/{out_trade_no}/refund` | [`PlatformRefund`], may be empty | [`Refund`] |
//! | `POST /_sandbox/refunds/{out_refund_no}/settle` | [`Settle`] | [`Refund`] |
//! | `POST /_sandbox/bills/payments/{out_trade_no}` | [`Misbilled`], may be empty | [`Misbilled`] |
//! | `POST /_sandbox/bills/refunds/{out_refund_no}` | [`Misbilled`], may be empty | [`Misbilled`] |
//! | `POST /_sandbox/merchants/{name}/movements` | [`NewMovement`] | [`NewMovement`] |
//! | `PUT /_sandbox/merchants/{name}/bills/{day}/{kind}` | a bill as WeChat writes it, plain or gzipped, at most 512 MiB | [`GivenBill`] |
//! | `DELETE /_sandbox/merchants/{name}/bills/{day}/{kind}` | – | – |
//! | `POST /_sandbox/settle_delay` | [`SettleDelay`] | [`SettleDelay`] |
//! | `GET /_sandbox/merchants/{name}/balance` | – | [`Balance`] |
//! | `POST /_sandbox/merchants/{name}/balance` | [`Balance`] | [`Balance`] |
//! | `POST /_sandbox/refund_rate` | [`RefundRate`] | [`RefundRate`] |
//! | `GET /_sandbox/reports` | – | [`Reports`] |
//! | `POST /_sandbox/comments` | [`NewComment`] | [`Comment`] |
//! | `GET /_sandbox/short_urls?url=` | – | [`LongUrl`] |
//! | `GET /_sandbox/red-packets` | – | [`RedPackets`] |
//! | `POST /_sandbox/red-packets/{mch_billno}/settle` | [`SettleRedPacket`] | [`RedPacket`] |
//! | `GET /_sandbox/ledger?merchant=&out_trade_no=` | – | [`Ledger`] |
//! | `POST /_sandbox/faults` | [`FaultRule`] | [`ActiveFault`] |
//! | `GET /_sandbox/faults` | – | [`Faults`] |
//! | `DELETE /_sandbox/faults` | – | [`Faults`], empty |

mod bills;
mod clock;
mod desk;
mod faults;
mod ledger;
mod pay_codes;
mod payments;
mod red_packets;
mod refunds;
mod scans;

pub use bills::{GivenBill, Misbilled, NewMovement};
pub use clock::{Advance, ClockState};
pub use desk::{Comment, LongUrl, NewComment, RefundRate, Report, Reports};
pub use faults::{ActiveFault, Fault, FaultPoint, FaultRule, Faults};
pub use ledger::{AnswerClass, Attempt, Callback, CallbackKind, CallbackState, Ledger, Order, Payment};
pub use pay_codes::{Cancel, FaceCode, NewPayCode, PayBehaviour, PayCode};
pub use payments::{LoginCode, NewLoginCode, NewOAuthCode, Paid, Pay, PayOpened};
pub use red_packets::{RedPacket, RedPacketStatus, RedPackets, SettleRedPacket};
pub use refunds::{Balance, PlatformRefund, Refund, RefundSource, RefundState, Settle, SettleDelay};
pub use scans::{Cashier, Scan, Scanned, Shown};

use serde::{Deserialize, Serialize};

/// Why the control API refused a call; the HTTP status says which kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// One sentence for whoever sent the call.
    pub error: String,
}
