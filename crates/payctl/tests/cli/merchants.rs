use std::fs;

use crate::harness::{key, merchants, payctl};

#[test]
fn a_good_directory_is_a_table_without_keys() {
    let ended = payctl(&["merchants", "check", &merchants()]).with(0);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert!(
        lines[0].starts_with("merchant   mch_id      sub_mch_id  sign type    refunds  certificate ends  methods"),
        "{}",
        ended.stdout
    );
    assert!(lines[1].starts_with("acme-mini  1900000109  -           HMAC-SHA256  yes      2120-"), "{}", ended.stdout);
    assert!(lines[1].contains("mini_program,jsapi,app,h5,native,pay_code,face"), "{}", ended.stdout);
    let json = payctl(&["merchants", "check", &merchants(), "--json"]).with(0);
    assert_eq!(json.json()["merchants"][2]["sub_mch_id"], "1900000315");
    for name in ["acme-mini", "acme-shop", "acme-tea"] {
        assert!(!ended.stdout.contains(&key(name)) && !json.stdout.contains(&key(name)));
    }
}

#[test]
fn without_a_client_certificate_an_account_takes_no_pay_codes_and_no_faces() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["acme-mini.key", "acme-mini.secret", "acme-mini-account.secret"] {
        fs::copy(format!("{}/{file}", merchants()), folder.path().join(file)).unwrap();
    }
    let text = fs::read_to_string(format!("{}/acme-mini.toml", merchants())).unwrap();
    let without = text.lines().filter(|line| !line.starts_with("client_")).collect::<Vec<_>>().join("\n");
    assert_ne!(without, text);
    fs::write(folder.path().join("acme-mini.toml"), without).unwrap();
    let json = payctl(&["merchants", "check", folder.path().to_str().unwrap(), "--json"]).with(0).json();
    assert_eq!(json["merchants"][0]["can_refund"], false);
    assert_eq!(json["merchants"][0]["methods"], serde_json::json!(["mini_program", "jsapi", "app", "h5", "native"]));
}

#[test]
fn every_mistake_is_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let text = "provider = \"wechat-v2\"\nmch_id = \"x\"\nsign_type = \"SHA1\"\napi_key_file = \"none.key\"\n";
    fs::write(folder.path().join("acme.toml"), text).unwrap();
    let path = folder.path().to_str().unwrap();
    let ended = payctl(&["merchants", "check", path]).with(1);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert!(lines.len() >= 4 && lines.iter().all(|line| line.starts_with("acme.toml: ")), "{}", ended.stdout);
    assert!(ended.stdout.contains("acme.toml: sign_type has an unknown value: write \"MD5\" or \"HMAC-SHA256\"\n"));
    let json = payctl(&["merchants", "check", path, "--json"]).with(1).json();
    assert_eq!((json["good"].as_bool(), json["mistakes"].as_array().unwrap().len()), (Some(false), lines.len()));
    assert!(payctl(&["merchants", "check", "/nowhere"]).with(1).stdout.contains("the directory cannot be listed"));
}
