use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wechat_pay::v2::refund_notice::{SealKey, open, seal};
use wechat_pay::v2::sign::ApiKey;
use wechat_pay::v2::{Fields, xml};

use super::{KEY, MCH_ID};

/// A refund notice that can be bent in both of its parts before it is sealed.
#[derive(Clone)]
pub(crate) struct RefundNotice {
    outer: Fields,
    inner: Fields,
}

impl RefundNotice {
    /// What WeChat says about one refund of `acme-mini`.
    pub(crate) fn of(out_refund_no: &str) -> RefundNotice {
        let outer = Fields::from_iter([
            ("return_code", "SUCCESS"),
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", MCH_ID),
            ("nonce_str", "TeqClE3i0mvn3DrK"),
        ]);
        let inner = Fields::from_iter([
            ("out_refund_no", out_refund_no),
            ("out_trade_no", "01981b6e6f3c7a01b2c3d4e5f6a7b8c9"),
            ("refund_account", "REFUND_SOURCE_RECHARGE_FUNDS"),
            ("refund_fee", "4321"),
            ("refund_id", "50000000002026081400000000001"),
            ("refund_recv_accout", "支付用户零钱"),
            ("refund_request_source", "API"),
            ("refund_status", "SUCCESS"),
            ("settlement_refund_fee", "4321"),
            ("settlement_total_fee", "8765"),
            ("success_time", "2026-08-14 09:30:15"),
            ("total_fee", "8765"),
            ("transaction_id", "4200002026081400000000000001"),
        ]);
        RefundNotice { outer, inner }
    }

    /// With another value in one field of the part that anybody can write.
    pub(crate) fn outside(mut self, field: &str, value: &str) -> RefundNotice {
        self.outer.insert(field, value);
        self
    }

    /// With another value in one field of the sealed part.
    pub(crate) fn inside(mut self, field: &str, value: &str) -> RefundNotice {
        self.inner.insert(field, value);
        self
    }

    /// Without one field, wherever it is.
    pub(crate) fn without(mut self, field: &str) -> RefundNotice {
        self.outer.remove(field).or_else(|| self.inner.remove(field)).expect("the field was there");
        self
    }

    /// As it goes over the wire, sealed with this key.
    pub(crate) fn sealed_with(&self, key: &str) -> String {
        self.carrying(&seal(&self.inner, &seal_key(key)))
    }

    /// As WeChat sends it to `acme-mini`.
    pub(crate) fn sealed(&self) -> String {
        self.sealed_with(KEY)
    }

    /// With this `req_info`.
    pub(crate) fn carrying(&self, req_info: &str) -> String {
        let mut outer = self.outer.clone();
        outer.insert("req_info", req_info);
        xml::write("xml", &outer)
    }

    /// The sealed bytes, to be damaged.
    pub(crate) fn ciphertext(&self) -> Vec<u8> {
        STANDARD.decode(seal(&self.inner, &seal_key(KEY))).expect("it was just encoded")
    }

    /// With these sealed bytes.
    pub(crate) fn carrying_bytes(&self, ciphertext: &[u8]) -> String {
        self.carrying(&STANDARD.encode(ciphertext))
    }

    /// The XML of the sealed part.
    pub(crate) fn inner_xml(&self) -> String {
        xml::write("root", &self.inner)
    }
}

/// Any text, sealed with this key.
pub(crate) fn sealed_text(key: &str, text: &str) -> String {
    STANDARD.encode(seal_key(key).encrypt(text.as_bytes()))
}

/// Whether this key finds padding in it that fits, be it by chance.
pub(crate) fn has_fitting_padding(key: &str, req_info: &str) -> bool {
    open(req_info, &seal_key(key)).is_ok()
}

fn seal_key(key: &str) -> SealKey {
    SealKey::of(&ApiKey::parse(key).expect("a key of the right length"))
}
