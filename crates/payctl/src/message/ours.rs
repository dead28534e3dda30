use super::{Kind, Message};

impl Message {
    /// Whether we sign such a message ourselves, so that its right signature may be shown to anybody.
    ///
    /// What WeChat alone signs must not come back rightly signed from whoever looks into a wrong signature: that would be a
    /// forged payment. `signed` is the text under the signature. It is asked as well as the kind, because a kind is what a
    /// message looks like and can be overruled, and because a value with `&` in it can hide a field: both give the same text.
    pub(crate) fn is_ours(&self, signed: &str) -> bool {
        let by_kind = match self.kind {
            Kind::Answer | Kind::Notice | Kind::RefundNotice | Kind::Scan => false,
            Kind::Request
            | Kind::Jsapi
            | Kind::MiniProgram
            | Kind::Redpack
            | Kind::App
            | Kind::Native1
            | Kind::Fields => true,
        };
        let names: Vec<&str> = signed.split('&').filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
        let has = |name: &str| names.contains(&name);
        // Every answer and notice has the one, every scan the other two, and nothing of ours has to.
        by_kind && !has("return_code") && !(has("openid") && has("product_id"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Message};

    fn is_ours(kind: Kind, signed: &str) -> bool {
        Message { kind, fields: Vec::new(), sign: None, notes: Vec::new() }.is_ours(signed)
    }

    #[test]
    fn requests_invocations_and_product_codes_are_ours() {
        assert!(is_ours(Kind::Request, "appid=a&attach=茶 & more&mch_id=1&openid=o&key=********"));
        assert!(is_ours(Kind::Jsapi, "appId=a&package=prepay_id=p&key=********"));
        assert!(is_ours(Kind::Native1, "appid=a&mch_id=1&nonce_str=n&product_id=p&time_stamp=1&key=********"));
        assert!(is_ours(Kind::Fields, "a=1&key=********"));
    }

    #[test]
    fn what_wechat_signs_is_not_ours_whatever_it_is_taken_for() {
        for kind in [Kind::Answer, Kind::Notice, Kind::RefundNotice, Kind::Scan] {
            assert!(!is_ours(kind, "a=1&key=********"), "{kind:?}");
        }
        for kind in [Kind::Request, Kind::Jsapi, Kind::App, Kind::Redpack, Kind::Native1, Kind::Fields] {
            assert!(!is_ours(kind, "return_code=SUCCESS&total_fee=1&key=********"), "{kind:?}");
            assert!(!is_ours(kind, "nonce_str=n&openid=o&product_id=p&key=********"), "{kind:?}");
            // One value that says two fields.
            assert!(!is_ours(kind, "result_code=SUCCESS&return_code=SUCCESS&key=********"), "{kind:?}");
        }
    }
}
