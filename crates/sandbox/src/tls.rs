//! TLS as WeChat's host speaks it: a client certificate is asked for, and only some calls need one.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        client::verify_server_name,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
        server::{ParsedCertificate, WebPkiClientVerifier},
    },
};

/// Ends the name that a merchant's certificate carries beside its number. Nobody can own a name below `.invalid`.
const MERCHANT_DOMAIN: &str = "merchant.invalid";

/// The certificate that a connection showed, issued by the authority of this sandbox.
#[derive(Clone, Debug)]
pub(crate) struct ClientCertificate(Arc<CertificateDer<'static>>);

impl ClientCertificate {
    pub(crate) fn new(shown: &CertificateDer<'_>) -> ClientCertificate {
        ClientCertificate(Arc::new(shown.clone().into_owned()))
    }

    /// Whether it was issued for the merchant with this number.
    pub(crate) fn is_of(&self, mch_id: &str) -> bool {
        let Ok(parsed) = ParsedCertificate::try_from(&*self.0) else { return false };
        ServerName::try_from(format!("{mch_id}.{MERCHANT_DOMAIN}"))
            .is_ok_and(|name| verify_server_name(&parsed, &name).is_ok())
    }
}

/// Answers handshakes with the files of a directory: `server.pem` and `server.key` say who we are, `ca.pem` who issues
/// the certificates of merchants. A client that shows none is let in; one that shows another authority's is not.
///
/// # Errors
/// When a file is missing or holds something else.
pub(crate) fn acceptor(dir: &Path) -> anyhow::Result<TlsAcceptor> {
    let file = |name: &str| dir.join(name);
    let explained = |name: &str| format!("cannot use {} of SANDBOX_TLS_DIR", file(name).display());
    let read = |name: &'static str| {
        let chain = CertificateDer::pem_file_iter(file(name)).and_then(Iterator::collect);
        chain.map(|chain: Vec<CertificateDer<'static>>| chain).with_context(|| explained(name))
    };
    let mut authority = RootCertStore::empty();
    for certificate in read("ca.pem")? {
        authority.add(certificate).with_context(|| explained("ca.pem"))?;
    }
    let key = PrivateKeyDer::from_pem_file(file("server.key")).with_context(|| explained("server.key"))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authority), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .with_context(|| explained("ca.pem"))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("the provider has no cipher suites for TLS 1.2 and 1.3")?
        .with_client_cert_verifier(verifier)
        .with_single_cert(read("server.pem")?, key)
        .with_context(|| explained("server.pem"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
