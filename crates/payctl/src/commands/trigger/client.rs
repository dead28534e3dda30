//! The sandbox's control API.

use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use reqwest::{Method, StatusCode};
use sandbox::control::Problem;
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

/// Longest wait for an answer.
const TIME: Duration = Duration::from_secs(30);

/// The sandbox's no.
#[derive(Debug, Serialize, thiserror::Error)]
#[error("{error}")]
pub(super) struct Refused {
    /// Its sentence.
    pub(super) error: String,
}

pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
}

impl Client {
    pub(super) fn new(url: &Url) -> anyhow::Result<Client> {
        ensure!(!url.cannot_be_a_base(), "{url} is no address of a sandbox, such as http://127.0.0.1:9900");
        let http = reqwest::Client::builder().no_proxy().timeout(TIME).build().context("there is no HTTP client")?;
        Ok(Client { http, url: url.clone() })
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> anyhow::Result<T> {
        self.call(Method::GET, path, None::<&()>).await
    }

    pub(super) async fn delete<T: DeserializeOwned>(&self, path: &[&str]) -> anyhow::Result<T> {
        self.call(Method::DELETE, path, None::<&()>).await
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> anyhow::Result<T> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&impl Serialize>,
    ) -> anyhow::Result<T> {
        let mut url = self.url.clone();
        // Each piece is encoded, so that a number with a slash stays one piece.
        let mut pieces = url.path_segments_mut().map_err(|()| anyhow!("the address of the sandbox has no path"))?;
        pieces.pop_if_empty().push("_sandbox").extend(path);
        drop(pieces);
        let request = self.http.request(method, url);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let unanswered = || format!("no sandbox answers at {}: look at --sandbox-url, and whether it runs", self.url);
        let answer = request.send().await.with_context(unanswered)?;
        let status = answer.status();
        let bytes = answer.bytes().await.with_context(unanswered)?;
        if status == StatusCode::OK {
            return serde_json::from_slice(&bytes)
                .with_context(|| format!("what answers at {} is no sandbox", self.url));
        }
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(Problem { error }) => Err(Refused { error }.into()),
            Err(_) => Err(anyhow!("what answers at {} is no sandbox: HTTP {status}", self.url)),
        }
    }
}
