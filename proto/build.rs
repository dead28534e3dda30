//! Compiles the `.proto` files with protox, so that nobody installs protoc, and adds proto3 JSON for the bodies on the bus.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const FILES: [&str; 8] = [
    "tongbao/error/v1/error.proto",
    "tongbao/event/v1/event.proto",
    "tongbao/gateway/v1/gateway.proto",
    "tongbao/gateway/v1/tools.proto",
    "tongbao/order/v1/native.proto",
    "tongbao/order/v1/order.proto",
    "tongbao/order/v1/particulars.proto",
    "tongbao/reconcile/v1/reconcile.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let bytes = descriptors.encode_to_vec();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), &bytes)?;

    tonic_prost_build::configure()
        .compile_well_known_types(true)
        .extern_path(".google.protobuf", "::pbjson_types")
        .compile_fds(descriptors)?;

    // A later release may add fields and enum values; an older consumer must still read the body.
    pbjson_build::Builder::new()
        .register_descriptors(&bytes)?
        .ignore_unknown_fields()
        .ignore_unknown_enum_variants()
        .build(&[".tongbao"])?;
    Ok(())
}
