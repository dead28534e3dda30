//! What pay-gateway can be told.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use anyhow::ensure;
use svc_kit::{clock::ClockArgs, process::DRAIN_TIME, telemetry::TelemetryArgs};
use url::Url;

/// Most milliseconds of a call to a provider. A call that was accepted before a stop must end, and be answered, within the
/// 20 s that the process has to drain.
const MOST_MS: u64 = 15_000;
const _: () = assert!(Duration::from_millis(MOST_MS).as_millis() < DRAIN_TIME.as_millis());

/// WeChat's main host.
const MAIN: &str = "https://api.mch.weixin.qq.com";

/// WeChat's host in another region, for when the main one fails: the same paths, numbers and certificates.
const BACKUP: &str = "https://api2.mch.weixin.qq.com";

/// WeChat's face host.
const FACE: &str = "https://payapp.weixin.qq.com";

/// Everything pay-gateway can be told; `pay-gateway --help` prints it.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "pay-gateway", version, about = "The only process that talks to payment providers")]
pub struct Config {
    /// Where the gRPC server listens.
    #[arg(long, env, default_value = "0.0.0.0:50052")]
    pub listen: SocketAddr,

    /// Where `/livez`, `/readyz` and `/metrics` are served.
    #[arg(long, env, default_value = "0.0.0.0:9102")]
    pub admin_listen: SocketAddr,

    /// Directory of the merchant files; changes are followed while running.
    #[arg(long, env)]
    pub merchants_dir: PathBuf,

    /// Base URL of WeChat Pay API v2. Plain http is taken with a warning: it is for the sandbox.
    #[arg(long, env, default_value = MAIN)]
    pub wechat_v2_url: Url,

    /// Base URL to which calls go while the host of `WECHAT_V2_URL` fails. Without it <https://api2.mch.weixin.qq.com> when
    /// `WECHAT_V2_URL` is WeChat's main host, otherwise none; the same as `WECHAT_V2_URL` means none.
    #[arg(long, env)]
    pub wechat_v2_backup_url: Option<Url>,

    /// Base URL of the calls that need the merchant's client certificate (refunds), when WeChat's side takes them elsewhere.
    /// Without it, `WECHAT_V2_URL`.
    #[arg(long, env)]
    pub wechat_v2_cert_url: Option<Url>,

    /// The same as `WECHAT_V2_BACKUP_URL` for the calls that need the client certificate. Without it, what stands in for
    /// `WECHAT_V2_URL` when these calls go there too.
    #[arg(long, env)]
    pub wechat_v2_backup_cert_url: Option<Url>,

    /// PEM file of the authorities whose certificates WeChat's hosts may show, instead of the system's: for the sandbox.
    /// Certificates are verified with it as without it.
    #[arg(long, env)]
    pub wechat_v2_ca_file: Option<PathBuf>,

    /// Base URL of WeChat's login host, where mini programs' login codes are resolved.
    #[arg(long, env, default_value = "https://api.weixin.qq.com")]
    pub wechat_login_url: Url,

    /// Base URL of WeChat's face host, where face devices get what they start with. Without it <https://payapp.weixin.qq.com>, or
    /// `WECHAT_V2_URL` when that is plain http and so a sandbox.
    #[arg(long, env)]
    pub wechat_face_url: Option<Url>,

    /// Of how many calls in a thousand WeChat is told how they went (交易保障), in the background. 0 is none, 1000 is all.
    #[arg(long, env, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub wechat_report_per_mille: u16,

    /// The address, IPv4, that these reports say the calls came from.
    #[arg(long, env, default_value = "127.0.0.1")]
    pub wechat_report_ip: Ipv4Addr,

    /// Milliseconds that connecting to a provider may take, TLS included. At most 15000.
    #[arg(long, env, default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(1..=MOST_MS))]
    pub provider_connect_timeout_ms: u64,

    /// Milliseconds that a whole call to a provider may take; a caller's shorter deadline shortens it. At most 15000: a stop
    /// lets the calls under way end within 20 s.
    #[arg(long, env, default_value_t = 8_000, value_parser = clap::value_parser!(u64).range(1..=MOST_MS))]
    pub provider_timeout_ms: u64,

    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetryArgs,

    /// The clock.
    #[command(flatten)]
    pub clock: ClockArgs,
}

impl Config {
    /// Base URL of the calls that need the merchant's client certificate.
    pub fn wechat_v2_cert_url(&self) -> &Url {
        self.wechat_v2_cert_url.as_ref().unwrap_or(&self.wechat_v2_url)
    }

    /// Base URL for while the main host fails.
    pub fn wechat_v2_backup_url(&self) -> Option<Url> {
        backup(self.wechat_v2_backup_url.as_ref(), &self.wechat_v2_url)
    }

    /// Base URL of the calls that need the merchant's client certificate, for while their main host fails.
    pub fn wechat_v2_backup_cert_url(&self) -> Option<Url> {
        let main = self.wechat_v2_cert_url();
        if self.wechat_v2_backup_cert_url.is_none() && *main == self.wechat_v2_url {
            return self.wechat_v2_backup_url();
        }
        backup(self.wechat_v2_backup_cert_url.as_ref(), main)
    }

    /// Base URL of WeChat's face host.
    pub fn wechat_face_url(&self) -> Url {
        let of_wechat = || Url::parse(FACE).ok().filter(|_| self.wechat_v2_url.scheme() == "https");
        self.wechat_face_url.clone().or_else(of_wechat).unwrap_or_else(|| self.wechat_v2_url.clone())
    }

    /// How long connecting may take.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.provider_connect_timeout_ms)
    }

    /// How long one call may take.
    pub fn provider_timeout(&self) -> Duration {
        Duration::from_millis(self.provider_timeout_ms)
    }

    /// Refuses base URLs that requests cannot be made from, and warns of those that a stranger could listen to.
    ///
    /// # Errors
    /// One line that names the setting.
    pub fn check(&self) -> anyhow::Result<()> {
        base_url("WECHAT_V2_URL", &self.wechat_v2_url)?;
        for (setting, url) in [
            ("WECHAT_V2_CERT_URL", &self.wechat_v2_cert_url),
            ("WECHAT_V2_BACKUP_URL", &self.wechat_v2_backup_url),
            ("WECHAT_V2_BACKUP_CERT_URL", &self.wechat_v2_backup_cert_url),
            ("WECHAT_FACE_URL", &self.wechat_face_url),
        ] {
            if let Some(url) = url {
                base_url(setting, url)?;
            }
        }
        base_url("WECHAT_LOGIN_URL", &self.wechat_login_url)
    }
}

/// What stands in for `main`.
fn backup(told: Option<&Url>, main: &Url) -> Option<Url> {
    let of_wechat = || Url::parse(BACKUP).ok().filter(|_| Url::parse(MAIN).is_ok_and(|known| known == *main));
    told.cloned().or_else(of_wechat).filter(|backup| backup != main)
}

fn base_url(setting: &str, url: &Url) -> anyhow::Result<()> {
    let plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    ensure!(
        matches!(url.scheme(), "http" | "https") && url.has_host() && plain,
        "{setting} must be an http(s) URL without credentials, query and fragment, such as https://api.mch.weixin.qq.com"
    );
    if url.scheme() == "http" {
        tracing::warn!("{setting} is plain http: whoever is on the way reads and writes along; only for the sandbox");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::Config;

    fn parsed(arguments: &[&str]) -> Config {
        Config::try_parse_from([&["pay-gateway", "--merchants-dir", "merchants"], arguments].concat())
            .expect("settings")
    }

    #[test]
    fn the_defaults_are_the_providers_own_hosts() {
        let config = parsed(&[]);
        assert!(config.check().is_ok());
        assert_eq!(config.wechat_v2_url.as_str(), "https://api.mch.weixin.qq.com/");
        assert_eq!(config.listen.port(), 50052);
        assert_eq!(config.admin_listen.port(), 9102);
    }

    #[test]
    fn a_call_that_could_outlast_a_stop_is_refused() {
        for flag in ["--provider-timeout-ms", "--provider-connect-timeout-ms"] {
            assert!(Config::try_parse_from(["pay-gateway", "--merchants-dir", "merchants", flag, "15000"]).is_ok());
            let refused = Config::try_parse_from(["pay-gateway", "--merchants-dir", "merchants", flag, "15001"]);
            let refused = refused.expect_err("too long").to_string();
            assert!(refused.contains("15001") && refused.contains("15000"), "{refused}");
        }
    }

    #[test]
    fn a_base_url_with_credentials_query_or_another_scheme_is_refused() {
        for url in ["ftp://x.example", "https://user:word@x.example", "https://x.example/?a=b", "mailto:a@x.example"] {
            let refused = parsed(&["--wechat-v2-url", url]).check().expect_err(url).to_string();
            assert!(refused.starts_with("WECHAT_V2_URL must be"), "{refused}");
            for (flag, setting) in [
                ("--wechat-v2-cert-url", "WECHAT_V2_CERT_URL"),
                ("--wechat-v2-backup-url", "WECHAT_V2_BACKUP_URL"),
                ("--wechat-v2-backup-cert-url", "WECHAT_V2_BACKUP_CERT_URL"),
            ] {
                let refused = parsed(&[flag, url]).check().expect_err(url).to_string();
                assert!(refused.starts_with(&format!("{setting} must be")), "{refused}");
            }
        }
    }

    #[test]
    fn calls_with_a_certificate_go_where_the_others_go_unless_told_otherwise() {
        assert_eq!(
            parsed(&["--wechat-v2-url", "https://a.example"]).wechat_v2_cert_url().as_str(),
            "https://a.example/"
        );
        let apart = parsed(&["--wechat-v2-url", "http://a.example", "--wechat-v2-cert-url", "https://b.example"]);
        assert_eq!(apart.wechat_v2_cert_url().as_str(), "https://b.example/");
    }

    fn backups(arguments: &[&str]) -> [Option<String>; 2] {
        let config = parsed(arguments);
        [config.wechat_v2_backup_url(), config.wechat_v2_backup_cert_url()].map(|url| url.map(String::from))
    }

    #[test]
    fn wechats_main_host_has_wechats_backup_and_no_other_host_has_one_by_itself() {
        let wechats = || Some("https://api2.mch.weixin.qq.com/".to_owned());
        assert_eq!(backups(&[]), [wechats(), wechats()]);
        assert_eq!(backups(&["--wechat-v2-url", "http://127.0.0.1:9900"]), [None, None]);
        assert_eq!(backups(&["--wechat-v2-cert-url", "https://a.example"]), [wechats(), None]);
        let only_cert =
            ["--wechat-v2-url", "https://a.example", "--wechat-v2-cert-url", "https://api.mch.weixin.qq.com"];
        assert_eq!(backups(&only_cert), [None, wechats()]);
    }

    #[test]
    fn a_backup_is_what_is_set_and_the_main_host_itself_is_none() {
        let [b, c] = ["https://b.example/", "https://c.example/"].map(|url| Some(url.to_owned()));
        assert_eq!(backups(&["--wechat-v2-backup-url", "https://b.example"]), [b.clone(), b.clone()]);
        let both = ["--wechat-v2-backup-url", "https://b.example", "--wechat-v2-backup-cert-url", "https://c.example"];
        assert_eq!(backups(&both), [b, c]);
        assert_eq!(backups(&["--wechat-v2-backup-url", "https://api.mch.weixin.qq.com"]), [None, None]);
    }

    #[test]
    fn no_call_is_reported_unless_somebody_asks_for_it() {
        let config = parsed(&[]);
        assert_eq!((config.wechat_report_per_mille, config.wechat_report_ip.to_string()), (0, "127.0.0.1".to_owned()));
        let all = ["--wechat-report-per-mille", "1000", "--wechat-report-ip", "203.0.113.1"];
        assert_eq!(parsed(&all).wechat_report_per_mille, 1000);
        for wrong in [["--wechat-report-per-mille", "1001"], ["--wechat-report-ip", "2001:db8::1"]] {
            let settings = [&["pay-gateway", "--merchants-dir", "merchants"], &wrong[..]].concat();
            assert!(Config::try_parse_from(settings).is_err(), "{wrong:?}");
        }
        assert!(parsed(&["--wechat-face-url", "ftp://x.example"]).check().is_err());
    }

    #[test]
    fn the_face_host_is_wechats_own_unless_a_sandbox_is_asked() {
        assert_eq!(parsed(&[]).wechat_face_url().as_str(), "https://payapp.weixin.qq.com/");
        let sandbox = ["--wechat-v2-url", "http://127.0.0.1:9900"];
        assert_eq!(parsed(&sandbox).wechat_face_url().as_str(), "http://127.0.0.1:9900/");
        let apart = [&sandbox[..], &["--wechat-face-url", "https://f.example"]].concat();
        assert_eq!(parsed(&apart).wechat_face_url().as_str(), "https://f.example/");
    }

    #[test]
    fn plain_http_is_taken() {
        assert!(parsed(&["--wechat-login-url", "http://127.0.0.1:9900"]).check().is_ok());
    }
}
