//! What an order tells besides price and description, read from the wire and checked by WeChat's limits.

use proto::order::v1;
use wechat_pay::v2::{Goods, GoodsItem, H5Scene, Particulars, RefundGoodsItem, Store, limits};

use super::fields::Fields;
use money::Fen;

impl Fields {
    pub(super) fn particulars(&mut self, wire: Option<v1::Particulars>) -> Particulars {
        let particulars = wire.map(particulars).unwrap_or_default();
        self.violations("particulars.", limits::check_particulars(&particulars));
        particulars
    }

    /// What a refund gives back; nothing where it names no goods.
    pub(super) fn refund_goods(&mut self, wire: Vec<v1::RefundGoodsItem>) -> Vec<RefundGoodsItem> {
        let goods: Vec<_> = wire.into_iter().map(refund_goods).collect();
        if !goods.is_empty() {
            self.violations("goods", limits::check_refund_goods(&goods));
        }
        goods
    }

    /// From where the payer of an H5 attempt comes, and where the browser returns to.
    pub(super) fn h5(&mut self, wire: Option<v1::H5>) -> Option<(H5Scene, Option<String>)> {
        let v1::H5 { scene, redirect_url, .. } = wire.unwrap_or_default();
        let redirect_url = text(redirect_url);
        if let Some(Err(error)) = redirect_url.as_deref().map(limits::check_redirect_url) {
            self.check(false, "h5.redirect_url", &error.to_string());
        }
        let scene = scene.map(h5_scene);
        match &scene {
            Some(scene) => self.violations("h5.", limits::check_h5_scene(scene)),
            None => self.check(false, "h5.scene", "must say from where the payer comes: page, ios_app or android_app"),
        }
        Some((scene?, redirect_url))
    }

    fn violations(&mut self, prefix: &str, found: Vec<limits::Violation>) {
        for limits::Violation { field, error } in found {
            let path = format!("{prefix}{field}");
            self.check(false, path.trim_end_matches('.'), &error.to_string());
        }
    }
}

fn particulars(wire: v1::Particulars) -> Particulars {
    let v1::Particulars { attach, goods, goods_tag, no_credit, receipt, profit_sharing, device_info, store } = wire;
    Particulars {
        attach: text(attach),
        goods: goods.map(|goods| Goods {
            cost_price: Some(Fen::new(goods.cost_price_fen)).filter(|price| *price != Fen::ZERO),
            receipt_id: text(goods.receipt_id),
            items: goods.items.into_iter().map(item).collect(),
        }),
        goods_tag: text(goods_tag),
        no_credit,
        receipt,
        profit_sharing,
        device_info: text(device_info),
        store: store.map(|store| Store {
            id: store.id,
            name: text(store.name),
            area_code: text(store.area_code),
            address: text(store.address),
        }),
    }
}

fn item(wire: v1::GoodsItem) -> GoodsItem {
    let v1::GoodsItem { goods_id, wxpay_goods_id, name, quantity, price_fen } = wire;
    GoodsItem { goods_id, wxpay_goods_id: text(wxpay_goods_id), name: text(name), quantity, price: Fen::new(price_fen) }
}

fn refund_goods(wire: v1::RefundGoodsItem) -> RefundGoodsItem {
    let v1::RefundGoodsItem { goods_id, wxpay_goods_id, name, refund_fen, quantity, price_fen } = wire;
    RefundGoodsItem {
        goods_id,
        wxpay_goods_id: text(wxpay_goods_id),
        name: text(name),
        refund: Fen::new(refund_fen),
        quantity,
        price: Fen::new(price_fen),
    }
}

fn h5_scene(wire: v1::h5::Scene) -> H5Scene {
    match wire {
        v1::h5::Scene::Page(page) => H5Scene::Page { url: page.url, name: page.name },
        v1::h5::Scene::IosApp(app) => H5Scene::IosApp { name: app.name, bundle_id: app.bundle_id },
        v1::h5::Scene::AndroidApp(app) => H5Scene::AndroidApp { name: app.name, package_name: app.package_name },
    }
}

/// A text that is there when it is not empty.
fn text(wire: String) -> Option<String> {
    Some(wire).filter(|text| !text.is_empty())
}
