//! What WeChat Pay does beside the life of an order: for operators and their programs, through pay-gateway alone.

mod bills;
mod comments;
mod devices;
mod pay_code;
mod red_packets;
mod refunds;
mod reports;
mod short_url;

use std::path::Path;

use e2e::{World, programs, selling::MERCHANT};
use jiff::{SignedDuration, Timestamp};
use proto::error::ErrorReason;
use tonic::{Code, Status};
use wechat_pay::v2::ApiKey;

use crate::refused::{metadata, refused};

/// The mini program of the other merchant.
pub(crate) const OTHER_MINI_PROGRAM: &str = "wxac3e0000000000b1";

/// The API key of a merchant of development, as its file has it.
fn api_key(merchant: &str) -> ApiKey {
    let file = programs::workspace().join("deploy/dev/merchants").join(format!("{merchant}.key"));
    let key = std::fs::read_to_string(&file).expect("the file is in the checkout");
    ApiKey::parse(key.trim()).expect("the key of a merchant is one")
}

/// Asserts that a call was refused, with nothing sent, for want of a client certificate.
#[track_caller]
fn lacks_certificate<T: std::fmt::Debug>(answer: Result<T, Status>) {
    let status = refused(answer, Code::FailedPrecondition, ErrorReason::MethodNotAvailable);
    assert_eq!(metadata(&status, "merchant"), MERCHANT);
    assert!(status.message().contains("certificate"), "{}", status.message());
}

/// An hour before now and an hour after it, at WeChat.
async fn about_now(world: &World) -> (Timestamp, Timestamp) {
    let now = world.sandbox.clock().await.now;
    (now - SignedDuration::from_hours(1), now + SignedDuration::from_hours(1))
}

/// A file of a merchant of development.
fn merchant_file(name: &str) -> impl AsRef<Path> {
    programs::workspace().join("deploy/dev/merchants").join(name)
}
