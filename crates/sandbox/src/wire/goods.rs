//! Single items of orders, as their `detail` says them in JSON.

use serde::Deserialize;
use wechat_pay::v2::Fields;

/// Most single items of one order.
const MAX_ITEMS: usize = 200;

/// Largest number of pieces, and largest amount in fen.
const MAX_COUNT: i64 = i32::MAX as i64;

/// A detail that is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadGoods;

/// Which word says how many there are of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pieces {
    /// `quantity`.
    Quantity,
    /// `goods_num`, of the older face API.
    GoodsNum,
}

/// What an order sells.
#[derive(Debug, Deserialize)]
pub(super) struct Goods {
    goods_detail: Vec<Item>,
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

impl Goods {
    /// Checks what an order with `version` 1.0 sells, when it says it.
    pub(super) fn check(fields: &Fields, pieces: Pieces) -> Result<(), BadGoods> {
        let Some(detail) = fields.text("detail").filter(|_| fields.text("version").is_some()) else { return Ok(()) };
        let goods: Goods = serde_json::from_str(detail).map_err(|_| BadGoods)?;
        let fits = |item: &Item| {
            is_id(&item.goods_id)
                && (1..=MAX_COUNT).contains(&item.pieces(pieces))
                && (0..=MAX_COUNT).contains(&item.price)
        };
        check(goods.goods_detail.len(), goods.goods_detail.iter().all(fits))
    }
}

fn is_id(goods_id: &str) -> bool {
    (1..=32).contains(&goods_id.len())
}

fn check(items: usize, fits: bool) -> Result<(), BadGoods> {
    if (1..=MAX_ITEMS).contains(&items) && fits { Ok(()) } else { Err(BadGoods) }
}
