//! What two processes must agree on: messages and services, error reasons, events, and the table of streams, subjects and
//! durables. No behaviour lives here.

/// `tongbao.order.v1`: the API of the internal teams.
pub mod order {
    /// Version 1.
    #[expect(
        missing_docs,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated; the .proto files carry the docs"
    )]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/tongbao.order.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/tongbao.order.v1.serde.rs"));
    }
}

/// `tongbao.gateway.v1`: the internal API of pay-gateway.
pub mod gateway {
    /// Version 1.
    #[expect(
        missing_docs,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated; the .proto files carry the docs"
    )]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/tongbao.gateway.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/tongbao.gateway.v1.serde.rs"));
    }
}

/// `tongbao.reconcile.v1`: the API of reconcile-svc.
pub mod reconcile {
    /// Version 1.
    #[expect(
        missing_docs,
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated; the .proto files carry the docs"
    )]
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/tongbao.reconcile.v1.rs"));
        include!(concat!(env!("OUT_DIR"), "/tongbao.reconcile.v1.serde.rs"));
    }
}

pub mod bus;
pub mod error;
pub mod event;
pub mod time;

/// Every message and service of ours as an encoded `google.protobuf.FileDescriptorSet`, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The domain of every `google.rpc.ErrorInfo` of ours.
pub const ERROR_DOMAIN: &str = "tongbao";
