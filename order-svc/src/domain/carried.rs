//! What a team tells WeChat through us. It is checked when it comes and carried as the API has it; nothing here decides by it, so
//! these are the API's own messages.

use serde::{Deserialize, Serialize};

pub use proto::order::v1::{H5, Particulars, RefundGoodsItem};

/// What the method of an attempt needs besides, the same in every sending.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// Native: what is sold, 1..=32 of `[0-9A-Za-z_-]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_id: Option<String>,
    /// H5: from where the payer comes, and where the browser returns to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub h5: Option<H5>,
}

impl Details {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use proto::order::v1::{H5Page, h5};

    use super::{Details, H5};

    #[test]
    fn details_are_read_back_as_they_were_written() {
        let page = h5::Scene::Page(H5Page { url: "https://shop.example/".into(), name: "茶".into() });
        let h5 = H5 { scene: Some(page), redirect_url: "https://shop.example/done".into(), ..H5::default() };
        for details in [
            Details::default(),
            Details { product_id: Some("0198".into()), ..Details::default() },
            Details { h5: Some(h5), ..Details::default() },
        ] {
            let text = serde_json::to_string(&details).expect("it is JSON");
            assert_eq!(serde_json::from_str::<Details>(&text).expect("it was just written"), details, "{text}");
        }
    }

    #[test]
    fn a_field_of_a_later_release_does_not_make_a_row_unreadable() {
        assert!(serde_json::from_str::<Details>(r#"{"later":1}"#).expect("it is an object").is_empty());
    }
}
