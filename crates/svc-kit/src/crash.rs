//! Crash points: named places between two durable steps at which a test lets a process die, as kill -9 or a power cut would.
//!
//! ```
//! # async fn example(mut tx: sqlx::PgConnection) -> sqlx::Result<()> {
//! sqlx::query("COMMIT").execute(&mut tx).await?;
//! svc_kit::crash::point("order.decided"); // committed, and nobody was told
//! # Ok(())
//! # }
//! ```
//!
//! `CRASH_AT=order.decided#2` ends the process when it passes that point for the second time: one line on stderr, then
//! [`std::process::abort`], so nothing is drained, flushed or given back. The crash-point sweep of the stories finds every
//! point by its call in the sources, so a name is written out where it is passed, and stands once in the workspace.
//!
//! Points exist only in builds with debug assertions. In a release build both functions here are empty and inlined: no variable
//! is read, and no name is in the program, because nothing refers to it. `tests/crash.rs` looks for one in its own file.

#[cfg(debug_assertions)]
use debug::{check as check_variable, pass};

/// The variable that says where to end.
pub const VARIABLE: &str = "CRASH_AT";

/// Ends the process here when `CRASH_AT` says so. `name` is lower-case words joined by dots, the first of which says what the
/// point belongs to, such as `relay.published`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "so that a release build drops the name with the call")]
pub fn point(name: &'static str) {
    #[cfg(debug_assertions)]
    pass(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// Reads `CRASH_AT`. [`crate::process::main`] calls it before anything else, so that a test which cannot crash a process does
/// not mistake that for a process which survives. Whether there is a point of that name, nobody here can know.
///
/// # Errors
/// When it is set and not `<name>#<hit>`, with a hit of at least 1.
#[inline(always)]
#[expect(clippy::inline_always, reason = "so that a release build does not know the variable")]
pub(crate) fn check() -> anyhow::Result<()> {
    #[cfg(debug_assertions)]
    check_variable()?;
    Ok(())
}

#[cfg(debug_assertions)]
mod debug {
    use std::{
        env,
        num::NonZeroU32,
        sync::{
            LazyLock,
            atomic::{AtomicU32, Ordering},
        },
    };

    use anyhow::anyhow;

    use super::VARIABLE;

    /// Where this process is to end, and when.
    #[derive(Debug, PartialEq, Eq)]
    pub(super) struct Place {
        pub(super) name: String,
        pub(super) hit: NonZeroU32,
    }

    /// Read once: a process does not change its mind.
    static PLACE: LazyLock<Result<Option<Place>, String>> = LazyLock::new(|| match env::var(VARIABLE) {
        Ok(text) => read(&text).map(Some).ok_or(text),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(text)) => Err(text.to_string_lossy().into_owned()),
    });

    /// How often the place was passed.
    static PASSED: AtomicU32 = AtomicU32::new(0);

    pub(super) fn check() -> anyhow::Result<()> {
        let wrong =
            |text: &String| anyhow!("{VARIABLE} is {text:?}; it must be <name>#<hit>, such as relay.published#1");
        PLACE.as_ref().map(|_| ()).map_err(wrong)
    }

    pub(super) fn pass(name: &str) {
        // A process whose variable is wrong has not started.
        let Ok(Some(place)) = &*PLACE else { return };
        if place.name == name && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == place.hit.get() {
            eprintln!("crash point {name} hit {}", place.hit);
            std::process::abort();
        }
    }

    pub(super) fn read(text: &str) -> Option<Place> {
        let (name, hit) = text.split_once('#')?;
        let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let is_name = name.contains('.') && name.split('.').all(word);
        let hit = hit.bytes().all(|byte| byte.is_ascii_digit()).then(|| hit.parse().ok())??;
        is_name.then(|| Place { name: name.to_owned(), hit })
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::debug::{Place, read};

    #[test]
    fn a_place_is_a_name_and_a_hit_of_at_least_one() {
        let place = read("relay.published#2").expect("well formed");
        assert_eq!((place.name.as_str(), place.hit.get()), ("relay.published", 2));
        assert!(read("order.pay_order.prepaid#10").is_some());
    }

    #[test]
    fn anything_else_is_no_place() {
        for text in [
            "",
            "#1",
            "relay.published",
            "relay.published#",
            "relay.published#0",
            "relay.published#+1",
            "relay.published#-1",
            "relay.published#1#2",
            "relay.published#4294967296",
            "relay#1",
            "relay.#1",
            ".published#1",
            "relay..published#1",
            "Relay.published#1",
            " relay.published#1",
        ] {
            assert_eq!(read(text), None::<Place>, "{text:?}");
        }
    }
}
