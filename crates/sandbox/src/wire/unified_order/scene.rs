//! `scene_info`: from where an H5 payer comes, or in which store the order was placed.

use serde::Deserialize;
use url::Url;
use wechat_pay::v2::Fields;

use super::{Refusal, malformed, required};

#[derive(Deserialize)]
struct H5Scene {
    h5_info: H5Info,
}

/// What WeChat wants to know of the page or app that an H5 payer comes from.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(tag = "type")]
enum H5Info {
    Wap {
        wap_url: String,
        wap_name: String,
    },
    #[serde(rename = "IOS")]
    Ios {
        app_name: String,
        bundle_id: String,
    },
    Android {
        app_name: String,
        package_name: String,
    },
}

#[derive(Deserialize)]
struct StoreScene {
    store_info: Store,
}

#[derive(Deserialize)]
struct Store {
    id: String,
    name: Option<String>,
    area_code: Option<String>,
    address: Option<String>,
}

/// An H5 payment must say where the payer comes from.
pub(super) fn check_h5(fields: &Fields) -> Result<(), Refusal> {
    let text = required(fields, "scene_info")?;
    let scene: H5Scene = serde_json::from_str(text).map_err(|_| malformed("scene_info"))?;
    let right = match &scene.h5_info {
        H5Info::Wap { wap_url, wap_name } => !wap_name.is_empty() && host(wap_url).is_some(),
        H5Info::Ios { app_name, bundle_id: id } | H5Info::Android { app_name, package_name: id } => {
            !app_name.is_empty() && !id.is_empty()
        }
    };
    if right { Ok(()) } else { Err(malformed("scene_info")) }
}

/// Every other payment may say in which store it is made.
pub(super) fn check_store(fields: &Fields) -> Result<(), Refusal> {
    let Some(text) = fields.text("scene_info") else { return Ok(()) };
    let scene: StoreScene = serde_json::from_str(text).map_err(|_| malformed("scene_info"))?;
    let Store { id, name, area_code, address } = scene.store_info;
    let short = |text: Option<String>, max| text.is_none_or(|text| text.len() <= max);
    let right = (1..=32).contains(&id.len()) && short(name, 256) && short(area_code, 6) && short(address, 128);
    if right { Ok(()) } else { Err(malformed("scene_info")) }
}

/// The host of the web page that an H5 payer comes from; `None` when that is an app.
pub(crate) fn wap_host(scene_info: &str) -> Option<String> {
    match serde_json::from_str::<H5Scene>(scene_info).ok()?.h5_info {
        H5Info::Wap { wap_url, .. } => host(&wap_url),
        H5Info::Ios { .. } | H5Info::Android { .. } => None,
    }
}

/// The host of a web address.
pub(crate) fn host(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.host_str().map(str::to_owned)
}
