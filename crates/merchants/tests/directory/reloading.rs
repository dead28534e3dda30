use std::{fs, os::unix::fs::symlink, path::Path, time::Duration};

use merchants::{Merchant, MerchantName, Merchants};
use prometheus_client::{encoding::text, registry::Registry};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::{GOOD, KEY, SECRET, empty, good, write};

/// Far beyond what a slow machine needs; only a failing test waits this long.
const DEADLINE: Duration = Duration::from_mins(2);

struct Watched {
    merchants: Merchants,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn watch(dir: &Path) -> Watched {
    let merchants = Merchants::load(dir).expect("a good directory");
    let stop = CancellationToken::new();
    let (watched, stopped) = (merchants.clone(), stop.clone());
    let task = tokio::spawn(async move { watched.watch(stopped).await });
    Watched { merchants, stop, task }
}

impl Watched {
    async fn until(&self, what: &str, holds: impl Fn(&Merchants) -> bool) {
        let wait = async {
            while !holds(&self.merchants) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("waited in vain until {what}"));
    }

    fn base_url(&self) -> String {
        self.merchants.list()[0].notify_base_url.clone()
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.expect("the watch does not panic");
    }
}

fn named(name: &str) -> impl Fn(&Merchants) -> bool + '_ {
    let name = MerchantName::parse(name).expect("a merchant name");
    move |merchants| merchants.get(&name).is_some()
}

#[tokio::test]
async fn a_change_takes_force_without_a_restart() {
    let dir = good();
    let watched = watch(dir.path());
    let held = watched.merchants.list().remove(0);
    write(dir.path(), "acme-mini.toml", &GOOD.replace("pay.example.com", "new.example.com"));
    watched
        .until("the new address is in force", |merchants| {
            merchants.list()[0].notify_base_url == "https://new.example.com"
        })
        .await;
    assert_eq!(held.notify_base_url, "https://pay.example.com", "a request under way keeps what it began with");

    write(dir.path(), "acme-shop.key", "MadeUpKeyMadeUpKeyMadeUpKey00002");
    let shop = GOOD.replace("1900000109", "1900000208").replace("acme-mini.key", "acme-shop.key");
    write(dir.path(), "acme-shop.toml", &shop);
    watched.until("the new merchant is there", named("acme-shop")).await;

    fs::remove_file(dir.path().join("acme-mini.toml")).unwrap();
    watched.until("the removed merchant is gone", |merchants| !named("acme-mini")(merchants)).await;
    assert_eq!(watched.merchants.reload_failed(), 0);
    watched.end().await;
}

#[tokio::test]
async fn a_changed_key_file_takes_force() {
    let dir = good();
    let watched = watch(dir.path());
    let before = signature(&watched.merchants.list()[0]);
    write(dir.path(), "acme-mini.key", "MadeUpKeyMadeUpKeyMadeUpKey00002");
    watched.until("the new key signs", |merchants| signature(&merchants.list()[0]) != before).await;
    watched.end().await;
}

#[tokio::test]
async fn a_broken_change_keeps_the_last_good_version() {
    let dir = good();
    let watched = watch(dir.path());
    write(dir.path(), "acme-mini.toml", &GOOD.replace("1900000109", "none").replace("pay.", "broken."));
    watched.until("the mistake is seen", |merchants| merchants.last_error().is_some()).await;
    assert_eq!(watched.base_url(), "https://pay.example.com");
    assert_eq!(watched.merchants.reload_failed(), 1);
    assert_eq!(watched.merchants.last_error().unwrap().mistakes()[0].field, "mch_id");
    let shown = metrics(&watched.merchants);
    assert!(shown.contains("merchants_broken 1\n") && shown.contains("merchants_reload_failed_total 1\n"), "{shown}");

    write(dir.path(), "acme-mini.toml", &GOOD.replace("pay.", "mended."));
    watched.until("the mistake is mended", |merchants| merchants.last_error().is_none()).await;
    assert_eq!(watched.base_url(), "https://mended.example.com");
    let shown = metrics(&watched.merchants);
    assert!(shown.contains("merchants_broken 0\n") && shown.contains("merchants_loaded 1\n"), "{shown}");
    watched.end().await;
}

#[tokio::test]
async fn a_broken_change_taken_back_is_no_longer_an_error() {
    let dir = good();
    let watched = watch(dir.path());
    write(dir.path(), "acme-mini.toml", "");
    watched.until("the mistake is seen", |merchants| merchants.last_error().is_some()).await;
    write(dir.path(), "acme-mini.toml", GOOD);
    watched.until("the mistake is taken back", |merchants| merchants.last_error().is_none()).await;
    assert_eq!(watched.base_url(), "https://pay.example.com");
    watched.end().await;
}

#[tokio::test]
async fn a_directory_that_vanishes_keeps_the_last_good_version() {
    let parent = empty();
    let dir = parent.path().join("merchants");
    fs::rename(good().keep(), &dir).unwrap();
    let watched = watch(&dir);
    fs::rename(&dir, parent.path().join("elsewhere")).unwrap();
    watched.until("the loss is seen", |merchants| merchants.last_error().is_some()).await;
    assert_eq!(watched.base_url(), "https://pay.example.com");
    fs::rename(parent.path().join("elsewhere"), &dir).unwrap();
    watched.until("the directory is back", |merchants| merchants.last_error().is_none()).await;
    watched.end().await;
}

/// Kubernetes mounts `acme-mini.toml -> ..data/acme-mini.toml` and `..data -> ..1`, and changes all files at once by
/// renaming a new link over `..data`.
#[tokio::test]
async fn the_symlink_swap_of_kubernetes_is_followed() {
    let dir = empty();
    version(&dir, "..1", GOOD);
    symlink("..1", dir.path().join("..data")).unwrap();
    for file in ["acme-mini.toml", "acme-mini.key", "acme-mini.secret"] {
        symlink(format!("..data/{file}"), dir.path().join(file)).unwrap();
    }
    let watched = watch(dir.path());
    assert_eq!(watched.base_url(), "https://pay.example.com");

    version(&dir, "..2", &GOOD.replace("pay.", "swapped."));
    symlink("..2", dir.path().join("..data_tmp")).unwrap();
    fs::rename(dir.path().join("..data_tmp"), dir.path().join("..data")).unwrap();
    watched
        .until("the new version is in force", |merchants| {
            merchants.list()[0].notify_base_url == "https://swapped.example.com"
        })
        .await;
    assert_eq!(watched.merchants.reload_failed(), 0);
    watched.end().await;
}

fn version(dir: &TempDir, folder: &str, toml: &str) {
    let folder = dir.path().join(folder);
    fs::create_dir(&folder).expect("the temporary folder is writable");
    write(&folder, "acme-mini.toml", toml);
    write(&folder, "acme-mini.key", KEY);
    write(&folder, "acme-mini.secret", SECRET);
}

fn signature(merchant: &Merchant) -> String {
    let account = merchant.wechat_v2().expect("a v2 account");
    wechat_pay::v2::sign::sign(&wechat_pay::v2::Fields::default(), &account.api_key, account.sign_type)
}

fn metrics(merchants: &Merchants) -> String {
    let mut registry = Registry::default();
    merchants.register(&mut registry);
    let mut shown = String::new();
    text::encode(&mut shown, &registry).expect("a String takes everything");
    shown
}
