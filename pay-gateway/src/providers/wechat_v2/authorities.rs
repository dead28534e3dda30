//! Whose certificates WeChat's hosts may show. There is no way to believe none in particular.

use std::path::Path;

use anyhow::{Context as _, ensure};
use reqwest::{Certificate, ClientBuilder};

/// Whose certificates are believed.
#[derive(Clone, Debug)]
pub(super) enum Authorities {
    /// The system's authorities.
    System,
    /// These, instead of the system's.
    Only(Vec<Certificate>),
    /// Nobody, because no base URL is https: loading the system's costs memory that such a process does not need.
    Nobody,
}

impl Authorities {
    /// Reads the file that `WECHAT_V2_CA_FILE` names.
    ///
    /// # Errors
    /// One line that names the setting and the file.
    pub(super) fn read(file: &Path) -> anyhow::Result<Authorities> {
        let name = format!("WECHAT_V2_CA_FILE {}", file.display());
        let pem = std::fs::read(file).with_context(|| format!("{name} cannot be read"))?;
        let certificates = Certificate::from_pem_bundle(&pem)
            .with_context(|| format!("{name} holds something that is no certificate in PEM form"))?;
        ensure!(!certificates.is_empty(), "{name} holds no certificate in PEM form");
        Ok(Authorities::Only(certificates))
    }

    /// Tells a client whom to believe.
    pub(super) fn believed_by(&self, client: ClientBuilder) -> ClientBuilder {
        match self {
            Authorities::System => client,
            Authorities::Only(certificates) => client.tls_certs_only(certificates.iter().cloned()),
            Authorities::Nobody => client.tls_certs_only([]),
        }
    }

    /// What to do when no client can be made.
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Authorities::Only(_) => "put only certificates of authorities into WECHAT_V2_CA_FILE",
            Authorities::System | Authorities::Nobody => {
                "install the system's CA certificates (package ca-certificates) if they are missing"
            }
        }
    }
}
