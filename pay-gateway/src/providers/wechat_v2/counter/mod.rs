//! Payments at a counter: taken once, queried like every payment, and taken back.

mod charge;
mod reverse;

use std::sync::Arc;

use wechat_pay::v2::{Facepay, FacepayQuery, FacepayReverse, Micropay, Reverse};

use super::hosts::{Endpoint, Hosts};

/// Where these calls go.
#[derive(Debug)]
pub(super) struct Urls {
    pub(super) micropay: Endpoint,
    pub(super) facepay: Endpoint,
    pub(super) facepay_query: Endpoint,
    pub(super) reverse: Endpoint,
    pub(super) facepay_reverse: Endpoint,
}

impl Urls {
    /// # Errors
    /// When base and path are no URL together.
    pub(super) fn below(pay: &Arc<Hosts>, with_cert: &Arc<Hosts>) -> anyhow::Result<Urls> {
        Ok(Urls {
            micropay: Endpoint::below(pay, Micropay::PATH)?,
            facepay: Endpoint::below(pay, Facepay::PATH)?,
            facepay_query: Endpoint::below(pay, FacepayQuery::PATH)?,
            reverse: Endpoint::below(with_cert, Reverse::PATH)?,
            facepay_reverse: Endpoint::below(with_cert, FacepayReverse::PATH)?,
        })
    }
}
