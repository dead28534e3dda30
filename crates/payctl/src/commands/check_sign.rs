//! `payctl verify FILE`: the signature of a message.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{bail, ensure};
use serde::Serialize;
use wechat_pay::v2::SignType;

use crate::{
    account::{self, Account, KeyArgs},
    diagnosis::{Case, KeyText, Mistake, Told, Verdict, Wrong, judge},
    input::{self, MOST_MESSAGE_BYTES},
    message::{Kind, Message},
    output,
};

/// What `payctl verify FILE` can be told.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "With FILE")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    key: KeyArgs,
    /// A directory of merchant files: the message's own account is found in it, and on a mismatch every other key is tried.
    #[arg(long, value_name = "DIR")]
    merchants: Option<PathBuf>,
    /// The sign type that the message must have, MD5 or HMAC-SHA256. When absent: the merchant file's, or without one, whichever
    /// is as long as the signature.
    #[arg(long, value_parser = account::sign_type)]
    sign_type: Option<SignType>,
    /// What kind of message it is, when its shape does not tell.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// The app that a mini program was signed for; the merchant file's apps are tried when absent.
    #[arg(long)]
    app_id: Option<String>,
}

/// Said in place of the right signature of a message that only WeChat may sign.
const NOT_SHOWN: &str = "What the signature must be is not shown: only WeChat signs such a message, and a forged one must not come \
                         back from here rightly signed.";

/// What is told about a signature.
#[derive(Debug, Serialize)]
struct Answer {
    /// `right`, `wrong` or `unsigned`.
    verdict: &'static str,
    kind: &'static str,
    sign_type: Option<SignType>,
    key: Option<String>,
    given: Option<String>,
    /// What the signature must be, of a message that we sign ourselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    /// What must be signed, its key masked.
    string: Option<String>,
    /// What was signed by mistake, its key masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<String>,
    causes: Vec<Told>,
    alternatives: Vec<Told>,
    hints: Vec<String>,
    notes: Vec<String>,
}

/// Checks a message, and prints what is wrong with its signature.
pub(crate) fn run(file: &Path, args: &CheckArgs, json: bool) -> anyhow::Result<ExitCode> {
    let message = Message::read(&input::read(Some(&file.to_owned()), MOST_MESSAGE_BYTES)?, args.kind)?;
    let mut accounts = match &args.merchants {
        Some(dir) => Account::of_directory(dir)?,
        None => Vec::new(),
    };
    let account = match args.key.account()? {
        Some(account) => account,
        None => own(&message, &mut accounts)?,
    };
    if let Some(key) = account.keys.iter().find(|key| key.is_empty()) {
        bail!("{} is empty, and with an empty key anybody can sign: put the API v2 key into the file", key.name);
    }
    // An account that was named and is in the directory, too, is not another one.
    accounts.retain(|other| other.name != account.name);
    let others: Vec<KeyText> = accounts.into_iter().flat_map(|account| account.keys).collect();
    account::holds_no_key(&message, account.keys.iter().chain(&others))?;
    let sign_types = sign_types(args, &account, &message);
    let app_ids = args.app_id.clone().map_or_else(|| account.app_ids.clone(), |app_id| vec![app_id]);
    let case =
        Case { message: &message, keys: &account.keys, sign_types: &sign_types, others: &others, app_ids: &app_ids };
    let (mut answer, tries) = answer(&message, judge(&case));
    answer.notes.extend(foreign(&message, &account));
    if answer.verdict == "right" {
        answer.notes.extend(account.keys.iter().filter_map(KeyText::complaint));
    } else {
        answer.key = account.keys.first().map(|key| key.name.clone());
    }
    if json {
        output::print_json(&answer)?;
    } else {
        output::print(&text(&answer, tries))?;
    }
    Ok(if answer.verdict == "right" { output::GOOD } else { output::no() })
}

/// The account that the message names.
fn own(message: &Message, accounts: &mut Vec<Account>) -> anyhow::Result<Account> {
    ensure!(
        !accounts.is_empty(),
        "no key: name the merchant's file (--merchant), a key file (--key-file) or --merchants DIR"
    );
    let mch_id = message.text("mch_id").or_else(|| message.text("partnerid"));
    let app_id = message.text("appId").or_else(|| message.text("appid"));
    let sub = message.text("sub_mch_id");
    let fits = |account: &Account| match mch_id {
        Some(mch_id) if account.sub_mch_id.as_deref() == Some(mch_id) => true,
        Some(mch_id) => account.mch_id.as_deref() == Some(mch_id) && account.sub_mch_id.as_deref() == sub,
        None => app_id.is_some_and(|app_id| account.app_ids.iter().any(|known| known == app_id)),
    };
    let fitting: Vec<usize> = (0..accounts.len()).filter(|at| fits(&accounts[*at])).collect();
    match (fitting.as_slice(), mch_id) {
        ([at], _) => Ok(accounts.remove(*at)),
        ([], Some(mch_id)) => {
            bail!("no merchant file of the directory has the mch_id {mch_id}: name one with --merchant")
        }
        ([], None) => bail!("the message does not say whose it is: name the merchant's file with --merchant"),
        // Two merchants may share an app, and then the message names neither.
        ([first, second, ..], _) => {
            let (first, second) = (&accounts[*first].name, &accounts[*second].name);
            bail!("the message may be of {first} and of {second}: name the merchant's file with --merchant")
        }
    }
}

/// The types that the signature may have.
fn sign_types(args: &CheckArgs, account: &Account, message: &Message) -> Vec<SignType> {
    if message.kind == Kind::Redpack {
        return vec![SignType::Md5];
    }
    if let Some(sign_type) = args.sign_type {
        return vec![sign_type];
    }
    if !account.sign_types.is_empty() {
        return account.sign_types.clone();
    }
    let length = message.sign.as_deref().map_or(0, |sign| sign.trim().len());
    let said = SignType::ALL.into_iter().find(|sign_type| sign_type.hex_len() == length);
    vec![said.unwrap_or(SignType::Md5)]
}

/// Says that the message is about somebody else.
fn foreign(message: &Message, account: &Account) -> Option<String> {
    let (said, ours) = (message.text("mch_id")?, account.mch_id.as_deref()?);
    (said != ours).then(|| format!("the message is of mch_id {said}, but {} has mch_id {ours}", account.name))
}

fn answer(message: &Message, verdict: Verdict) -> (Answer, Option<String>) {
    let mut answer = Answer {
        verdict: "unsigned",
        kind: message.kind.words(),
        sign_type: None,
        key: None,
        given: message.sign.clone(),
        expected: None,
        string: None,
        signed: None,
        causes: Vec::new(),
        alternatives: Vec::new(),
        hints: Vec::new(),
        notes: message.notes.clone(),
    };
    let mut tries = None;
    match verdict {
        Verdict::Right { sign_type, key, string } => {
            answer.verdict = "right";
            (answer.sign_type, answer.key, answer.string) = (Some(sign_type), Some(key), Some(string));
        }
        Verdict::Unsigned => answer.hints.push(unsigned(message).to_owned()),
        Verdict::Wrong(Wrong {
            string,
            sign_type,
            expected,
            causes,
            signed,
            alternatives,
            hints,
            tries: count,
            cut_short,
        }) => {
            answer.verdict = "wrong";
            (answer.sign_type, answer.string) = (Some(sign_type), Some(string));
            let ours = answer.string.as_deref().is_some_and(|string| message.is_ours(string));
            if !ours {
                answer.notes.push(NOT_SHOWN.to_owned());
            }
            (answer.expected, answer.signed) = (ours.then_some(expected), signed);
            answer.causes = causes.iter().map(Mistake::told).collect();
            answer.alternatives = alternatives.iter().map(Mistake::told).collect();
            // Two readings of one mistake are one for people.
            answer.alternatives.dedup();
            answer.alternatives.retain(|told| !answer.causes.contains(told));
            answer.hints = hints;
            let not_all =
                if cut_short { " (the message is so long that not all two mistakes were tried together)" } else { "" };
            tries = Some(format!("{count}{not_all}"));
        }
    }
    (answer, tries)
}

/// Why there is no signature, and whether there must be one.
fn unsigned(message: &Message) -> &'static str {
    if message.kind == Kind::RefundNotice {
        return "A refund notice is never signed: decrypt it with `payctl decrypt`, and believe only a refund query.";
    }
    match message.text("return_code") {
        Some(code) if code != "SUCCESS" => {
            "WeChat does not sign a return_code other than SUCCESS: it proves nothing; return_msg says what was wrong with the call."
        }
        _ => "There is no signature where every message has one: refuse it; before sending, sign it (`payctl sign`).",
    }
}

fn text(answer: &Answer, tries: Option<String>) -> String {
    let mut text = String::new();
    let mut line = |line: &str| text.extend([output::visible(line).as_str(), "\n"]);
    let type_and_key = || {
        let sign_type = answer.sign_type.map_or("", SignType::as_str);
        format!("{sign_type} and {}", answer.key.as_deref().unwrap_or("no key"))
    };
    match answer.verdict {
        "right" => line(&format!("right: {} with {}", answer.kind, type_and_key())),
        "unsigned" => line(&format!("unsigned: this {} has no signature", answer.kind)),
        _ => line(&format!("wrong: the signature of this {} does not match (签名错误)", answer.kind)),
    }
    if answer.verdict == "wrong" {
        line(&format!("  checked with  {}", type_and_key()));
        line(&format!("  signature     {}", answer.given.as_deref().unwrap_or_default()));
        if let Some(expected) = &answer.expected {
            line(&format!("  must be       {expected}"));
        }
        line(&format!("  over          {}", answer.string.as_deref().unwrap_or_default()));
        if let Some(signed) = answer.signed.as_ref().filter(|signed| Some(*signed) != answer.string.as_ref()) {
            line(&format!("  was made over {signed}"));
        }
    }
    for told in &answer.causes {
        line(&format!("cause: {}", told.says));
        line(&format!("  fix: {}", told.fix));
    }
    for told in &answer.alternatives {
        line(&format!("or:    {}", told.says));
        line(&format!("  fix: {}", told.fix));
    }
    if let Some(tries) = tries.filter(|_| answer.causes.is_empty()) {
        line(&format!(
            "cause: none of the mistakes that are known gives this signature; {tries} ways of signing were tried"
        ));
        line(
            "  fix: the content was changed after signing, or the key is another one: compare the text above with the one that the \
             signer hashed, character by character, and set the API v2 key again in the merchant platform if nothing differs",
        );
    }
    answer.hints.iter().for_each(|hint| line(&format!("hint:  {hint}")));
    answer.notes.iter().for_each(|note| line(&format!("note:  {note}")));
    text
}
