use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use secrecy::SecretString;
use sha2::{Digest, Sha256};
use wechat_pay::v2::sign::{ApiKey, SignType};

use crate::{
    Account, App, AppKind, ClientIdentity, FaceApi, LoadError, Merchant, MerchantName, Mistake, NoticeKind, Provider,
    SubMerchant, Surplus, WechatV2Account,
    directory::{Content, Snapshot},
    fields::Fields,
    merchant::base_url,
};

/// WeChat's cap on `notify_url`, in characters.
const MAX_NOTIFY_URL: usize = 256;

/// WeChat's cap on `mch_id` and `appid`, in characters.
const MAX_ID: usize = 32;

/// Providers that we know of but cannot serve; their merchants are refused with that reason.
const PLANNED_PROVIDERS: [&str; 2] = ["wechat-v3", "huifu"];

/// Builds every merchant of the directory.
///
/// # Errors
/// Every mistake of every file, and the mistakes that only show when files are compared.
pub(crate) fn merchants(snapshot: &Snapshot) -> Result<BTreeMap<MerchantName, Arc<Merchant>>, LoadError> {
    let mut mistakes = Vec::new();
    let mut claims = Claims::default();
    let mut merchants = BTreeMap::new();
    let files: Vec<_> = snapshot.names().filter_map(|file| Some((file, file.strip_suffix(".toml")?))).collect();
    for (file, stem) in &files {
        if let Some(merchant) = merchant(file, stem, snapshot, &mut claims, &mut mistakes) {
            merchants.insert(merchant.name.clone(), Arc::new(merchant));
        }
    }
    if files.is_empty() {
        let problem = "the directory holds no merchant file".to_owned();
        let fix = "add one <merchant>.toml per merchant account, or correct MERCHANTS_DIR".to_owned();
        mistakes.push(Mistake { file: "*.toml".to_owned(), field: String::new(), problem, fix });
    }
    if mistakes.is_empty() { Ok(merchants) } else { Err(LoadError::new(mistakes)) }
}

/// What only one merchant may have, with the file that had it first.
#[derive(Default)]
struct Claims {
    numbers: BTreeMap<Number, String>,
    keys: BTreeMap<[u8; 32], KeyClaim>,
}

/// What the provider knows an account by: its number, and the sub-merchant's in service-provider mode.
type Number = (Provider, String, Option<String>);

/// Where a key was seen first.
struct KeyClaim {
    place: String,
    /// The service provider whose key it is. Its sub-merchants share it.
    service_provider: Option<String>,
}

fn merchant(
    file: &str,
    stem: &str,
    snapshot: &Snapshot,
    claims: &mut Claims,
    mistakes: &mut Vec<Mistake>,
) -> Option<Merchant> {
    let whole_file = |problem: String, fix: &str| Mistake {
        file: file.to_owned(),
        field: String::new(),
        problem,
        fix: fix.to_owned(),
    };
    let name = MerchantName::parse(stem).ok();
    if name.is_none() {
        let fix = "rename it to <merchant>.toml, where the merchant is 1 to 32 characters of a-z, 0-9 and '-'";
        mistakes.push(whole_file("the file name is not a merchant's".to_owned(), fix));
    }
    let text = match snapshot.get(file)? {
        Content::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        Content::TooLarge => {
            mistakes.push(whole_file("the file is too large".to_owned(), "keep it under 64 KiB"));
            return None;
        }
        Content::Unreadable(kind) => {
            mistakes.push(whole_file(format!("the file cannot be read ({kind})"), "let this process read it"));
            return None;
        }
    };
    let Some(text) = text else {
        mistakes.push(whole_file("the file is not UTF-8".to_owned(), "save it as UTF-8 text"));
        return None;
    };
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            // Only the place and the rule are told, because the line itself may hold a secret.
            let line = error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
            mistakes.push(whole_file(format!("line {line} is not TOML"), error.message()));
            return None;
        }
    };
    let mut fields = Fields::new(file, String::new(), table, snapshot);
    let provider = provider(&mut fields, mistakes);
    let notify_base_url = fields.parsed(
        "notify_base_url",
        "write the public address of notify-svc, such as \"https://pay.example.com\", without query or fragment",
        |text| base_url(&text),
        mistakes,
    );
    let surplus = surplus(&mut fields, mistakes);
    let account = match provider {
        Some(Provider::WechatV2) => wechat_v2(&mut fields, claims, mistakes).map(Account::WechatV2),
        // Which other fields are right depends on the provider, so they are left alone.
        None => return None,
    };
    let merchant = match (name, notify_base_url, account) {
        (Some(name), Some(notify_base_url), Some(account)) => {
            Some(Merchant { name, notify_base_url, surplus, account })
        }
        _ => None,
    };
    if let Some(merchant) = &merchant
        && merchant.notify_url(NoticeKind::Payment).len() > MAX_NOTIFY_URL
    {
        let problem = format!("makes a notify_url of more than {MAX_NOTIFY_URL} characters");
        mistakes.push(fields.mistake("notify_base_url", &problem, "use a shorter address"));
    }
    fields.finish(mistakes);
    merchant
}

fn provider(fields: &mut Fields<'_>, mistakes: &mut Vec<Mistake>) -> Option<Provider> {
    let word = fields.required("provider", "write \"wechat-v2\"", mistakes)?;
    let known = Provider::ALL.iter().find(|(_, spelling)| *spelling == word).map(|(provider, _)| *provider);
    if known.is_none() {
        let planned = PLANNED_PROVIDERS.contains(&word.as_str());
        let problem = if planned { "names a provider that is not supported yet" } else { "names an unknown provider" };
        mistakes.push(fields.mistake("provider", problem, "write \"wechat-v2\" or move the file elsewhere"));
    }
    known
}

/// The policy for surplus money. A wrong word is a mistake, so what stands in for it is never in force.
fn surplus(fields: &mut Fields<'_>, mistakes: &mut Vec<Mistake>) -> Surplus {
    let written = if fields.has("surplus") { fields.choice("surplus", &Surplus::ALL, mistakes) } else { None };
    written.unwrap_or_default()
}

fn wechat_v2(fields: &mut Fields<'_>, claims: &mut Claims, mistakes: &mut Vec<Mistake>) -> Option<WechatV2Account> {
    let fix = "write the merchant number, 1 to 32 digits in quotes";
    let mch_id = fields.parsed("mch_id", fix, digits, mistakes);
    let is_sub_merchant = fields.has("sub_mch_id");
    let sub_merchant = sub_merchant(fields, mistakes);
    if let Some(mch_id) = &mch_id
        && is_sub_merchant == sub_merchant.is_some()
    {
        let number = (Provider::WechatV2, mch_id.clone(), sub_merchant.as_ref().map(|sub| sub.sub_mch_id.clone()));
        if let Some(earlier) = claims.numbers.insert(number, fields.file().to_owned()) {
            let (field, problem) = if is_sub_merchant {
                ("sub_mch_id", format!("is also the sub-merchant of that mch_id in {earlier}"))
            } else {
                ("mch_id", format!("is also the merchant number in {earlier}"))
            };
            mistakes.push(fields.mistake(field, &problem, "keep one file per merchant account"));
        }
    }
    let sign_types = SignType::ALL.map(|kind| (kind, kind.as_str()));
    let sign_type = fields.choice("sign_type", &sign_types, mistakes);
    let previous = "previous_sign_type";
    let previous_sign_type = if fields.has(previous) { fields.choice(previous, &sign_types, mistakes) } else { None };
    if previous_sign_type.is_some() && previous_sign_type == sign_type {
        let fix = "write the type that orders were placed with before, or remove the line when the change is over";
        mistakes.push(fields.mistake(previous, "is the same as sign_type", fix));
    }
    if !fields.has("api_key_file") {
        let fix = "write the name of a file beside this one that holds the API v2 key";
        mistakes.push(fields.mistake("api_key_file", "is missing", fix));
    }
    let service_provider = mch_id.as_deref().filter(|_| is_sub_merchant);
    let api_key = api_key("api_key_file", service_provider, fields, claims, mistakes);
    let previous_api_key = self::api_key("previous_api_key_file", service_provider, fields, claims, mistakes);
    let client_identity = client_identity(fields, mistakes);
    let face_api = if fields.has("face_api") { fields.choice("face_api", &FaceApi::ALL, mistakes) } else { None };
    let apps = apps(fields, mistakes);
    let (mch_id, sign_type, api_key) = (mch_id?, sign_type?, api_key?);
    Some(WechatV2Account {
        mch_id,
        sub_merchant,
        sign_type,
        previous_sign_type,
        api_key,
        previous_api_key,
        apps,
        client_identity,
        face_api: face_api.unwrap_or_default(),
    })
}

/// For whom a service provider runs the account. Both fields, or neither.
fn sub_merchant(fields: &mut Fields<'_>, mistakes: &mut Vec<Mistake>) -> Option<SubMerchant> {
    let (number, app) = ("sub_mch_id", "service_provider_app_id");
    let (has_number, has_app) = (fields.has(number), fields.has(app));
    if fields.has("sub_app_id") {
        let fix = "name the app that opens the cashier as app_id of an [[apps]] section, and the service provider's own as \
                   service_provider_app_id";
        fields.refuse("sub_app_id", "is not written here", fix, mistakes);
    }
    if !has_number && !has_app {
        return None;
    }
    let fix = "write the sub-merchant's number, 1 to 32 digits in quotes, or remove service_provider_app_id";
    let sub_mch_id = fields.parsed(number, fix, digits, mistakes);
    let fix = "write the service provider's own app id, such as \"wxd930ea5d5a258f4f\", or remove sub_mch_id";
    let service_provider_app_id = fields.parsed(app, fix, letters_and_digits, mistakes);
    Some(SubMerchant { sub_mch_id: sub_mch_id?, service_provider_app_id: service_provider_app_id? })
}

fn api_key(
    field: &str,
    service_provider: Option<&str>,
    fields: &mut Fields<'_>,
    claims: &mut Claims,
    mistakes: &mut Vec<Mistake>,
) -> Option<ApiKey> {
    let text = fields.file_text(field, mistakes)?;
    // Whoever knows a key can sign for every account that uses it, so a callback of one could be replayed to another. The
    // sub-merchants of one service provider have no keys of their own; their messages are told apart by sub_mch_id.
    let place = format!("{} in {}", field, fields.file());
    let claim = KeyClaim { place, service_provider: service_provider.map(str::to_owned) };
    if let Some(earlier) = claims.keys.insert(Sha256::digest(&text).into(), claim)
        && (service_provider.is_none() || service_provider != earlier.service_provider.as_deref())
    {
        let problem = format!("holds the same key as {}", earlier.place);
        mistakes.push(fields.mistake(field, &problem, "give every account a key of its own"));
    }
    let key = ApiKey::parse(&text).ok();
    if key.is_none() {
        let fix = "put the 32 characters of the API v2 key into that file, and nothing else";
        mistakes.push(fields.mistake(field, "names a file that holds no API v2 key", fix));
    }
    key
}

fn client_identity(fields: &mut Fields<'_>, mistakes: &mut Vec<Mistake>) -> Option<ClientIdentity> {
    let (certificate, key) = ("client_cert_file", "client_key_file");
    let (has_certificate, has_key) = (fields.has(certificate), fields.has(key));
    let mut pem = |field: &str, label: &str| {
        let text = fields.file_text(field, mistakes)?;
        if !text.contains(label) {
            let fix = "export the certificate and its key as two PEM files";
            mistakes.push(fields.mistake(field, "names a file that is not PEM of the right kind", fix));
        }
        Some(text)
    };
    let certificate_pem = pem(certificate, "-----BEGIN CERTIFICATE-----");
    let key_pem = pem(key, "PRIVATE KEY-----");
    if has_certificate != has_key {
        let (missing, present) = if has_key { (certificate, key) } else { (key, certificate) };
        let fix = format!("add it, or remove {present}");
        mistakes.push(fields.mistake(missing, "is missing", &fix));
    }
    Some(ClientIdentity { certificate_pem: certificate_pem?, key_pem: SecretString::from(key_pem?) })
}

fn apps(fields: &mut Fields<'_>, mistakes: &mut Vec<Mistake>) -> Vec<App> {
    let tables = fields.tables("apps", "add an [[apps]] section with app_id and kind", mistakes);
    let mut seen = BTreeSet::new();
    let mut apps = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        let mut fields = fields.inside(format!("apps[{index}]."), table);
        let fix = "write the app's id, such as \"wxd930ea5d5a258f4f\"";
        let app_id = fields.parsed("app_id", fix, letters_and_digits, mistakes);
        if let Some(app_id) = &app_id
            && !seen.insert(app_id.clone())
        {
            mistakes.push(fields.mistake("app_id", "is listed twice", "keep one section per app"));
        }
        let kind = fields.choice("kind", &AppKind::ALL, mistakes);
        let app_secret = fields.file_text("app_secret_file", mistakes);
        if app_secret.as_ref().is_some_and(|secret| letters_and_digits(secret.clone()).is_none()) {
            let fix = "put the app secret into that file, letters and digits, and nothing else";
            mistakes.push(fields.mistake("app_secret_file", "names a file that holds no app secret", fix));
        }
        fields.finish(mistakes);
        if let (Some(app_id), Some(kind)) = (app_id, kind) {
            apps.push(App { app_id, kind, app_secret: app_secret.map(SecretString::from) });
        }
    }
    apps
}

fn digits(text: String) -> Option<String> {
    ((1..=MAX_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

fn letters_and_digits(text: String) -> Option<String> {
    ((1..=MAX_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(text)
}
