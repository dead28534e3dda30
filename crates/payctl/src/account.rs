//! The account whose key signs: a merchant file with its key files, or a key file alone.
//!
//! Read more leniently than a service reads it, because a wrong key file is often the very thing that is looked for. The key is
//! taken as the file holds it, and whether it is one is judged later.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail, ensure};
use wechat_pay::v2::{ApiKey, SignType};

use crate::{
    diagnosis::KeyText,
    input::{self, MOST_SETTING_BYTES},
    message::Message,
};

/// What stands before the key in the signed text.
const KEY: &str = "key";

/// Most merchant files that are looked at.
const MOST_MERCHANTS: usize = 4096;

/// Where a key comes from.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct KeyArgs {
    /// The merchant's file, such as deploy/dev/merchants/acme-mini.toml: its number, sign type, apps, and the key file beside it.
    #[arg(long, value_name = "FILE", conflicts_with = "key_file")]
    pub(crate) merchant: Option<PathBuf>,
    /// A file that holds an API v2 key and nothing else.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

/// One account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// What we call it.
    pub(crate) name: String,
    pub(crate) mch_id: Option<String>,
    pub(crate) sub_mch_id: Option<String>,
    /// The type in force, then the one before it; empty when nobody says.
    pub(crate) sign_types: Vec<SignType>,
    /// The key in force, then the one before it; at least one.
    pub(crate) keys: Vec<KeyText>,
    pub(crate) app_ids: Vec<String>,
}

impl KeyArgs {
    /// The account, when one is named.
    pub(crate) fn account(&self) -> anyhow::Result<Option<Account>> {
        match (&self.merchant, &self.key_file) {
            (Some(file), _) => Account::of_merchant(file).map(Some),
            (None, Some(file)) => Account::of_key(file).map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl Account {
    fn of_key(file: &Path) -> anyhow::Result<Account> {
        let name = format!("the key in {}", file.display());
        let key = KeyText::new(name.as_str(), input::read(Some(&file.to_owned()), MOST_SETTING_BYTES)?);
        Ok(Account {
            name,
            mch_id: None,
            sub_mch_id: None,
            sign_types: Vec::new(),
            keys: vec![key],
            app_ids: Vec::new(),
        })
    }

    /// Reads one merchant file.
    pub(crate) fn of_merchant(file: &Path) -> anyhow::Result<Account> {
        let shown = file.display();
        let bytes = input::read(Some(&file.to_owned()), MOST_SETTING_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| anyhow!("{shown} is not UTF-8"))?;
        // The parser's own words may repeat the line, and a line may hold a secret.
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| anyhow!("{shown} is not TOML: {}", error.message()))?;
        let field = |name: &str| table.get(name).and_then(toml::Value::as_str);
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder = file.parent().unwrap_or(Path::new("."));
        let key = |field_name: &str, whose: String| -> anyhow::Result<Option<KeyText>> {
            let Some(key_file) = field(field_name) else { return Ok(None) };
            // The path is not told: a key written in its place must not reach a screen.
            let plain = Path::new(key_file).file_name().is_some_and(|name| name == key_file);
            ensure!(plain, "{shown}: {field_name} names no file beside it");
            let bytes = input::read(Some(&folder.join(key_file)), MOST_SETTING_BYTES)
                .map_err(|_| anyhow!("{shown}: {field_name} names a file that cannot be read"))?;
            Ok(Some(KeyText::new(whose, bytes)))
        };
        let Some(in_force) = key("api_key_file", format!("the key of {name}"))? else {
            bail!("{shown}: api_key_file is missing: write the name of the key file beside it")
        };
        let previous = key("previous_api_key_file", format!("the previous key of {name}"))?;
        let mut sign_types = Vec::new();
        for type_name in ["sign_type", "previous_sign_type"] {
            if let Some(word) = field(type_name) {
                sign_types.push(word.parse().map_err(|error| anyhow!("{shown}: {type_name}: {error}"))?);
            }
        }
        let apps = table.get("apps").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut app_ids: Vec<String> =
            apps.iter().filter_map(|app| app.get("app_id")?.as_str()).map(str::to_owned).collect();
        app_ids.extend(field("service_provider_app_id").map(str::to_owned).filter(|id| !app_ids.contains(id)));
        Ok(Account {
            mch_id: field("mch_id").map(str::to_owned),
            sub_mch_id: field("sub_mch_id").map(str::to_owned),
            sign_types,
            keys: [Some(in_force), previous].into_iter().flatten().collect(),
            app_ids,
            name,
        })
    }

    /// Reads every merchant file of a directory, in the order of their names.
    pub(crate) fn of_directory(dir: &Path) -> anyhow::Result<Vec<Account>> {
        let shown = dir.display();
        let mut files = Vec::new();
        for entry in fs::read_dir(dir).with_context(|| format!("{shown} cannot be listed"))? {
            let path = entry.with_context(|| format!("{shown} cannot be listed"))?.path();
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
        ensure!(!files.is_empty(), "{shown} holds no merchant file");
        ensure!(files.len() <= MOST_MERCHANTS, "{shown} holds more than {MOST_MERCHANTS} merchant files");
        files.sort();
        files.iter().map(|file| Account::of_merchant(file)).collect()
    }

    /// The key in force, for signing: it must be one.
    pub(crate) fn api_key(&self) -> anyhow::Result<ApiKey> {
        self.keys.first().ok_or_else(|| anyhow!("{} has no key", self.name)).and_then(api_key)
    }
}

/// Refuses a message that holds what must never be in one: whoever puts the key among the fields sends it away.
///
/// # Errors
/// When a field is named `key`, or is one of the keys; says which field, and never the key.
pub(crate) fn holds_no_key<'a>(message: &Message, keys: impl IntoIterator<Item = &'a KeyText>) -> anyhow::Result<()> {
    if let Some((name, _)) = message.fields.iter().find(|(name, _)| name.trim().eq_ignore_ascii_case(KEY)) {
        bail!(
            "the message holds a field named {name}: the API key is appended to the signed text and is no field; take it out, \
             and change the key in the merchant platform if such a message was ever sent"
        );
    }
    let sign = message.sign.iter().map(|sign| (message.kind.sign_name(), sign.as_str()));
    let values: Vec<_> =
        message.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(sign).collect();
    for key in keys {
        if let Some((name, _)) = values.iter().find(|(_, value)| key.is(value)) {
            bail!(
                "the value of {name} in the message is {}: take it out, and change the key in the merchant platform if such a \
                 message was ever sent",
                key.name
            );
        }
    }
    Ok(())
}

/// A key that may sign and decrypt.
pub(crate) fn api_key(key: &KeyText) -> anyhow::Result<ApiKey> {
    let text = key.text().ok_or_else(|| anyhow!("{} is not text", key.name))?;
    ApiKey::parse(text).map_err(|error| {
        anyhow!(
            "{} cannot be used: {error}: put the 32 characters of the API v2 key into the file, \
                                                 and nothing else",
            key.name
        )
    })
}

/// Reads a sign type as a flag has it.
pub(crate) fn sign_type(text: &str) -> Result<SignType, String> {
    text.parse().map_err(|error| format!("{error}"))
}
