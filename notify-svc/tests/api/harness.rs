//! The world of these tests: a nats-server, a gate in front of it, a folder of merchants, and notify-svc as a process.

mod gate;
mod http;
mod nats;
mod notice;
mod refund_notice;
mod scan;
mod service;

pub(crate) use gate::Gate;
pub(crate) use http::{Answer, post, raw, request};
pub(crate) use nats::Nats;
pub(crate) use notice::{KEY, MCH_ID, Notice, OTHER_KEY, PREVIOUS_KEY, PROVIDER_KEY, sent};
pub(crate) use refund_notice::{RefundNotice, has_fitting_padding, sealed_text};
pub(crate) use scan::{Owner, PRODUCT, Scan, refused_words, signed_answer};
pub(crate) use service::Service;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

/// How long anything may take before a test gives up: far longer than the slowest machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Where notices for the merchant of these tests go.
pub(crate) const PATH: &str = "/notify/wechat-v2/acme-mini/payment";

/// Where refund notices for the merchant of these tests go.
pub(crate) const REFUND_PATH: &str = "/notify/wechat-v2/acme-mini/refund";

/// Where WeChat asks about the product codes of the merchant of these tests.
pub(crate) const NATIVE_PATH: &str = "/notify/wechat-v2/acme-mini/native";

/// Everything one test needs. Dropping it ends every process it started.
pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) gate: Gate,
    pub(crate) nats: Nats,
    pub(crate) merchants: TempDir,
}

impl World {
    /// A world in which callbacks may wait for the bus as long as the settings allow, so that no timer races with the test.
    pub(crate) async fn start() -> World {
        World::with(&["--request-time-ms", "18000", "--publish-time-ms", "18000", "--scan-time-ms", "18000"]).await
    }

    /// A world whose notify-svc is started with more flags.
    pub(crate) async fn with(flags: &[&str]) -> World {
        let merchants = merchants();
        let nats = Nats::start().await;
        let gate = Gate::open(nats.address()).await;
        let service = Service::start(merchants.path(), &gate, &nats, flags).await;
        World { service, gate, nats, merchants }
    }

    /// Writes a file into the folder of merchants, as a person with an editor would.
    pub(crate) fn write_merchant(&self, name: &str, text: &str) {
        std::fs::write(self.merchants.path().join(name), text).expect("the folder is writable");
    }

    /// Posts to the merchant of these tests.
    pub(crate) async fn notify(&self, body: &str) -> Answer {
        post(self.service.http, PATH, body.as_bytes()).await
    }

    /// Posts a refund notice to the merchant of these tests.
    pub(crate) async fn notify_refund(&self, body: &str) -> Answer {
        post(self.service.http, REFUND_PATH, body.as_bytes()).await
    }

    /// Asks about a scanned code of the merchant of these tests.
    pub(crate) async fn scan(&self, body: &str) -> Answer {
        post(self.service.http, NATIVE_PATH, body.as_bytes()).await
    }

    /// Posts again and again, as the provider does, until it reads success.
    pub(crate) async fn notify_until_taken(&self, body: &str) {
        deliver(self.service.http, PATH, body.to_owned()).await;
    }

    /// As [`World::notify_until_taken`], for a refund notice.
    pub(crate) async fn notify_refund_until_taken(&self, body: &str) {
        deliver(self.service.http, REFUND_PATH, body.to_owned()).await;
    }
}

/// Posts again and again, as the provider does, until it reads success.
pub(crate) async fn deliver(server: SocketAddr, path: &str, body: String) {
    let deliveries = async {
        while !post(server, path, body.as_bytes()).await.is_success() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(PATIENCE, deliveries).await.expect("the notice is taken in time");
}

/// The accounts `acme-mini` (HMAC-SHA256, in the middle of a key change), `other-shop` (MD5), and `sub-tea` and `sub-cake`
/// (HMAC-SHA256), two sub-merchants of one service provider.
fn merchants() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder for merchants");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("the folder is writable");
    write(
        "acme-mini.toml",
        &format!(
            "provider = \"wechat-v2\"\nmch_id = \"{MCH_ID}\"\nsign_type = \"HMAC-SHA256\"\n\
             notify_base_url = \"https://pay.example.com\"\napi_key_file = \"acme-mini.key\"\n\
             previous_api_key_file = \"acme-mini.old.key\"\n\n\
             [[apps]]\napp_id = \"wxd930ea5d5a258f4f\"\nkind = \"mini-program\"\n"
        ),
    );
    write("acme-mini.key", KEY);
    write("acme-mini.old.key", PREVIOUS_KEY);
    write(
        "other-shop.toml",
        "provider = \"wechat-v2\"\nmch_id = \"1900000222\"\nsign_type = \"MD5\"\n\
         notify_base_url = \"https://pay.example.com\"\napi_key_file = \"other-shop.key\"\n\n\
         [[apps]]\napp_id = \"wx0000000000000222\"\nkind = \"mini-program\"\n",
    );
    write("other-shop.key", OTHER_KEY);
    for (name, sub_mch_id, app_id) in
        [("sub-tea", "1900000315", "wx0000000000000c01"), ("sub-cake", "1900000316", "wx0000000000000d01")]
    {
        write(
            &format!("{name}.toml"),
            &format!(
                "provider = \"wechat-v2\"\nmch_id = \"1900000307\"\nsub_mch_id = \"{sub_mch_id}\"\n\
                 service_provider_app_id = \"wx0000000000000c00\"\nsign_type = \"HMAC-SHA256\"\n\
                 notify_base_url = \"https://pay.example.com\"\napi_key_file = \"provider.key\"\n\n\
                 [[apps]]\napp_id = \"{app_id}\"\nkind = \"mini-program\"\n"
            ),
        );
    }
    write("provider.key", PROVIDER_KEY);
    dir
}

/// The folder of a world that is only to be refused.
pub(crate) fn merchants_without_key() -> TempDir {
    let dir = merchants();
    std::fs::remove_file(dir.path().join("acme-mini.key")).expect("it was just written");
    dir
}

/// Looks until `found` gives something.
pub(crate) async fn until<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let look = async {
        loop {
            if let Some(value) = found().await {
                return value;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(value) => value,
        Err(elapsed) => panic!("it never happened that {what}: {elapsed}"),
    }
}

/// The path as text, for a flag.
fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}
