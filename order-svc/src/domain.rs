//! What an order is and what may happen to it: pure, without IO and SQL, and without messages but those that are only `carried`.

pub mod carried;
pub mod charge;
pub mod ids;
pub mod order;
pub mod payment;
pub mod product_code;
pub mod refund;
pub mod refunding;
pub mod repair;
pub mod settle;

pub use ids::{OrderId, PaymentId, ProductCodeId, RefundId};
