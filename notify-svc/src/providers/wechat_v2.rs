//! WeChat Pay v2: signed XML in, XML out.

pub(super) mod answer;
pub(super) mod payment;
