use std::{fs, path::Path};

use tempfile::TempDir;

/// The key of `acme-mini` in [`good`].
pub(crate) const KEY: &str = "MadeUpKeyMadeUpKeyMadeUpKey00001";

/// The app secret of `acme-mini` in [`good`].
pub(crate) const SECRET: &str = "MadeUpAppSecretMadeUpAppSecret01";

pub(crate) const GOOD: &str = r#"
provider = "wechat-v2"
mch_id = "1900000109"
sign_type = "HMAC-SHA256"
notify_base_url = "https://pay.example.com/"
api_key_file = "acme-mini.key"

[[apps]]
app_id = "wxd930ea5d5a258f4f"
kind = "mini-program"
app_secret_file = "acme-mini.secret"

[[apps]]
app_id = "wx2421b1c4370ec43b"
kind = "official-account"
"#;

/// A directory with one good merchant.
pub(crate) fn good() -> TempDir {
    let dir = empty();
    write(dir.path(), "acme-mini.toml", GOOD);
    write(dir.path(), "acme-mini.key", &format!("{KEY}\n"));
    write(dir.path(), "acme-mini.secret", SECRET);
    dir
}

pub(crate) fn empty() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Replaces a file in one step, so that a reader sees the old or the new version.
pub(crate) fn write(dir: &Path, name: &str, text: &str) {
    let beside = dir.join(format!(".{name}.new"));
    fs::write(&beside, text).expect("the temporary folder is writable");
    fs::rename(&beside, dir.join(name)).expect("a rename in one folder");
}
