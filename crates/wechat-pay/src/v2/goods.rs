//! Goods in WeChat's JSON: of an order, and of a refund that gives some of them back.

use money::Fen;
use serde::Serialize;

/// What an order sells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Goods {
    /// The price before any reduction.
    pub cost_price: Option<Fen>,
    /// The number of the paper receipt.
    pub receipt_id: Option<String>,
    /// At least one.
    pub items: Vec<GoodsItem>,
}

/// One kind of thing among the goods of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoodsItem {
    /// The merchant's number of it.
    pub goods_id: String,
    /// WeChat's number of it.
    pub wxpay_goods_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// How many, at least 1.
    pub quantity: i64,
    /// Of one.
    pub price: Fen,
}

/// One kind of thing that a refund gives back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefundGoodsItem {
    /// As in the order.
    pub goods_id: String,
    /// As in the order.
    pub wxpay_goods_id: Option<String>,
    /// As in the order.
    pub name: Option<String>,
    /// What goes back for all of them, at least 1 fen.
    pub refund: Fen,
    /// How many, at least 1.
    pub quantity: i64,
    /// Of one, as in the order.
    pub price: Fen,
}

impl Goods {
    /// The text of `detail`: the same goods always make the same bytes.
    pub fn detail(&self) -> String {
        json(&self.in_words_of(false))
    }

    /// The text of `detail` for the older face API, which calls the quantity `goods_num`.
    pub fn facepay_detail(&self) -> String {
        json(&self.in_words_of(true))
    }

    fn in_words_of(&self, facepay: bool) -> Detail<'_> {
        Detail {
            cost_price: self.cost_price.map(Fen::get),
            receipt_id: self.receipt_id.as_deref(),
            items: self
                .items
                .iter()
                .map(|item| Sold {
                    goods_id: &item.goods_id,
                    wxpay_goods_id: item.wxpay_goods_id.as_deref(),
                    goods_name: item.name.as_deref(),
                    quantity: (!facepay).then_some(item.quantity),
                    goods_num: facepay.then_some(item.quantity),
                    price: item.price.get(),
                })
                .collect(),
        }
    }
}

/// The text of `detail` of a refund that names goods.
pub(super) fn refund_detail(items: &[RefundGoodsItem]) -> String {
    json(&RefundDetail {
        items: items
            .iter()
            .map(|item| Returned {
                goods_id: &item.goods_id,
                wxpay_goods_id: item.wxpay_goods_id.as_deref(),
                goods_name: item.name.as_deref(),
                refund_amount: item.refund.get(),
                refund_quantity: item.quantity,
                price: item.price.get(),
            })
            .collect(),
    })
}

/// JSON in the order in which the fields are declared.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts and integers under fixed names are JSON")
}

#[derive(Serialize)]
struct Detail<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_price: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt_id: Option<&'a str>,
    #[serde(rename = "goods_detail")]
    items: Vec<Sold<'a>>,
}

#[derive(Serialize)]
struct Sold<'a> {
    goods_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wxpay_goods_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_num: Option<i64>,
    price: i64,
}

#[derive(Serialize)]
struct RefundDetail<'a> {
    #[serde(rename = "goods_detail")]
    items: Vec<Returned<'a>>,
}

#[derive(Serialize)]
struct Returned<'a> {
    goods_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wxpay_goods_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_name: Option<&'a str>,
    refund_amount: i64,
    refund_quantity: i64,
    price: i64,
}
