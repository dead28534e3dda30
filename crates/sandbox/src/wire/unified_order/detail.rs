//! `detail`: the goods of an order, which WeChat reads only of orders with `version=1.0`.

use serde::Deserialize;
use wechat_pay::v2::Fields;

use super::{Refusal, malformed};

/// Longest ids and names, in bytes.
const MAX_ID: usize = 32;
const MAX_NAME: usize = 256;

#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "cost_price")]
    _cost_price: Option<u64>,
    receipt_id: Option<String>,
    #[serde(rename = "goods_detail")]
    goods: Vec<Goods>,
}

#[derive(Deserialize)]
struct Goods {
    #[serde(rename = "goods_id")]
    id: String,
    wxpay_goods_id: Option<String>,
    #[serde(rename = "goods_name")]
    name: Option<String>,
    quantity: u32,
    /// In fen.
    #[serde(rename = "price")]
    _price: u64,
}

/// Reads the goods of an order with `version=1.0`. Of any other, `detail` is a text that nobody looks into.
pub(super) fn check_detail(fields: &Fields) -> Result<(), Refusal> {
    let (Some(_), Some(text)) = (fields.text("version"), fields.text("detail")) else { return Ok(()) };
    let detail: Detail = serde_json::from_str(text).map_err(|_| malformed("detail"))?;
    let short = |text: &Option<String>, max| text.as_ref().is_none_or(|text| text.len() <= max);
    let is_right = |goods: &Goods| {
        (1..=MAX_ID).contains(&goods.id.len())
            && short(&goods.wxpay_goods_id, MAX_ID)
            && short(&goods.name, MAX_NAME)
            && 1 <= goods.quantity
    };
    let right = !detail.goods.is_empty() && short(&detail.receipt_id, MAX_ID) && detail.goods.iter().all(is_right);
    if right { Ok(()) } else { Err(malformed("detail")) }
}
