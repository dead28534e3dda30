//! HTTP as WeChat needs it: pooled, verified, bounded, and never following anybody anywhere.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use merchants::{ClientIdentity, Merchant, MerchantName};
use reqwest::{Body, Client, RequestBuilder, Response, StatusCode, header};
use secrecy::ExposeSecret as _;
use svc_kit::crash;
use url::Url;

use super::{
    authorities::Authorities,
    hosts::{Endpoint, Sent},
};
use crate::{
    leave::{Leave, TooLateToLeave},
    outcome::{Unknown, Why},
};

/// Largest answer that is read; WeChat's are a few KiB.
const MAX_ANSWER_BYTES: usize = wechat_pay::v2::xml::MAX_BYTES;

/// An idle connection is given up before the other side does it unannounced.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// Idle connections kept per host: as many as a burst of one merchant needs.
const MAX_IDLE: usize = 64;

/// A half-open connection is noticed after this silence.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// HTTP clients: one for everybody, and one for each merchant that has a client certificate.
#[derive(Debug)]
pub(super) struct Http {
    connect_timeout: Duration,
    authorities: Authorities,
    plain: Client,
    with_identity: Mutex<HashMap<MerchantName, (ClientIdentity, Client)>>,
}

impl Http {
    /// # Errors
    /// When the certificates of the authorities cannot be loaded.
    pub(super) fn new(connect_timeout: Duration, authorities: Authorities) -> anyhow::Result<Http> {
        let plain = builder(connect_timeout, &authorities)
            .build()
            .with_context(|| format!("cannot make an HTTP client; {}", authorities.remedy()))?;
        Ok(Http { connect_timeout, authorities, plain, with_identity: Mutex::default() })
    }

    /// The client that shows no certificate.
    pub(super) fn without_identity(&self) -> &Client {
        &self.plain
    }

    /// The client of this merchant. Connections are shared only between calls that show the same certificate.
    ///
    /// # Errors
    /// When the merchant's certificate and key do not fit together.
    pub(super) fn client(&self, merchant: &Merchant) -> reqwest::Result<Client> {
        let Some(identity) = merchant.wechat_v2().and_then(|account| account.client_identity.as_ref()) else {
            return Ok(self.plain.clone());
        };
        let mut clients = self.with_identity.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, client)) = clients.get(&merchant.name)
            && same(known, identity)
        {
            return Ok(client.clone());
        }
        let pem = format!("{}\n{}", identity.key_pem.expose_secret(), identity.certificate_pem);
        let identity_of_tls = reqwest::Identity::from_pem(pem.as_bytes())?;
        let client = builder(self.connect_timeout, &self.authorities).identity(identity_of_tls).build()?;
        clients.insert(merchant.name.clone(), (identity.clone(), client.clone()));
        Ok(client)
    }
}

fn builder(connect_timeout: Duration, authorities: &Authorities) -> reqwest::ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("tongbao/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // A call is sent once; whether it is sent again is decided by who asked for it.
        .retry(reqwest::retry::never())
        // A proxy that ends TLS could write the unsigned answers.
        .no_proxy()
        .tls_version_min(reqwest::tls::Version::TLS_1_2)
        // Answers are small, and bills come compressed by their own rules.
        .no_gzip()
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(MAX_IDLE)
        .tcp_nodelay(true)
        .tcp_keepalive(KEEPALIVE)
        .http2_keep_alive_interval(KEEPALIVE)
        .http2_keep_alive_timeout(KEEPALIVE);
    authorities.believed_by(builder)
}

fn same(one: &ClientIdentity, other: &ClientIdentity) -> bool {
    one.certificate_pem == other.certificate_pem && one.key_pem.expose_secret() == other.key_pem.expose_secret()
}

/// Posts one XML message and reads the answer.
pub(super) async fn post_xml(client: &Client, endpoint: &Endpoint, message: &str) -> Result<Vec<u8>, Unknown> {
    post_xml_in_time(client, endpoint, message, &Leave::ANY_TIME).await
}

/// Posts one XML message, unless it is too late for that, and reads the answer.
pub(super) async fn post_xml_in_time(
    client: &Client,
    endpoint: &Endpoint,
    message: &str,
    leave: &Leave,
) -> Result<Vec<u8>, Unknown> {
    let Sent { response, trial } =
        endpoint.send(None, leave, |url| xml_request(client, url, leave.body(message))).await?;
    let body = read(response, MAX_ANSWER_BYTES).await;
    trial.ends(body.as_ref().err());
    body
}

/// The request that carries one XML message.
pub(super) fn xml_request(client: &Client, url: Url, message: impl Into<Body>) -> RequestBuilder {
    client.post(url).header(header::CONTENT_TYPE, "text/xml; charset=utf-8").body(message)
}

/// Sends a request and takes the head of the answer, which must be 200: WeChat tells its own failures inside the body.
pub(super) async fn send(request: RequestBuilder) -> Result<Response, Unknown> {
    crash::point("gateway.sending");
    let response = request.send().await.map_err(no_answer)?;
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response);
    }
    let why = if status.is_redirection() { Why::Redirect } else { Why::HttpStatus };
    Err(Unknown::new(why).with_code(status.as_str()))
}

/// Reads a whole answer of at most `most` bytes.
pub(super) async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, Unknown> {
    let too_large = || Unknown::new(Why::TooLarge);
    // A length that is announced too large is not worth reading.
    if response.content_length().is_some_and(|length| usize::try_from(length).map_or(true, |length| most < length)) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(cut_off)? {
        if most < body.len().saturating_add(piece.len()) {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// No head of an answer. The URL is taken out of the error: that of a login holds the app's secret.
pub(super) fn no_answer(error: reqwest::Error) -> Unknown {
    let error = error.without_url();
    if TooLateToLeave::caused(&error) {
        return Unknown::new(Why::TooLateToLeave);
    }
    let why = match (error.is_connect(), error.is_timeout()) {
        (true, _) => Why::Connect,
        (false, true) => Why::Timeout,
        (false, false) => Why::Transport,
    };
    Unknown::new(why).because(&error)
}

/// An answer that broke off.
pub(super) fn cut_off(error: reqwest::Error) -> Unknown {
    let error = error.without_url();
    let why = if error.is_timeout() { Why::Timeout } else { Why::CutOff };
    Unknown::new(why).because(&error)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Authorities, Http, no_answer};

    #[tokio::test]
    async fn an_error_does_not_repeat_the_url() {
        let http = Http::new(Duration::from_secs(1), Authorities::Nobody).expect("a client");
        // Nothing listens on port 1, so connecting fails; the query stands for a secret.
        let error = http.plain.get("http://127.0.0.1:1/?secret=hush").send().await.expect_err("no server");
        let told = format!("{:?}", no_answer(error));
        assert!(!told.contains("hush"), "{told}");
    }
}
