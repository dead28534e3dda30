//! What each process is told, and nothing else: the environment of the test never reaches it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Addresses, Link, Links, Options, Part};
use crate::{nats, ports::Port, postgres, programs};

/// A world before it starts.
#[derive(Debug)]
pub struct Plan {
    /// Where logs, settings and data go. It is made when it is not there.
    pub folder: PathBuf,
    /// Where the data of Postgres goes.
    pub postgres_data: PathBuf,
    /// Whether that data outlives the world.
    pub keep: bool,
    /// Where everybody listens.
    pub addresses: Addresses,
    /// What is unusual.
    pub options: Options,
    /// The proxies of the links that are not direct; they open when the world begins.
    pub links: Links,
}

impl Plan {
    /// A world on free ports that leaves nothing but its logs.
    pub fn temporary(folder: &Path, options: Options) -> Self {
        let postgres_data = postgres::temporary_data(folder);
        let (addresses, links) = (Addresses::free(), Links::default());
        Self { folder: folder.to_owned(), postgres_data, keep: false, addresses, options, links }
    }

    /// Puts a private copy of the development merchants, teams and people into the folder.
    pub(super) fn copy_files(&self) {
        let (from, merchants) = (programs::workspace().join("deploy/dev"), self.merchants());
        fs::create_dir_all(&merchants).expect("the world's folder can be written");
        for file in ["apps.toml", "people.toml"] {
            fs::copy(from.join(file), self.folder.join(file)).expect("the file is in the checkout");
        }
        for entry in fs::read_dir(from.join("merchants")).expect("the folder is in the checkout") {
            let entry = entry.expect("the folder can be read");
            fs::copy(entry.path(), merchants.join(entry.file_name())).expect("the world's folder can be written");
        }
    }

    /// The command that starts one of our programs.
    pub(super) fn command(&self, part: Part) -> Command {
        let mut command = Command::new(programs::ours(part.program()));
        command.env_clear();
        for kept in ["PATH", "HOME"] {
            if let Some(value) = env::var_os(kept) {
                command.env(kept, value);
            }
        }
        let at = &self.addresses;
        command.env("LOG_FORMAT", "text").env("RUST_LOG", "info");
        match part {
            Part::Postgres | Part::Nats => panic!("{part} is not one of ours"),
            Part::Sandbox => {
                command
                    .env("SANDBOX_LISTEN", at.sandbox.address())
                    .env("NOTIFY_URL", self.way(Link::SandboxToNotifySvc).url());
                command.env("MERCHANTS_DIR", self.merchants());
                command.env("SANDBOX_TLS_LISTEN", at.sandbox_tls.address()).env("SANDBOX_TLS_DIR", certificates());
                // A busy machine is no reason to give a callback up: only the story decides when time passes.
                command.env("SANDBOX_CALLBACK_TIMEOUT_MS", "30000");
            }
            Part::PayGateway => {
                self.clock(command.env("LISTEN", at.gateway.address()).env("ADMIN_LISTEN", at.gateway_admin.address()));
                let wechat = self.way(Link::PayGatewayToSandbox).url();
                command.env("WECHAT_V2_URL", &wechat).env("WECHAT_LOGIN_URL", &wechat);
                command.env("WECHAT_V2_CERT_URL", at.sandbox_tls.tls_url());
                command.env("WECHAT_V2_CA_FILE", certificates().join("ca.pem"));
                command.env("MERCHANTS_DIR", self.merchants());
            }
            Part::NotifySvc => {
                command.env("LISTEN", at.notify.address()).env("ADMIN_LISTEN", at.notify_admin.address());
                self.bus(&mut command, Link::NotifySvcToNats);
                command.env("MERCHANTS_DIR", self.merchants());
                command.env("REQUEST_TIME_MS", "15000").env("PUBLISH_TIME_MS", "12000");
            }
            Part::OrderSvc => {
                self.clock(command.env("LISTEN", at.order.address()).env("ADMIN_LISTEN", at.order_admin.address()));
                self.bus(&mut command, Link::OrderSvcToNats);
                command.env("ORDER_DATABASE_URL", self.database(Link::OrderSvcToPostgres, "orders"));
                command.env("GATEWAY_URL", self.way(Link::OrderSvcToPayGateway).url());
                command.env("APPS_FILE", self.folder.join("apps.toml"));
                command.env("ASK_SCHEDULE", &self.options.ask_schedule);
                command.env("CLOSE_MIN_AGE_S", self.options.close_min_age_s.to_string());
            }
            Part::ReconcileSvc => {
                command.env("LISTEN", at.reconcile.address()).env("REPORT_LISTEN", at.report.address());
                self.clock(command.env("ADMIN_LISTEN", at.reconcile_admin.address()));
                self.bus(&mut command, Link::ReconcileSvcToNats);
                command.env("RECONCILE_DATABASE_URL", self.database(Link::ReconcileSvcToPostgres, "reconcile"));
                command.env("GATEWAY_URL", self.way(Link::ReconcileSvcToPayGateway).url());
                command.env("SCHEDULE", self.options.reconcile_by_itself.to_string());
                command.env("PEOPLE_FILE", self.folder.join("people.toml"));
            }
        }
        let more = self.options.settings.iter().filter(|(of, ..)| *of == part);
        command.envs(more.map(|(_, variable, value)| (variable, value)));
        command
    }

    /// Where one of our programs tells whether it is ready.
    pub(super) fn ready_url(&self, part: Part) -> String {
        match self.admin_url(part) {
            Some(admin) => format!("{admin}/readyz"),
            // The sandbox has no admin pages; it is ready when its clock goes.
            None => format!("{}/_sandbox/clock", self.addresses.sandbox.url()),
        }
    }

    /// The admin pages of a part that has them.
    pub(super) fn admin_url(&self, part: Part) -> Option<String> {
        let at = &self.addresses;
        match part {
            Part::Postgres | Part::Nats | Part::Sandbox => None,
            Part::PayGateway => Some(at.gateway_admin.url()),
            Part::NotifySvc => Some(at.notify_admin.url()),
            Part::OrderSvc => Some(at.order_admin.url()),
            Part::ReconcileSvc => Some(at.reconcile_admin.url()),
        }
    }

    pub(super) fn log(&self, part: Part) -> PathBuf {
        self.folder.join(format!("{part}.log"))
    }

    fn merchants(&self) -> PathBuf {
        self.folder.join("merchants")
    }

    fn way(&self, link: Link) -> &Port {
        self.links.way(link, &self.addresses)
    }

    fn database(&self, link: Link, name: &str) -> String {
        postgres::url(self.way(link).number(), name)
    }

    fn clock(&self, command: &mut Command) {
        let clock = format!("{}/_sandbox/clock", self.addresses.sandbox.url());
        command.env("ENVIRONMENT", "development").env("CLOCK_URL", clock);
    }

    fn bus(&self, command: &mut Command, link: Link) {
        command.env("NATS_URL", nats::url(self.way(link)));
        command.env("NATS_MONITOR_URL", self.addresses.nats_monitor.url());
    }
}

/// Who the sandbox is over TLS, and whom it believes.
fn certificates() -> PathBuf {
    programs::workspace().join("deploy/dev/sandbox")
}
