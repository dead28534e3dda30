//! Who is calling: known by a bearer token, never by the request.
//!
//! Whoever may call stands in a TOML file with the hash of a token; the tokens themselves are nowhere in a process.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::Context as _;
use proto::error::ErrorReason;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tonic::{Code, Status, metadata::MetadataMap};

use crate::refusal::refuse;

/// Longer tokens than this are not looked at.
const MAX_TOKEN_BYTES: usize = 512;

/// Longest name of a caller.
const MAX_NAME_BYTES: usize = 32;

/// What the callers of one service are called, in its settings, its file and its refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerKind {
    /// The setting that names the file.
    pub setting: &'static str,
    /// The list in the file: `[[apps]]`.
    pub list: &'static str,
    /// What one of them is called.
    pub one: &'static str,
    /// What an unknown caller is told to send.
    pub hint: &'static str,
}

impl CallerKind {
    /// The teams that may use order-svc.
    pub const APPS: CallerKind = CallerKind {
        setting: "APPS_FILE",
        list: "apps",
        one: "app",
        hint: "send `authorization: Bearer <token>` with the token of your app",
    };

    /// The people who may decide about differences.
    pub const PEOPLE: CallerKind = CallerKind {
        setting: "PEOPLE_FILE",
        list: "people",
        one: "person",
        hint: "send `authorization: Bearer <token>` with your token",
    };
}

/// Those who may call, by the hash of their tokens.
#[derive(Debug)]
pub struct Callers {
    kind: CallerKind,
    by_token: HashMap<[u8; 32], String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    token_sha256: String,
}

impl Callers {
    /// Reads the file of those callers.
    ///
    /// # Errors
    /// Every mistake at once, each with its entry and field.
    pub fn load(path: &Path, kind: CallerKind) -> anyhow::Result<Self> {
        let CallerKind { setting, .. } = kind;
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {setting} {}", path.display()))?;
        Self::parse(&text, kind).with_context(|| format!("{setting} {} is wrong", path.display()))
    }

    fn parse(text: &str, kind: CallerKind) -> anyhow::Result<Self> {
        let CallerKind { list, one, .. } = kind;
        let mut file: BTreeMap<String, Vec<Entry>> = toml::from_str(text).context("not the expected TOML")?;
        let entries = file.remove(list);
        let unknown = file.into_keys().next();
        anyhow::ensure!(unknown.is_none(), "not the expected TOML: {} is no list of it", unknown.unwrap_or_default());
        let entries = entries.with_context(|| format!("not the expected TOML: [[{list}]] is missing"))?;

        let mut by_token = HashMap::new();
        let mut mistakes = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            if !is_name(&entry.name) {
                mistakes.push(format!("{list}[{index}].name: must be [a-z0-9-]{{1,{MAX_NAME_BYTES}}}"));
            }
            match sha256_from_hex(&entry.token_sha256) {
                None => mistakes
                    .push(format!("{list}[{index}].token_sha256: must be the 64 lower-case hex digits of a SHA-256")),
                Some(hash) => {
                    if by_token.insert(hash, entry.name.clone()).is_some() {
                        mistakes.push(format!("{list}[{index}].token_sha256: another {one} has the same token"));
                    }
                }
            }
        }
        anyhow::ensure!(mistakes.is_empty(), "{}", mistakes.join("; "));
        anyhow::ensure!(!by_token.is_empty(), "{list}: nobody could call; name at least one");
        Ok(Self { kind, by_token })
    }

    /// Whose token a call carries.
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
        let caller = token.and_then(|token| self.by_token.get(&<[u8; 32]>::from(Sha256::digest(token.as_bytes()))));
        caller
            .cloned()
            .ok_or_else(|| refuse(Code::Unauthenticated, ErrorReason::Unauthenticated.word(), self.kind.hint, []))
    }

    /// Whether anybody has this name.
    pub fn has(&self, name: &str) -> bool {
        self.by_token.values().any(|known| known == name)
    }
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
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
    use super::*;

    // SHA-256 of "secret".
    const HASH: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    fn apps() -> Callers {
        let text = format!("[[apps]]\nname = \"shop\"\ntoken_sha256 = \"{HASH}\"");
        Callers::parse(&text, CallerKind::APPS).expect("a right file")
    }

    fn with(value: &str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert("authorization", value.parse().expect("ASCII"));
        metadata
    }

    #[test]
    fn a_token_names_its_caller() {
        assert_eq!(apps().caller(&with("Bearer secret")).expect("known"), "shop");
        assert!(apps().has("shop") && !apps().has("canteen"));
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
        let told = format!("{:#}", Callers::parse(text, CallerKind::APPS).expect_err("wrong"));
        for part in ["apps[0].name", "apps[0].token_sha256", "apps[1].name", "apps[1].token_sha256"] {
            assert!(told.contains(part), "{told}");
        }
    }

    #[test]
    fn the_list_of_other_callers_is_not_read() {
        let people = format!("[[people]]\nname = \"finance-a\"\ntoken_sha256 = \"{HASH}\"");
        let told = format!("{:#}", Callers::parse(&people, CallerKind::APPS).expect_err("wrong"));
        assert!(told.contains("not the expected TOML") && told.contains("people"), "{told}");
        let told = format!("{:#}", Callers::parse("", CallerKind::PEOPLE).expect_err("wrong"));
        assert!(told.contains("[[people]]"), "{told}");
    }
}
