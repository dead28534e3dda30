//! `payctl sign`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{anyhow, bail};
use serde::Serialize;
use wechat_pay::v2::{
    Fields, SignType,
    sign::{SIGN, sign, text_to_sign},
    xml,
};

use crate::{
    account::{self, KeyArgs},
    diagnosis::KeyText,
    input::{self, MOST_MESSAGE_BYTES},
    message::{Kind, Message},
    output,
};

/// What `payctl sign` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// The message: XML, or name=value lines. `-`, and nothing, are stdin.
    file: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
    /// MD5 or HMAC-SHA256; the merchant file's when absent, and MD5 without one.
    #[arg(long, value_parser = account::sign_type)]
    sign_type: Option<SignType>,
    /// Print the signature alone instead of the signed XML.
    #[arg(long)]
    bare: bool,
    /// Say on stderr what was signed, with the key masked.
    #[arg(long)]
    explain: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// A signed message.
#[derive(Debug, Serialize)]
struct Signed {
    sign_type: SignType,
    sign: String,
    /// What was signed, its key masked.
    string: String,
    xml: String,
}

/// Signs, and prints the message.
pub(crate) fn run(args: &SignArgs) -> anyhow::Result<ExitCode> {
    let account = args.key.account()?;
    let Some(account) = account else {
        bail!("no key: name the merchant's file (--merchant) or a key file (--key-file)")
    };
    let message = Message::read(&input::read(args.file.as_ref(), MOST_MESSAGE_BYTES)?, None)?;
    account::holds_no_key(&message, &account.keys)?;
    let sign_type = args.sign_type.or_else(|| account.sign_types.first().copied()).unwrap_or(SignType::Md5);
    let key = account.api_key()?;
    let fields = prepared(&message, sign_type)?;
    let signature = sign(&fields, &key, sign_type);
    let string = mask(&account.keys, &format!("{}&key=********", text_to_sign(&fields)));
    let mut signed = fields;
    signed.insert(SIGN, signature.as_str());
    let signed = Signed { sign_type, sign: signature, string, xml: xml::write("xml", &signed) };
    if args.json {
        output::print_json(&signed)?;
        return Ok(output::GOOD);
    }
    if args.explain {
        output::note(&format!("{} of\n{}", signed.sign_type, signed.string));
    }
    output::print(&format!("{}\n", if args.bare { &signed.sign } else { &signed.xml }))?;
    Ok(output::GOOD)
}

/// The fields to sign. A request says its sign type, unless that is MD5, as our services write it.
fn prepared(message: &Message, sign_type: SignType) -> anyhow::Result<Fields> {
    if matches!(message.kind, Kind::Jsapi | Kind::MiniProgram | Kind::Redpack | Kind::App | Kind::Native1) {
        let kind = message.kind.words();
        bail!("a {kind} is not signed as XML: give its fields as name=value lines, with the names under the signature");
    }
    let name = message.kind.sign_type_name();
    let mut fields: Fields = message.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    match fields.text(name).map(str::parse::<SignType>) {
        Some(Ok(said)) if said == sign_type => {}
        Some(_) => {
            return Err(anyhow!(
                "{name} in the message says otherwise than {sign_type}: change it, or name it with --sign-type"
            ));
        }
        None if sign_type != SignType::Md5 && message.kind == Kind::Request => {
            fields.insert(name, sign_type.as_str());
            output::note(&format!("{name}={sign_type} was added: WeChat takes a request without it for MD5"));
        }
        None => {}
    }
    Ok(fields)
}

/// The text without any of the keys.
pub(crate) fn mask(keys: &[KeyText], text: &str) -> String {
    keys.iter().fold(text.to_owned(), |text, key| key.mask(&text))
}
