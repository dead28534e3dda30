//! `payctl order pay`.

use std::path::PathBuf;

use anyhow::{bail, ensure};
use proto::order::v1::{
    Face, H5, H5AndroidApp, H5IosApp, H5Page, Jsapi, MiniProgram, Native, NativeApp, PayCode, PayOrderRequest,
    h5::Scene, jsapi, mini_program, pay_order_request::Method,
};

use super::{Connection, Done, RequestId, show};
use crate::input;

/// Largest file of a pay code: its digits, and blanks around them.
const MOST_CODE_BYTES: u64 = 64;

/// What a terminal on this machine would say; good for the sandbox.
const HERE: &str = "127.0.0.1";

/// What `payctl order pay` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct PayArgs {
    /// The order: `orders/{uuid}`, its UUID, or the team's own number.
    order: String,
    /// The payer's address as the team sees it; 127.0.0.1 when absent, which only a sandbox believes. H5: the public address of the
    /// payer's browser, which must be given.
    #[arg(long, global = true)]
    payer_ip: Option<String>,
    /// Under which of the merchant's apps; needed when it has several of the kind.
    #[arg(long, global = true)]
    app_id: Option<String>,
    #[command(flatten)]
    request: RequestId,
    #[command(subcommand)]
    method: MethodArgs,
}

/// How it is paid.
#[derive(Debug, clap::Subcommand)]
enum MethodArgs {
    /// In a mini program: prints the parameters of `wx.requestPayment`.
    MiniProgram {
        /// The payer under that mini program.
        #[arg(long, required_unless_present = "login_code")]
        openid: Option<String>,
        /// What `wx.login` gave, instead.
        #[arg(long, conflicts_with = "openid")]
        login_code: Option<String>,
    },
    /// In a page inside WeChat: prints the parameters of `WeixinJSBridge`.
    Jsapi {
        /// The payer under that official account.
        #[arg(long, required_unless_present = "oauth_code")]
        openid: Option<String>,
        /// What the OAuth redirect gave, instead.
        #[arg(long, conflicts_with = "openid")]
        oauth_code: Option<String>,
    },
    /// By scanning: prints the QR code.
    Native {
        /// What is sold, in the team's words; the order's id when absent.
        #[arg(long)]
        product_id: Option<String>,
    },
    /// In a native app: prints the parameters of WeChat's SDK.
    App,
    /// In a browser outside WeChat: prints the link that opens it.
    H5(H5Args),
    /// By the payer's pay code, which a terminal scanned.
    PayCode {
        /// The 18 digits; `-` reads them from stdin, where no list of processes and no history of commands shows them.
        #[arg(long, value_name = "CODE", required_unless_present = "auth_code_file")]
        auth_code: Option<String>,
        /// A file that holds the 18 digits and nothing else, instead.
        #[arg(long, value_name = "FILE", conflicts_with = "auth_code")]
        auth_code_file: Option<PathBuf>,
    },
    /// By the payer's face.
    Face {
        /// What the device's SDK gave.
        #[arg(long)]
        face_code: String,
        /// The payer, for WeChat's older face API.
        #[arg(long)]
        openid: Option<String>,
    },
}

/// From where an H5 payer comes: a page or one of the two kinds of app.
#[derive(Debug, clap::Args)]
struct H5Args {
    /// The name of the page or app.
    #[arg(long)]
    name: String,
    /// The page's address.
    #[arg(long, group = "scene", required = true)]
    page_url: Option<String>,
    /// The iOS app's bundle id.
    #[arg(long, group = "scene")]
    ios_bundle_id: Option<String>,
    /// The Android app's package name.
    #[arg(long, group = "scene")]
    android_package: Option<String>,
    /// Where the browser returns to, paid or not.
    #[arg(long)]
    redirect_url: Option<String>,
}

pub(super) async fn run(connection: &mut Connection, args: &PayArgs) -> anyhow::Result<Done> {
    let method = method(&args.method, args.app_id.clone().unwrap_or_default())?;
    let browser = matches!(method, Method::H5(_));
    ensure!(
        !browser || args.payer_ip.is_some(),
        "--payer-ip is missing: WeChat compares it with the browser's public address"
    );
    let name = connection.order_name(&args.order).await?;
    let request = PayOrderRequest {
        request_id: args.request.told(),
        name,
        payer_ip: args.payer_ip.clone().unwrap_or_else(|| HERE.to_owned()),
        method: Some(method),
    };
    let opened = connection.orders.pay_order(request).await?.into_inner();
    Done::of(&opened, show::opened(&opened)?)
}

fn method(args: &MethodArgs, app_id: String) -> anyhow::Result<Method> {
    Ok(match args {
        MethodArgs::MiniProgram { openid, login_code } => {
            use mini_program::Payer;
            let payer = openid.clone().map(Payer::Openid).or_else(|| login_code.clone().map(Payer::LoginCode));
            Method::MiniProgram(MiniProgram { app_id, payer })
        }
        MethodArgs::Jsapi { openid, oauth_code } => {
            use jsapi::Payer;
            let payer = openid.clone().map(Payer::Openid).or_else(|| oauth_code.clone().map(Payer::OauthCode));
            Method::Jsapi(Jsapi { app_id, payer })
        }
        MethodArgs::Native { product_id } => {
            let product_id = product_id.clone().unwrap_or_default();
            Method::Native(Native { app_id, product_id, images: Vec::new() })
        }
        MethodArgs::App => Method::App(NativeApp { app_id }),
        MethodArgs::H5(h5) => Method::H5(h5.message(app_id)?),
        MethodArgs::PayCode { auth_code, auth_code_file } => {
            let auth_code = match (auth_code, auth_code_file) {
                (Some(code), _) if code != "-" => code.clone(),
                (_, file) => scanned(file.as_ref())?,
            };
            Method::PayCode(PayCode { app_id, auth_code })
        }
        MethodArgs::Face { face_code, openid } => {
            let openid = openid.clone().unwrap_or_default();
            Method::Face(Face { app_id, face_code: face_code.clone(), openid })
        }
    })
}

/// The pay code in a file; without one, on stdin. What was read is never told: it pays.
fn scanned(file: Option<&PathBuf>) -> anyhow::Result<String> {
    let place = file.map_or_else(|| "stdin".to_owned(), |file| input::name(file));
    let text = String::from_utf8(input::read(file, MOST_CODE_BYTES)?).unwrap_or_default();
    let code = text.trim();
    ensure!(
        !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit()),
        "{place} holds no pay code: write its 18 digits and nothing else"
    );
    Ok(code.to_owned())
}

impl H5Args {
    fn message(&self, app_id: String) -> anyhow::Result<H5> {
        let name = self.name.clone();
        let scene = match (&self.page_url, &self.ios_bundle_id, &self.android_package) {
            (Some(url), None, None) => Scene::Page(H5Page { url: url.clone(), name }),
            (None, Some(bundle_id), None) => Scene::IosApp(H5IosApp { name, bundle_id: bundle_id.clone() }),
            (None, None, Some(package)) => Scene::AndroidApp(H5AndroidApp { name, package_name: package.clone() }),
            _ => bail!("name one of --page-url, --ios-bundle-id and --android-package"),
        };
        Ok(H5 { app_id, redirect_url: self.redirect_url.clone().unwrap_or_default(), scene: Some(scene) })
    }
}
