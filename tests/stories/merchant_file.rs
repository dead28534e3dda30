//! The merchants' files change while everybody runs.

use std::fs;

use e2e::{Part, World, eventually, selling::MERCHANT};

/// Rewrites the file of the usual merchant, and returns when pay-gateway goes by it.
pub(crate) async fn change(world: &World, change: impl FnOnce(&str) -> String) {
    let file = world.folder().join("merchants").join(format!("{MERCHANT}.toml"));
    let before = world.metric(Part::PayGateway, "merchants_reloaded_total", &[]).await;
    let text = change(&fs::read_to_string(&file).expect("the file is there"));
    // Nobody sees half of it.
    let new = file.with_extension("new");
    fs::write(&new, text).expect("the world's folder can be written");
    fs::rename(&new, &file).expect("the world's folder can be written");
    eventually("pay-gateway has read the file", async || {
        before < world.metric(Part::PayGateway, "merchants_reloaded_total", &[]).await
    })
    .await;
}

/// As [`change`], and order-svc has heard of it, too: it asks for the list when it starts.
pub(crate) async fn change_for_all(world: &mut World, text: impl FnOnce(&str) -> String) {
    change(world, text).await;
    world.stop(Part::OrderSvc);
    world.start(Part::OrderSvc).await;
}

/// Without a client certificate.
pub(crate) fn without_certificate(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with("client_")).collect()
}

/// With the client certificate of another merchant.
pub(crate) fn with_another_certificate(text: &str) -> String {
    text.replace("acme-mini.cert.", "acme-shop.cert.")
}

/// With its own client certificate again.
pub(crate) fn with_its_certificate(text: &str) -> String {
    let lines = "client_cert_file = \"acme-mini.cert.pem\"\nclient_key_file = \"acme-mini.cert.key\"\n";
    format!("{lines}{}", without_certificate(text))
}

/// Surplus money waits for a person.
pub(crate) fn holding(text: &str) -> String {
    format!("surplus = \"hold\"\n{text}")
}
