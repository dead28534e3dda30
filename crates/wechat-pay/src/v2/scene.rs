//! Where an order is placed, in WeChat's JSON: a store, or the page or app that sends the payer to WeChat.

use serde::Serialize;

use super::goods::json;

/// A place where things are sold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// The merchant's number of it.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Six digits of the administrative division.
    pub area_code: Option<String>,
    /// Its address.
    pub address: Option<String>,
}

/// From where the payer of an H5 order comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum H5Scene {
    /// A web page.
    Page {
        /// Its address.
        url: String,
        /// Its name.
        name: String,
    },
    /// An iOS app.
    IosApp {
        /// Its name in the store.
        name: String,
        /// Its bundle id.
        bundle_id: String,
    },
    /// An Android app.
    AndroidApp {
        /// Its name in the store.
        name: String,
        /// Its package name.
        package_name: String,
    },
}

impl Store {
    /// The text of `scene_info`.
    pub fn scene_info(&self) -> String {
        json(&OfStore {
            store_info: StoreInfo {
                id: &self.id,
                name: self.name.as_deref(),
                area_code: self.area_code.as_deref(),
                address: self.address.as_deref(),
            },
        })
    }
}

impl H5Scene {
    /// The text of `scene_info`.
    pub fn scene_info(&self) -> String {
        json(&OfH5 {
            h5_info: match self {
                H5Scene::Page { url, name } => H5Info::Wap { wap_url: url, wap_name: name },
                H5Scene::IosApp { name, bundle_id } => H5Info::Ios { app_name: name, bundle_id },
                H5Scene::AndroidApp { name, package_name } => H5Info::Android { app_name: name, package_name },
            },
        })
    }
}

#[derive(Serialize)]
struct OfStore<'a> {
    store_info: StoreInfo<'a>,
}

#[derive(Serialize)]
struct StoreInfo<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
}

#[derive(Serialize)]
struct OfH5<'a> {
    h5_info: H5Info<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum H5Info<'a> {
    Wap {
        wap_url: &'a str,
        wap_name: &'a str,
    },
    #[serde(rename = "IOS")]
    Ios {
        app_name: &'a str,
        bundle_id: &'a str,
    },
    Android {
        app_name: &'a str,
        package_name: &'a str,
    },
}
