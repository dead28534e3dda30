//! `payctl decrypt`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, anyhow, bail, ensure};
use serde::Serialize;
use serde_json::{Map, Value};
use wechat_pay::v2::{
    Fields,
    refund_notice::{self, RefundNoticeError, SealKey},
    xml,
};

use crate::{
    account::{self, Account, KeyArgs},
    diagnosis::KeyText,
    input::{self, MOST_MESSAGE_BYTES},
    output,
};

/// What `payctl decrypt` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct DecryptArgs {
    /// A refund notice as it came, or its `req_info` alone. `-`, and nothing, are stdin.
    file: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
    /// A directory of merchant files: whichever key opens it is named.
    #[arg(long, value_name = "DIR")]
    merchants: Option<PathBuf>,
    /// Print one JSON object instead of XML.
    #[arg(long)]
    json: bool,
}

/// An opened refund notice.
#[derive(Debug, Serialize)]
struct Opened {
    /// Whose key opened it.
    key: String,
    /// What was inside, in its order.
    fields: Map<String, Value>,
}

/// Decrypts, and prints what was inside.
pub(crate) fn run(args: &DecryptArgs) -> anyhow::Result<ExitCode> {
    let bytes = input::read(args.file.as_ref(), MOST_MESSAGE_BYTES)?;
    let req_info = req_info(&bytes)?;
    let mut keys: Vec<KeyText> = args.key.account()?.into_iter().flat_map(|account| account.keys).collect();
    let named = keys.len();
    if let Some(dir) = &args.merchants {
        keys.extend(Account::of_directory(dir)?.into_iter().flat_map(|account| account.keys));
    }
    ensure!(
        !keys.is_empty(),
        "no key: name the merchant's file (--merchant), a key file (--key-file) or --merchants DIR"
    );
    let mut refused = None;
    for (at, key) in keys.iter().enumerate() {
        // A directory may hold a broken key beside the right one; one that was named must be one.
        let api_key = match account::api_key(key) {
            Ok(api_key) => api_key,
            Err(error) if at < named => return Err(error),
            Err(_) => continue,
        };
        match open(&req_info, &SealKey::of(&api_key)) {
            Ok((plain, fields)) => {
                if named != 0 && named <= at {
                    output::note(&format!("the key that was named does not open it; {} does", key.name));
                }
                return print(args.json, key, &plain, &fields);
            }
            Err(RefundNoticeError::Base64) => bail!("req_info is not base64: give it whole and unchanged"),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let tried = if keys.len() == 1 { keys[0].name.clone() } else { format!("{} keys", keys.len()) };
    let why = refused.map(|error| error.to_string()).unwrap_or_default();
    output::note(&format!(
        "not opened with {tried}: {why}\n  fix: use the API v2 key of the account that the notice's mch_id names, as it was when the \
         notice was sent; --merchants DIR tries every key"
    ));
    Ok(output::no())
}

/// The sealed text of whatever was given.
fn req_info(bytes: &[u8]) -> anyhow::Result<String> {
    let text = std::str::from_utf8(bytes).context("the refund notice is not UTF-8")?.trim();
    if text.starts_with('<') {
        let fields = xml::parse("xml", text.as_bytes()).context("the refund notice cannot be read")?;
        let sealed =
            fields.text("req_info").ok_or_else(|| anyhow!("the message has no req_info: it is no refund notice"))?;
        return Ok(sealed.to_owned());
    }
    ensure!(!text.is_empty(), "there is nothing to decrypt: give a refund notice, or its req_info");
    // A base64 text that was copied from a log is often broken into lines.
    Ok(text.split_whitespace().collect())
}

/// Opens it. A wrong key's padding fits once in 256 times, so what comes out must be a message, too.
fn open(req_info: &str, key: &SealKey) -> Result<(Vec<u8>, Fields), RefundNoticeError> {
    let plain = refund_notice::open(req_info, key)?;
    xml::parse("root", &plain).map(|fields| (plain, fields)).map_err(RefundNoticeError::Inner)
}

fn print(json: bool, key: &KeyText, plain: &[u8], fields: &Fields) -> anyhow::Result<ExitCode> {
    if json {
        let fields = fields.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        output::print_json(&Opened { key: key.name.clone(), fields })?;
    } else {
        output::print(&format!("{}\n", String::from_utf8_lossy(plain).trim_end()))?;
    }
    Ok(output::GOOD)
}
