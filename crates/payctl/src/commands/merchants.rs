//! `payctl merchants check`.

mod expiry;

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use ::merchants::{AppKind, LoadError, Merchant, Merchants, Mistake};
use jiff::Timestamp;
use serde::Serialize;

use crate::output;

/// What `payctl merchants` can be told.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum MerchantsCommand {
    /// Check a directory of merchant files as the services read it: every mistake at once, one a line; or a table of the accounts.
    Check(CheckArgs),
}

/// What `payctl merchants check` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The directory.
    #[arg(env = "MERCHANTS_DIR")]
    dir: PathBuf,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    good: bool,
    mistakes: Vec<Told>,
    merchants: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Told {
    file: String,
    field: String,
    problem: String,
    fix: String,
}

/// One account, without anything secret.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    provider: &'static str,
    mch_id: String,
    sub_mch_id: Option<String>,
    sign_types: Vec<&'static str>,
    apps: Vec<App>,
    /// How it can take money.
    methods: Vec<&'static str>,
    can_refund: bool,
    /// When the client certificate ends; absent without one, and when it cannot be read.
    certificate_expires: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct App {
    #[serde(rename = "app_id")]
    id: String,
    kind: &'static str,
    can_log_in: bool,
}

/// Checks, and prints what is there or what is wrong.
pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let loaded = Merchants::load(&args.dir);
    let mistakes = loaded.as_ref().err().map(LoadError::mistakes).unwrap_or_default();
    let report = Report {
        good: loaded.is_ok(),
        mistakes: mistakes.iter().map(Told::of).collect(),
        merchants: loaded.iter().flat_map(Merchants::list).map(|merchant| Row::of(&merchant)).collect(),
    };
    if args.json {
        output::print_json(&report)?;
    } else {
        output::print(&text(&report, mistakes))?;
    }
    Ok(if report.good { output::GOOD } else { output::no() })
}

impl Told {
    fn of(mistake: &Mistake) -> Told {
        let Mistake { file, field, problem, fix } = mistake.clone();
        Told { file, field, problem, fix }
    }
}

impl Row {
    fn of(merchant: &Merchant) -> Row {
        let account = merchant.wechat_v2();
        let sign_types = account.map(::merchants::WechatV2Account::notice_sign_types).unwrap_or_default();
        let identity = account.and_then(|account| account.client_identity.as_ref());
        let apps = merchant.apps().iter().map(|app| App {
            id: app.app_id.clone(),
            kind: app.kind.as_str(),
            can_log_in: app.app_secret.is_some(),
        });
        Row {
            name: merchant.name.to_string(),
            provider: merchant.provider().as_str(),
            mch_id: merchant.mch_id().to_owned(),
            sub_mch_id: merchant.sub_mch_id().map(str::to_owned),
            sign_types: sign_types.into_iter().map(wechat_pay::v2::SignType::as_str).collect(),
            apps: apps.collect(),
            methods: methods(merchant),
            can_refund: identity.is_some(),
            certificate_expires: identity.and_then(|identity| expiry::of_pem(&identity.certificate_pem)),
        }
    }
}

/// The methods for which the account has what they need: an app of the kind, or, for pay codes and faces, a client certificate,
/// because what could not be reversed is not started. Native works under any app.
fn methods(merchant: &Merchant) -> Vec<&'static str> {
    let mut methods = Vec::new();
    for (kind, method) in
        [(AppKind::MiniProgram, "mini_program"), (AppKind::OfficialAccount, "jsapi"), (AppKind::App, "app")]
    {
        if merchant.app_of_kind(kind).is_some() {
            methods.push(method);
        }
    }
    if merchant.app_of_kind(AppKind::Web).is_some() || merchant.apps().len() == 1 {
        methods.push("h5");
    }
    methods.push("native");
    if merchant.wechat_v2().is_some_and(|account| account.client_identity.is_some()) {
        methods.extend(["pay_code", "face"]);
    }
    methods
}

fn text(report: &Report, mistakes: &[Mistake]) -> String {
    let mut text = String::new();
    for mistake in mistakes {
        // A text takes everything.
        let _ = writeln!(text, "{mistake}");
    }
    if report.good {
        let header =
            ["merchant", "mch_id", "sub_mch_id", "sign type", "refunds", "certificate ends", "methods", "apps"];
        text.push_str(&output::table(&header, &report.merchants.iter().map(cells).collect::<Vec<_>>()));
    }
    text
}

fn cells(row: &Row) -> Vec<String> {
    let apps: Vec<String> = row.apps.iter().map(|app| format!("{} ({})", app.id, app.kind)).collect();
    let ends = match row.certificate_expires {
        Some(at) => at.strftime("%Y-%m-%d").to_string(),
        None if row.can_refund => "unknown".to_owned(),
        None => "-".to_owned(),
    };
    vec![
        row.name.clone(),
        row.mch_id.clone(),
        row.sub_mch_id.clone().unwrap_or_else(|| "-".to_owned()),
        row.sign_types.join(", "),
        if row.can_refund { "yes".to_owned() } else { "no certificate".to_owned() },
        ends,
        row.methods.join(","),
        apps.join(" "),
    ]
}
