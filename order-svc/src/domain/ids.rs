//! Names of things. All are version 7 UUIDs, so they sort by creation.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// Why a name is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must look like {shape}")]
pub struct NameError {
    shape: &'static str,
}

/// Names one order; on the wire `orders/{uuid}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub Uuid);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "orders/{}", self.0)
    }
}

impl FromStr for OrderId {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let error = NameError { shape: "orders/{uuid}" };
        let id = name.strip_prefix("orders/").ok_or(error)?;
        hyphenated(id).map(OrderId).ok_or(error)
    }
}

/// Names one payment attempt. Its 32 hex digits are the `out_trade_no` that the provider knows it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentId(pub Uuid);

impl PaymentId {
    /// The number on the provider's side.
    pub fn out_trade_no(self) -> String {
        self.0.simple().to_string()
    }

    /// The attempt of that number; `None` when we never issue numbers of that shape.
    pub fn from_out_trade_no(number: &str) -> Option<Self> {
        let id = Uuid::try_parse(number).ok()?;
        // Upper case and hyphens parse too, but are not the number that we sent.
        (id.simple().to_string() == number).then_some(PaymentId(id))
    }

    /// Its name below its order: `orders/{uuid}/payments/{uuid}`.
    pub fn name(self, order: OrderId) -> String {
        format!("{order}/payments/{}", self.0)
    }
}

/// Names one refund. Its 32 hex digits are the `out_refund_no` that the provider knows it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefundId(pub Uuid);

impl RefundId {
    /// The number on the provider's side.
    pub fn out_refund_no(self) -> String {
        self.0.simple().to_string()
    }

    /// The refund of that number; `None` when we never issue numbers of that shape.
    pub fn from_out_refund_no(number: &str) -> Option<Self> {
        PaymentId::from_out_trade_no(number).map(|id| RefundId(id.0))
    }

    /// Its name below its order: `orders/{uuid}/refunds/{uuid}`.
    pub fn name(self, order: OrderId) -> String {
        format!("{order}/refunds/{}", self.0)
    }
}

/// Names one product code; on the wire `productCodes/{uuid}`. Its 32 hex digits are the `product_id` that the provider knows it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductCodeId(pub Uuid);

impl ProductCodeId {
    /// What the provider knows it by.
    pub fn product_id(self) -> String {
        self.0.simple().to_string()
    }

    /// The product code of that `product_id`; `None` when ours never have that shape.
    pub fn from_product_id(product_id: &str) -> Option<Self> {
        PaymentId::from_out_trade_no(product_id).map(|id| ProductCodeId(id.0))
    }
}

impl fmt::Display for ProductCodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "productCodes/{}", self.0)
    }
}

impl FromStr for ProductCodeId {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let error = NameError { shape: "productCodes/{uuid}" };
        let id = name.strip_prefix("productCodes/").ok_or(error)?;
        hyphenated(id).map(ProductCodeId).ok_or(error)
    }
}

/// Reads the name of something below an order: `orders/{uuid}/{collection}/{uuid}`.
pub fn below_order(name: &str, collection: &str) -> Option<(OrderId, Uuid)> {
    let (order, id) = name.rsplit_once('/')?;
    let order = order.strip_suffix(collection)?.strip_suffix('/')?;
    Some((order.parse().ok()?, hyphenated(id)?))
}

/// Exactly the text form that we print, so that one thing has one name.
pub fn hyphenated(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.hyphenated().to_string() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{OrderId, PaymentId, ProductCodeId, RefundId, below_order};

    const ID: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001);

    #[test]
    fn a_name_that_is_printed_is_read_back() {
        assert_eq!(OrderId(ID).to_string().parse(), Ok(OrderId(ID)));
    }

    #[test]
    fn an_order_has_one_spelling() {
        for other in ["orders/", "ORDERS/x", "orders/01980000000070008000000000000001", "orders/{0}", "x"] {
            assert!(other.parse::<OrderId>().is_err(), "{other}");
        }
        assert!(OrderId(ID).to_string().to_uppercase().replace("ORDERS", "orders").parse::<OrderId>().is_ok());
        let upper = OrderId(Uuid::from_u128(0xabc)).to_string().to_uppercase().replace("ORDERS", "orders");
        assert!(upper.parse::<OrderId>().is_err());
    }

    #[test]
    fn a_refund_is_named_below_its_order_and_read_back() {
        let name = RefundId(ID).name(OrderId(ID));
        assert_eq!(below_order(&name, "refunds"), Some((OrderId(ID), ID)));
        for other in
            [OrderId(ID).to_string(), name.replace("refunds", "payments"), name.to_uppercase(), format!("{name}/")]
        {
            assert_eq!(below_order(&other, "refunds"), None, "{other}");
        }
        assert_eq!(RefundId::from_out_refund_no(&RefundId(ID).out_refund_no()), Some(RefundId(ID)));
    }

    #[test]
    fn a_product_code_is_named_and_numbered_in_one_way() {
        assert_eq!(ProductCodeId(ID).to_string().parse(), Ok(ProductCodeId(ID)));
        assert!(ProductCodeId(ID).to_string().replace('-', "").parse::<ProductCodeId>().is_err());
        assert_eq!(ProductCodeId::from_product_id(&ProductCodeId(ID).product_id()), Some(ProductCodeId(ID)));
        assert_eq!(ProductCodeId::from_product_id("tea-1"), None);
    }

    #[test]
    fn an_out_trade_no_is_the_32_digits_of_its_payment() {
        let number = PaymentId(ID).out_trade_no();
        assert_eq!(number.len(), 32);
        assert_eq!(PaymentId::from_out_trade_no(&number), Some(PaymentId(ID)));
        assert_eq!(PaymentId::from_out_trade_no(&ID.to_string()), None);
    }
}
