//! What an order may tell besides its price and description; the calls that place orders share it.

use super::Goods;
use super::request::Request;
use super::scene::Store;

/// The optional content of an order. What it may hold is said by
/// [`limits::check_particulars`](super::limits::check_particulars).
///
/// The same particulars always make the same texts, so an order that is placed again is the same order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Particulars {
    /// Comes back in notices and queries, and stands in the bill.
    pub attach: Option<String>,
    /// What is sold, piece by piece. With goods an order says `version=1.0`, without which WeChat does not look at them.
    pub goods: Option<Goods>,
    /// The tag that coupons are tied to.
    pub goods_tag: Option<String>,
    /// No credit cards.
    pub no_credit: bool,
    /// Shows the payer the way to an electronic invoice.
    pub receipt: bool,
    /// Freezes the money for profit sharing.
    pub profit_sharing: bool,
    /// The terminal; `WEB` for web pages.
    pub device_info: Option<String>,
    /// The store that sells.
    pub store: Option<Store>,
}

impl Request {
    /// Says the particulars, all but the store, which shares its field with the scene of H5.
    pub(crate) fn with_particulars(self, told: &Particulars) -> Request {
        let yes = |holds: bool| holds.then_some("Y");
        self.with_some("version", told.goods.as_ref().map(|_| "1.0"))
            .with_some("device_info", told.device_info.as_deref())
            .with_some("detail", told.goods.as_ref().map(Goods::detail))
            .with_some("attach", told.attach.as_deref())
            .with_some("goods_tag", told.goods_tag.as_deref())
            .with_some("limit_pay", told.no_credit.then_some("no_credit"))
            .with_some("receipt", yes(told.receipt))
            .with_some("profit_sharing", yes(told.profit_sharing))
    }

    /// Says which store sells.
    pub(crate) fn with_store(self, told: &Particulars) -> Request {
        self.with_some("scene_info", told.store.as_ref().map(Store::scene_info))
    }
}
