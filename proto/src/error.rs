//! Why calls are refused: one enum for all services.

/// `tongbao.error.v1`.
pub mod v1 {
    #![expect(
        missing_docs,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated; the .proto files carry the docs"
    )]
    include!(concat!(env!("OUT_DIR"), "/tongbao.error.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/tongbao.error.v1.serde.rs"));
}

pub use v1::ErrorReason;

impl ErrorReason {
    /// The word in `google.rpc.ErrorInfo.reason`: the enum's name without its prefix, such as `ORDER_NOT_FOUND`.
    pub fn word(self) -> &'static str {
        let name = self.as_str_name();
        name.strip_prefix("ERROR_REASON_").unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorReason;

    #[test]
    fn a_reason_is_told_without_the_prefix_of_its_enum() {
        assert_eq!(ErrorReason::RequestIdReused.word(), "REQUEST_ID_REUSED");
    }
}
