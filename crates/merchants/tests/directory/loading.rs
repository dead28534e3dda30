use std::path::PathBuf;

use merchants::{AppKind, Merchant, MerchantName, Merchants, NoticeKind, Provider, Surplus};
use secrecy::ExposeSecret;
use wechat_pay::v2::sign::SignType;

use crate::harness::{GOOD, KEY, SECRET, empty, good, write};

fn name(text: &str) -> MerchantName {
    MerchantName::parse(text).expect("a merchant name")
}

/// `file field problem` of every mistake; the fix only has to be there.
fn mistakes(dir: &tempfile::TempDir) -> Vec<String> {
    let error = Merchants::load(dir.path()).expect_err("the directory holds mistakes");
    assert!(error.mistakes().iter().all(|mistake| !mistake.fix.is_empty()));
    error.mistakes().iter().map(|mistake| format!("{} {} {}", mistake.file, mistake.field, mistake.problem)).collect()
}

#[test]
fn a_good_directory_gives_its_merchants() {
    let dir = good();
    let merchants = Merchants::load(dir.path()).unwrap();
    let merchant = merchants.get(&name("acme-mini")).unwrap();
    assert_eq!(merchant.provider(), Provider::WechatV2);
    assert_eq!(merchant.mch_id(), "1900000109");
    let account = merchant.wechat_v2().unwrap();
    assert_eq!(account.sign_type, SignType::HmacSha256);
    assert!(account.previous_api_key.is_none() && account.client_identity.is_none());
    assert_eq!((account.previous_sign_type, account.notice_sign_types()), (None, vec![SignType::HmacSha256]));
    let app = merchant.app_of_kind(AppKind::MiniProgram).unwrap();
    assert_eq!(app.app_id, "wxd930ea5d5a258f4f");
    assert_eq!(app.app_secret.as_ref().unwrap().expose_secret(), SECRET);
    assert_eq!(merchant.app("wx2421b1c4370ec43b").unwrap().kind, AppKind::OfficialAccount);
    assert!(merchant.app("wx2421b1c4370ec43c").is_none() && merchant.app_of_kind(AppKind::Web).is_none());
    assert_eq!(merchants.list().iter().map(|merchant| merchant.name.as_str()).collect::<Vec<_>>(), ["acme-mini"]);
    assert!(merchants.get(&name("acme-shop")).is_none());
}

#[test]
fn the_notify_url_names_provider_merchant_and_kind() {
    let merchants = Merchants::load(good().path()).unwrap();
    let merchant = merchants.get(&name("acme-mini")).unwrap();
    assert_eq!(
        merchant.notify_url(NoticeKind::Payment),
        "https://pay.example.com/notify/wechat-v2/acme-mini/payment",
        "the slash that ends the base is not doubled"
    );
    assert_eq!(merchant.notify_url(NoticeKind::Refund), "https://pay.example.com/notify/wechat-v2/acme-mini/refund");
}

#[test]
fn the_development_merchants_are_good() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/dev/merchants");
    let merchants = Merchants::load(dir).unwrap();
    let kind = |merchant: &Merchant, kind| merchant.app_of_kind(kind).is_some();
    let mini = merchants.get(&name("acme-mini")).unwrap();
    assert!(kind(&mini, AppKind::MiniProgram) && kind(&mini, AppKind::OfficialAccount));
    assert_eq!(merchants.get(&name("acme-shop")).unwrap().wechat_v2().unwrap().sign_type, SignType::Md5);
}

#[test]
fn every_mistake_is_reported_at_once() {
    let dir = empty();
    write(
        dir.path(),
        "acme-mini.toml",
        r#"
provider = "wechat-v2"
mch_id = "19000001-09"
sign_type = "SHA1"
notify_base_url = "ftp://pay.example.com"
api_key_file = "acme-mini.key"
previous_api_key_file = "nowhere.key"
client_cert_file = "acme-mini.cert"
surplus = "keep"
sub_mch_id = "1900000110"
sub_app_id = "wx1"
colour = "red"
api_key = "x"

[[apps]]
app_id = "wx d930"
kind = "watch"
size = 3

[[apps]]
kind = 7
app_secret_file = "acme-mini.secret"
"#,
    );
    write(dir.path(), "acme-mini.key", "too short");
    write(dir.path(), "acme-mini.cert", "no certificate");
    write(dir.path(), "acme-mini.secret", "");
    write(dir.path(), "Acme_Shop.toml", "provider = \"huifu\"");
    write(dir.path(), "broken.toml", "provider = \"wechat-v2\"\nmch_id");
    write(dir.path(), "empty.toml", "");
    write(dir.path(), "unknown.toml", "provider = \"alipay\"");
    assert_eq!(
        mistakes(&dir),
        [
            "Acme_Shop.toml  the file name is not a merchant's",
            "Acme_Shop.toml notify_base_url is missing",
            "Acme_Shop.toml provider names a provider that is not supported yet",
            "acme-mini.toml api_key is not a field we know",
            "acme-mini.toml api_key_file names a file that holds no API v2 key",
            "acme-mini.toml apps[0].app_id has a value that does not fit",
            "acme-mini.toml apps[0].kind has an unknown value",
            "acme-mini.toml apps[0].size is not a field we know",
            "acme-mini.toml apps[1].app_id is missing",
            "acme-mini.toml apps[1].app_secret_file names a file that holds no app secret",
            "acme-mini.toml apps[1].kind is of type integer",
            "acme-mini.toml client_cert_file names a file that is not PEM of the right kind",
            "acme-mini.toml client_key_file is missing",
            "acme-mini.toml colour is not a field we know",
            "acme-mini.toml mch_id has a value that does not fit",
            "acme-mini.toml notify_base_url has a value that does not fit",
            "acme-mini.toml previous_api_key_file names no file beside this one",
            "acme-mini.toml service_provider_app_id is missing",
            "acme-mini.toml sign_type has an unknown value",
            "acme-mini.toml sub_app_id is not written here",
            "acme-mini.toml surplus has an unknown value",
            "broken.toml  line 2 is not TOML",
            "empty.toml notify_base_url is missing",
            "empty.toml provider is missing",
            "unknown.toml notify_base_url is missing",
            "unknown.toml provider names an unknown provider",
        ]
    );
}

#[test]
fn the_error_is_a_list_that_a_person_can_work_through() {
    let dir = good();
    write(dir.path(), "acme-mini.toml", &GOOD.replace("HMAC-SHA256", "hmac").replace("1900000109", "x"));
    assert_eq!(
        Merchants::load(dir.path()).unwrap_err().to_string(),
        "2 mistakes in the merchants directory\n  \
         acme-mini.toml: mch_id has a value that does not fit: write the merchant number, 1 to 32 digits in quotes\n  \
         acme-mini.toml: sign_type has an unknown value: write \"MD5\" or \"HMAC-SHA256\""
    );
}

#[test]
fn what_is_missing_is_named() {
    let dir = empty();
    write(dir.path(), "acme-mini.toml", "provider = \"wechat-v2\"");
    assert_eq!(
        mistakes(&dir),
        [
            "api_key_file is missing",
            "apps names none",
            "mch_id is missing",
            "notify_base_url is missing",
            "sign_type is missing"
        ]
        .map(|mistake| format!("acme-mini.toml {mistake}"))
    );
}

#[test]
fn an_empty_or_absent_directory_is_a_mistake() {
    let dir = empty();
    assert_eq!(mistakes(&dir), ["*.toml  the directory holds no merchant file"]);
    let error = Merchants::load(dir.path().join("absent")).unwrap_err();
    assert!(error.to_string().contains("cannot be listed"), "{error}");
}

#[test]
fn two_files_for_one_account_and_a_shared_key_are_mistakes() {
    let dir = good();
    write(dir.path(), "acme-shop.toml", &GOOD.replace("\"acme-mini.key\"", "\"acme-shop.key\""));
    write(dir.path(), "acme-shop.key", "MadeUpKeyMadeUpKeyMadeUpKey00002");
    assert_eq!(mistakes(&dir), ["acme-shop.toml mch_id is also the merchant number in acme-mini.toml"]);

    write(dir.path(), "acme-shop.toml", &GOOD.replace("1900000109", "1900000208"));
    assert_eq!(mistakes(&dir), ["acme-shop.toml api_key_file holds the same key as api_key_file in acme-mini.toml"]);
}

#[test]
fn the_previous_key_is_another_key() {
    let dir = good();
    write(dir.path(), "acme-mini.toml", &format!("previous_api_key_file = \"acme-mini.old.key\"\n{GOOD}"));
    write(dir.path(), "acme-mini.old.key", KEY);
    assert_eq!(
        mistakes(&dir),
        ["acme-mini.toml previous_api_key_file holds the same key as api_key_file in acme-mini.toml"]
    );
    write(dir.path(), "acme-mini.old.key", "MadeUpKeyMadeUpKeyMadeUpKey00000\r\n");
    let merchants = Merchants::load(dir.path()).unwrap();
    assert!(merchants.list()[0].wechat_v2().unwrap().previous_api_key.is_some());
}

#[test]
fn the_sign_type_of_before_is_accepted_in_notices_while_it_is_being_changed() {
    let dir = good();
    write(dir.path(), "acme-mini.toml", &format!("previous_sign_type = \"MD5\"\n{GOOD}"));
    let merchants = Merchants::load(dir.path()).unwrap();
    let account = merchants.list()[0].wechat_v2().unwrap().clone();
    assert_eq!((account.sign_type, account.previous_sign_type), (SignType::HmacSha256, Some(SignType::Md5)));
    assert_eq!(account.notice_sign_types(), [SignType::HmacSha256, SignType::Md5]);
    for (written, mistake) in [("HMAC-SHA256", "is the same as sign_type"), ("SHA1", "has an unknown value")] {
        write(dir.path(), "acme-mini.toml", &format!("previous_sign_type = \"{written}\"\n{GOOD}"));
        assert_eq!(mistakes(&dir), [format!("acme-mini.toml previous_sign_type {mistake}")]);
    }
}

#[test]
fn surplus_money_goes_back_unless_the_file_says_that_it_waits() {
    let dir = good();
    let surplus = || Merchants::load(dir.path()).unwrap().list()[0].surplus;
    assert_eq!(surplus(), Surplus::Refund);
    for (written, policy) in [("refund", Surplus::Refund), ("hold", Surplus::Hold)] {
        write(dir.path(), "acme-mini.toml", &format!("surplus = \"{written}\"\n{GOOD}"));
        assert_eq!(surplus(), policy, "{written}");
    }
    for (written, mistake) in
        [("\"Hold\"", "has an unknown value"), ("\"\"", "is empty"), ("true", "is of type boolean")]
    {
        write(dir.path(), "acme-mini.toml", &format!("surplus = {written}\n{GOOD}"));
        assert_eq!(mistakes(&dir), [format!("acme-mini.toml surplus {mistake}")]);
    }
    write(dir.path(), "acme-mini.toml", &format!("surplus = \"keep\"\n{GOOD}"));
    assert!(Merchants::load(dir.path()).unwrap_err().to_string().ends_with(": write \"refund\" or \"hold\""));
}

#[test]
fn an_address_that_a_provider_cannot_post_to_is_refused() {
    let dir = good();
    let long = format!("https://{}.example.com/{}", "a".repeat(60), "b".repeat(200));
    for address in [
        "pay.example.com",
        "/notify",
        "https://pay.example.com?a=b",
        "https://pay.example.com/?",
        "https://pay.example.com#a",
        "https://user:word@pay.example.com",
        "mailto:pay@example.com",
        &long,
    ] {
        write(dir.path(), "acme-mini.toml", &GOOD.replace("https://pay.example.com/", address));
        let mistakes = mistakes(&dir);
        assert!(
            mistakes.len() == 1 && mistakes[0].starts_with("acme-mini.toml notify_base_url "),
            "{address}: {mistakes:?}"
        );
    }
}

#[test]
fn an_app_is_listed_once() {
    let dir = good();
    write(dir.path(), "acme-mini.toml", &GOOD.replace("wx2421b1c4370ec43b", "wxd930ea5d5a258f4f"));
    assert_eq!(mistakes(&dir), ["acme-mini.toml apps[1].app_id is listed twice"]);
}

#[test]
fn a_key_written_in_the_wrong_place_does_not_reach_the_error() {
    let dir = good();
    write(dir.path(), "acme-mini.toml", &GOOD.replace("acme-mini.key", KEY).replace("HMAC-SHA256", KEY));
    write(dir.path(), "broken.toml", &format!("api_key = {KEY} {KEY}"));
    let error = Merchants::load(dir.path()).unwrap_err();
    assert_eq!(error.mistakes().len(), 3);
    assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
}

#[test]
fn a_key_file_is_only_looked_for_beside_the_merchant_file() {
    let dir = good();
    let outside = empty();
    write(outside.path(), "outside.key", KEY);
    let path = outside.path().join("outside.key");
    for place in [path.to_str().unwrap(), "../outside.key", "./acme-mini.key", ".hidden"] {
        write(dir.path(), "acme-mini.toml", &GOOD.replace("acme-mini.key", place));
        assert_eq!(mistakes(&dir), ["acme-mini.toml api_key_file names no file beside this one"], "{place}");
    }
}

#[test]
fn debug_output_shows_no_key() {
    let dir = good();
    let private = "-----BEGIN PRIVATE KEY-----\nMadeUpPrivate\n-----END PRIVATE KEY-----\n";
    write(
        dir.path(),
        "acme-mini.toml",
        &format!("client_cert_file = \"cert.pem\"\nclient_key_file = \"key.pem\"\n{GOOD}"),
    );
    write(dir.path(), "cert.pem", "-----BEGIN CERTIFICATE-----\nMadeUp\n-----END CERTIFICATE-----\n");
    write(dir.path(), "key.pem", private);
    let merchants = Merchants::load(dir.path()).unwrap();
    assert!(merchants.list()[0].wechat_v2().unwrap().client_identity.is_some());
    let shown = format!("{merchants:?} {:?}", merchants.list());
    for secret in [KEY, SECRET, "MadeUpPrivate"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn files_of_editors_and_of_other_kinds_are_left_alone() {
    let dir = good();
    write(dir.path(), "README.md", "not a merchant");
    write(dir.path(), ".acme-mini.toml.swp", "not a merchant");
    write(dir.path(), "acme-mini.toml~", "not a merchant");
    std::fs::create_dir(dir.path().join("folder.toml")).unwrap();
    assert_eq!(Merchants::load(dir.path()).unwrap().list().len(), 1);
}

#[test]
fn a_file_too_large_to_be_a_merchant_is_refused() {
    let dir = good();
    write(dir.path(), "acme-mini.key", &"k".repeat(64 * 1024 + 1));
    write(dir.path(), "large.toml", &"#".repeat(64 * 1024 + 1));
    assert_eq!(
        mistakes(&dir),
        ["acme-mini.toml api_key_file names a file that is too large", "large.toml  the file is too large"]
    );
}
