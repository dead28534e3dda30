//! Which team is calling: known by its bearer token, never by the request.

use std::{collections::HashMap, path::Path};

use anyhow::Context as _;
use proto::error::ErrorReason;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use svc_kit::refusal::refuse;
use tonic::{Code, Status, metadata::MetadataMap};

/// Longer tokens than this are not looked at.
const MAX_TOKEN_BYTES: usize = 512;

/// The teams that may call, by the hash of their tokens; the tokens themselves are nowhere in this process.
#[derive(Debug)]
pub struct Apps {
    by_token: HashMap<[u8; 32], String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    apps: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    token_sha256: String,
}

impl Apps {
    /// Reads `APPS_FILE`.
    ///
    /// # Errors
    /// Every mistake at once, each with its entry and field.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read APPS_FILE {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("APPS_FILE {} is wrong", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let file: File = toml::from_str(text).context("not the expected TOML")?;
        let mut by_token = HashMap::new();
        let mut mistakes = Vec::new();
        for (index, entry) in file.apps.iter().enumerate() {
            if !is_app_name(&entry.name) {
                mistakes.push(format!("apps[{index}].name: must be [a-z0-9-]{{1,32}}"));
            }
            match sha256_from_hex(&entry.token_sha256) {
                None => mistakes
                    .push(format!("apps[{index}].token_sha256: must be the 64 lower-case hex digits of a SHA-256")),
                Some(hash) => {
                    if by_token.insert(hash, entry.name.clone()).is_some() {
                        mistakes.push(format!("apps[{index}].token_sha256: another app has the same token"));
                    }
                }
            }
        }
        anyhow::ensure!(mistakes.is_empty(), "{}", mistakes.join("; "));
        anyhow::ensure!(!by_token.is_empty(), "apps: nobody could call; name at least one");
        Ok(Self { by_token })
    }

    /// The team whose token a call carries.
    ///
    /// # Errors
    /// UNAUTHENTICATED, without saying whether a token was close to a right one.
    pub fn caller(&self, metadata: &MetadataMap) -> Result<String, Status> {
        let token = metadata
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")))
            .filter(|token| !token.is_empty() && token.len() <= MAX_TOKEN_BYTES);
        // A lookup by hash tells nothing about the tokens through its time.
        let app = token.and_then(|token| self.by_token.get(&<[u8; 32]>::from(Sha256::digest(token.as_bytes()))));
        app.cloned().ok_or_else(|| {
            let words = "send `authorization: Bearer <token>` with the token of your app";
            refuse(Code::Unauthenticated, ErrorReason::Unauthenticated.word(), words, [])
        })
    }
}

fn is_app_name(name: &str) -> bool {
    (1..=32).contains(&name.len()) && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn sha256_from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use tonic::{Code, metadata::MetadataMap};

    use super::Apps;

    // SHA-256 of "secret".
    const HASH: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    fn apps() -> Apps {
        Apps::parse(&format!("[[apps]]\nname = \"shop\"\ntoken_sha256 = \"{HASH}\"")).expect("a right file")
    }

    fn with(value: &str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert("authorization", value.parse().expect("ASCII"));
        metadata
    }

    #[test]
    fn a_token_names_its_team() {
        assert_eq!(apps().caller(&with("Bearer secret")).expect("known"), "shop");
    }

    #[test]
    fn anything_else_names_nobody() {
        for value in ["Bearer Secret", "Bearer ", "secret", "Basic secret", "Bearer  secret"] {
            let status = apps().caller(&with(value)).expect_err(value);
            assert_eq!(status.code(), Code::Unauthenticated);
        }
        assert!(apps().caller(&MetadataMap::new()).is_err());
    }

    #[test]
    fn every_mistake_of_the_file_is_told_at_once() {
        let text = "[[apps]]\nname = \"Shop\"\ntoken_sha256 = \"x\"\n[[apps]]\nname = \"\"\ntoken_sha256 = \"y\"";
        let told = format!("{:#}", Apps::parse(text).expect_err("wrong"));
        for part in ["apps[0].name", "apps[0].token_sha256", "apps[1].name", "apps[1].token_sha256"] {
            assert!(told.contains(part), "{told}");
        }
    }
}
