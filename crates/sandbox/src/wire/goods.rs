//! Single items of orders and refunds, as their `detail` says them in JSON.

use std::collections::BTreeMap;

use serde::Deserialize;
use wechat_pay::v2::Fields;

/// Most single items of one order.
const MAX_ITEMS: usize = 200;

/// Largest number of pieces, and largest amount in fen.
const MAX_COUNT: i64 = i32::MAX as i64;

/// A detail that is not what it should be; the text says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadGoods(pub(super) &'static str);

/// Which word says how many there are of a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Pieces {
    /// `quantity`.
    #[default]
    Quantity,
    /// `goods_num`, of the older face API.
    GoodsNum,
}

/// What an order sells.
#[derive(Debug, Deserialize)]
pub(super) struct Goods {
    goods_detail: Vec<Item>,
    #[serde(skip)]
    pieces: Pieces,
}

#[derive(Debug, Deserialize)]
struct Item {
    goods_id: String,
    quantity: Option<i64>,
    goods_num: Option<i64>,
    price: i64,
}

impl Item {
    fn pieces(&self, pieces: Pieces) -> i64 {
        let said = match pieces {
            Pieces::Quantity => self.quantity,
            Pieces::GoodsNum => self.goods_num,
        };
        said.unwrap_or_default()
    }
}

/// What a refund gives back.
#[derive(Debug, Deserialize)]
pub(super) struct RefundGoods {
    goods_detail: Vec<RefundItem>,
}

#[derive(Debug, Deserialize)]
struct RefundItem {
    goods_id: String,
    refund_amount: i64,
    refund_quantity: i64,
    price: i64,
}

impl Goods {
    /// What an order with `version` 1.0 sells, when it says it.
    pub(super) fn ordered(fields: &Fields, pieces: Pieces) -> Result<Option<Goods>, BadGoods> {
        let Some(detail) = fields.text("detail").filter(|_| fields.text("version").is_some()) else { return Ok(None) };
        let read: Goods = serde_json::from_str(detail).map_err(|_| BadGoods("不是约定的JSON"))?;
        let goods = Goods { pieces, ..read };
        let fits = |item: &Item| {
            is_id(&item.goods_id)
                && (1..=MAX_COUNT).contains(&item.pieces(pieces))
                && (0..=MAX_COUNT).contains(&item.price)
        };
        check(goods.goods_detail.len(), goods.goods_detail.iter().all(fits))?;
        Ok(Some(goods))
    }

    /// How many pieces of a thing were sold at a price.
    fn sold(&self, goods_id: &str, price: i64) -> i64 {
        let same = self.goods_detail.iter().filter(|item| item.goods_id == goods_id && item.price == price);
        same.map(|item| item.pieces(self.pieces)).sum()
    }
}

impl RefundGoods {
    /// Reads the detail of a refund.
    pub(super) fn read(detail: &str) -> Result<RefundGoods, BadGoods> {
        let goods: RefundGoods = serde_json::from_str(detail).map_err(|_| BadGoods("不是约定的JSON"))?;
        let fits = |item: &RefundItem| {
            is_id(&item.goods_id)
                && (1..=MAX_COUNT).contains(&item.refund_quantity)
                && (1..=MAX_COUNT).contains(&item.refund_amount)
                && (0..=MAX_COUNT).contains(&item.price)
        };
        check(goods.goods_detail.len(), goods.goods_detail.iter().all(fits))?;
        Ok(goods)
    }

    /// Whether no more goes back than the refund's amount, and, of an order that says what it sells, nothing that was
    /// not sold, dearer than it was sold, or more often, counting the refunds `before`.
    pub(super) fn check(&self, refund_fen: i64, sold: Option<&Goods>, before: &[RefundGoods]) -> Result<(), BadGoods> {
        let sum: i64 = self.goods_detail.iter().map(|item| item.refund_amount).sum();
        if refund_fen < sum {
            return Err(BadGoods("单品退款金额之和大于退款金额"));
        }
        let Some(sold) = sold else { return Ok(()) };
        let mut back: BTreeMap<(&str, i64), i64> = BTreeMap::new();
        for item in before.iter().chain([self]).flat_map(|goods| &goods.goods_detail) {
            *back.entry((&item.goods_id, item.price)).or_default() += item.refund_quantity;
        }
        for item in &self.goods_detail {
            let pieces = sold.sold(&item.goods_id, item.price);
            if pieces == 0 {
                return Err(BadGoods("单品与下单时不一致"));
            }
            if pieces < back[&(item.goods_id.as_str(), item.price)] {
                return Err(BadGoods("单品退款数量大于可退数量"));
            }
            // Both factors have 31 bits at most.
            if item.price * item.refund_quantity < item.refund_amount {
                return Err(BadGoods("单品退款金额大于单品总价"));
            }
        }
        Ok(())
    }
}

fn is_id(goods_id: &str) -> bool {
    (1..=32).contains(&goods_id.len())
}

fn check(items: usize, fits: bool) -> Result<(), BadGoods> {
    if (1..=MAX_ITEMS).contains(&items) && fits { Ok(()) } else { Err(BadGoods("单品列表不符合规范")) }
}
