//! The optional content of orders and refunds: every mistake at once, each with the path of its field.

use std::fmt;

use money::Fen;

use super::{LimitError, TOTAL_FEE_MAX, characters, check_attach, plain};
use crate::v2::goods::refund_detail;
use crate::v2::{Goods, GoodsItem, H5Scene, Particulars, RefundGoodsItem, Store};

/// Most bytes of `detail`. Older pages say 6144 and 8192; 6000 are right everywhere.
pub const DETAIL_BYTES: usize = 6000;
/// Most bytes of `scene_info`.
pub const SCENE_INFO_BYTES: usize = 256;
/// Most characters of `goods_tag`.
pub const GOODS_TAG_CHARS: usize = 32;
/// Most characters of `device_info`.
pub const DEVICE_INFO_CHARS: usize = 32;
/// Most characters of `goods_id`, `wxpay_goods_id` and `receipt_id`.
pub const GOODS_ID_CHARS: usize = 32;
/// Most characters of `goods_name`.
pub const GOODS_NAME_CHARS: usize = 256;
/// Most characters of a store's `id`.
pub const STORE_ID_CHARS: usize = 32;
/// Most characters of a store's `name`.
pub const STORE_NAME_CHARS: usize = 64;
/// Most characters of a store's `address`.
pub const STORE_ADDRESS_CHARS: usize = 128;
/// Most things of one kind: WeChat declares int32.
pub const QUANTITY_MAX: i64 = i32::MAX as i64;
/// Most bytes of an H5 return URL; WeChat names no limit, browsers do.
pub const REDIRECT_URL_BYTES: usize = 512;

/// One field that breaks a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path below what was checked, in the names of our own types: `goods.items[2].goods_id`.
    pub field: String,
    /// What is wrong with it.
    pub error: LimitError,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.error)
    }
}

/// The optional content of an order: every mistake in it, none when it may be sent. Paths: `attach`, `goods`,
/// `goods.cost_price_fen`, `goods.receipt_id`, `goods.items`, `goods.items[0].price_fen`, `goods_tag`, `device_info`, `store`,
/// `store.area_code`, ….
pub fn check_particulars(particulars: &Particulars) -> Vec<Violation> {
    let mut found = Found::default();
    let Particulars { attach, goods, goods_tag, no_credit: _, receipt: _, profit_sharing: _, device_info, store } =
        particulars;
    found.note_some("attach", attach.as_deref(), check_attach);
    found.note_some("goods_tag", goods_tag.as_deref(), check_goods_tag);
    found.note_some("device_info", device_info.as_deref(), check_device_info);
    if let Some(goods) = goods {
        found.goods(goods);
    }
    if let Some(store) = store {
        found.store(store);
    }
    found.0
}

/// The goods that a refund gives back: every mistake in them. Paths: `[0].goods_id`, …; the empty path is all of them.
pub fn check_refund_goods(items: &[RefundGoodsItem]) -> Vec<Violation> {
    let mut found = Found::default();
    for (n, item) in items.iter().enumerate() {
        let path = format!("[{n}]");
        found.item(&path, &item.goods_id, item.wxpay_goods_id.as_deref(), item.name.as_deref());
        found.note(&format!("{path}.refund_fen"), in_range(item.refund.get(), 1, TOTAL_FEE_MAX.get()));
        found.count_and_price(&path, item.quantity, item.price);
    }
    // A text of many wrong items need not be made to say that it would be too long.
    if found.0.is_empty() {
        found.note("", as_json(&refund_detail(items), DETAIL_BYTES));
    }
    found.0
}

/// From where the payer of an H5 order comes: every mistake in it. Paths: `page.url`, `page.name`, `ios_app.bundle_id`, …; the
/// empty path is the whole scene.
pub fn check_h5_scene(scene: &H5Scene) -> Vec<Violation> {
    let mut found = Found::default();
    match scene {
        H5Scene::Page { url, name } => {
            found.note("page.url", web_url(url, SCENE_INFO_BYTES, &["https://", "http://"], LimitError::WebUrl));
            found.note("page.name", characters(name, SCENE_INFO_BYTES));
        }
        H5Scene::IosApp { name, bundle_id } => {
            found.note("ios_app.name", characters(name, SCENE_INFO_BYTES));
            found.note("ios_app.bundle_id", characters(bundle_id, SCENE_INFO_BYTES));
        }
        H5Scene::AndroidApp { name, package_name } => {
            found.note("android_app.name", characters(name, SCENE_INFO_BYTES));
            found.note("android_app.package_name", characters(package_name, SCENE_INFO_BYTES));
        }
    }
    found.note("", as_json(&scene.scene_info(), SCENE_INFO_BYTES));
    found.0
}

/// Where the browser returns to after an H5 payment: an absolute https URL of at most 512 bytes.
pub fn check_redirect_url(url: &str) -> Result<(), LimitError> {
    web_url(url, REDIRECT_URL_BYTES, &["https://"], LimitError::HttpsUrl)
}

/// `goods_tag`: 1 to 32 characters.
pub fn check_goods_tag(goods_tag: &str) -> Result<(), LimitError> {
    characters(goods_tag, GOODS_TAG_CHARS)
}

/// `device_info`: 1 to 32 characters.
pub fn check_device_info(device_info: &str) -> Result<(), LimitError> {
    characters(device_info, DEVICE_INFO_CHARS)
}

#[derive(Default)]
struct Found(Vec<Violation>);

impl Found {
    fn note(&mut self, field: &str, checked: Result<(), LimitError>) {
        if let Err(error) = checked {
            self.0.push(Violation { field: field.to_owned(), error });
        }
    }

    fn note_some(&mut self, field: &str, value: Option<&str>, check: impl Fn(&str) -> Result<(), LimitError>) {
        if let Some(value) = value {
            self.note(field, check(value));
        }
    }

    fn goods(&mut self, goods: &Goods) {
        let before = self.0.len();
        if let Some(price) = goods.cost_price {
            self.note("goods.cost_price_fen", in_range(price.get(), 1, TOTAL_FEE_MAX.get()));
        }
        self.note_some("goods.receipt_id", goods.receipt_id.as_deref(), |id| characters(id, GOODS_ID_CHARS));
        if goods.items.is_empty() {
            self.note("goods.items", Err(LimitError::Empty));
        }
        for (n, item) in goods.items.iter().enumerate() {
            let GoodsItem { goods_id, wxpay_goods_id, name, quantity, price } = item;
            let path = format!("goods.items[{n}]");
            self.item(&path, goods_id, wxpay_goods_id.as_deref(), name.as_deref());
            self.count_and_price(&path, *quantity, *price);
        }
        if self.0.len() == before {
            self.note("goods", as_json(&goods.detail(), DETAIL_BYTES));
        }
    }

    fn item(&mut self, path: &str, goods_id: &str, wxpay_goods_id: Option<&str>, name: Option<&str>) {
        let id = |id: &str| characters(id, GOODS_ID_CHARS);
        self.note(&format!("{path}.goods_id"), id(goods_id));
        self.note_some(&format!("{path}.wxpay_goods_id"), wxpay_goods_id, id);
        self.note_some(&format!("{path}.name"), name, |name| characters(name, GOODS_NAME_CHARS));
    }

    fn count_and_price(&mut self, path: &str, quantity: i64, price: Fen) {
        self.note(&format!("{path}.quantity"), in_range(quantity, 1, QUANTITY_MAX));
        self.note(&format!("{path}.price_fen"), in_range(price.get(), 0, TOTAL_FEE_MAX.get()));
    }

    fn store(&mut self, store: &Store) {
        let before = self.0.len();
        self.note("store.id", characters(&store.id, STORE_ID_CHARS));
        self.note_some("store.name", store.name.as_deref(), |name| characters(name, STORE_NAME_CHARS));
        self.note_some("store.area_code", store.area_code.as_deref(), |code| {
            let fits = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
            if fits { Ok(()) } else { Err(LimitError::AreaCode) }
        });
        self.note_some("store.address", store.address.as_deref(), |address| characters(address, STORE_ADDRESS_CHARS));
        if self.0.len() == before {
            self.note("store", as_json(&store.scene_info(), SCENE_INFO_BYTES));
        }
    }
}

fn in_range(value: i64, min: i64, max: i64) -> Result<(), LimitError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(LimitError::Range { min, max }) }
}

fn as_json(text: &str, max: usize) -> Result<(), LimitError> {
    if text.len() <= max { Ok(()) } else { Err(LimitError::TooLongAsJson { max }) }
}

/// An absolute URL with a host, of printable ASCII, without credentials and without the characters that belong in no URL.
fn web_url(url: &str, max: usize, schemes: &[&str], wrong: LimitError) -> Result<(), LimitError> {
    plain(url)?;
    if max < url.len() {
        return Err(LimitError::TooLong { max });
    }
    let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme)).ok_or(wrong)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let graphic = rest.bytes().all(|byte| byte.is_ascii_graphic()) && !rest.contains(['"', '<', '>', '\\', '`']);
    if graphic && !host.is_empty() && !host.starts_with(':') && !host.contains('@') { Ok(()) } else { Err(wrong) }
}
