//! What an internal team does: it creates orders, opens cashiers, and learns what became of them.
//!
//! ```no_run
//! # async fn example(world: &e2e::World) {
//! use e2e::selling::{RefundState, State};
//!
//! let order = world.create_order(100).await; // shop's, at acme-mini, for 1.00 yuan
//! let other = world.canteen().create_order(250).merchant("acme-shop").expires_in_s(120).await;
//! let refused = world.create_order(0).attempt().await.unwrap_err(); // the gRPC status
//! let cashier = order.pay_by_openid().await;
//! cashier.pay().await; // the user pays
//! order.becomes(State::Paid).await;
//! other.close().await;
//! let refund = order.refund(40).await; // a part goes back
//! refund.becomes(RefundState::Succeeded).await;
//! # }
//! ```
//!
//! Like a good caller, the panicking forms retry UNAVAILABLE, ABORTED and calls that broke off, with the same request id;
//! `attempt()` calls once.

mod cashier;
mod new_order;
mod order;
mod paying;
mod refund;
mod refunding;
mod team;

pub use cashier::Cashier;
pub use new_order::NewOrder;
pub use order::Order;
pub use paying::Paying;
pub use proto::order::v1::{
    order::State,
    payment::State as PaymentState,
    refund::{Cause, State as RefundState, Waiting},
};
pub use refund::Refund;
pub use refunding::Refunding;
pub(crate) use team::is_undecided;
pub use team::{Orders, Team, Token};

use crate::World;

/// The account that orders are for when nothing else is said. Its mini program and official account follow.
pub const MERCHANT: &str = "acme-mini";
/// The mini program of [`MERCHANT`].
pub const MINI_PROGRAM: &str = "wxac3e0000000000a1";
/// The official account of [`MERCHANT`].
pub const OFFICIAL_ACCOUNT: &str = "wxac3e0000000000a2";
/// The native app of [`MERCHANT`].
pub const NATIVE_APP: &str = "wxac3e0000000000a3";
/// The web site of [`MERCHANT`].
pub const WEB_SITE: &str = "wxac3e0000000000a4";
/// Another account, which signs with MD5 and has a mini program only.
pub const OTHER_MERCHANT: &str = "acme-shop";
/// An account that a service provider runs for a sub-merchant.
pub const SUB_MERCHANT: &str = "acme-tea";
/// The mini program of [`SUB_MERCHANT`] itself.
pub const SUB_MINI_PROGRAM: &str = "wxac3e0000000000c1";
/// The official account of the service provider of [`SUB_MERCHANT`].
pub const PROVIDERS_ACCOUNT: &str = "wxac3e0000000000c0";

impl World {
    /// The team that stories are about unless they say otherwise.
    pub fn shop(&self) -> Team {
        self.team("shop-development-token")
    }

    /// Another team.
    pub fn canteen(&self) -> Team {
        self.team("canteen-development-token")
    }

    /// Whoever holds this token, even a wrong one.
    pub fn team(&self, token: &str) -> Team {
        Team::new(&self.addresses().order.url(), token, self.sandbox.clone())
    }

    /// Creates an order of the shop's. Await it, or change it first.
    pub fn create_order(&self, amount_fen: i64) -> NewOrder {
        self.shop().create_order(amount_fen)
    }

    /// An order of the shop's, by its name.
    pub fn order(&self, name: &str) -> Order {
        self.shop().order(name)
    }

    /// Creates an order of the shop's and opens its cashier in a mini program.
    pub async fn open_cashier(&self, amount_fen: i64) -> Cashier {
        self.create_order(amount_fen).await.pay_by_openid().await
    }
}
