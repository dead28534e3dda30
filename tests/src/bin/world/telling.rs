//! How the demo talks: numbered chapters, indented lines, messages as the tools of engineers show them.

use e2e::streams::Fact;
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use serde_json::Value;

/// Headers of a message that are worth a reader's time.
const SHOWN_HEADERS: [&str; 6] = ["Nats-Msg-Id", "ce-type", "ce-source", "ce-subject", "ce-time", "traceparent"];

/// Tells a story in numbered chapters.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    chapter: u32,
}

impl Telling {
    /// Begins a chapter.
    pub(crate) fn chapter(&mut self, title: &str) {
        self.chapter += 1;
        println!("\n{:>2}. {title}", self.chapter);
    }
}

/// One line of prose.
pub(crate) fn say(text: impl std::fmt::Display) {
    println!("    {text}");
}

/// A call and what came back.
pub(crate) fn call(to: &str, rpc: &str, request: &impl Serialize, answer: &impl Serialize) {
    println!("    → {to}  {rpc}");
    json(request);
    println!("    ← answer");
    json(answer);
}

/// A message as JSON, one field per line, nested ones inside.
pub(crate) fn json(message: &impl Serialize) {
    let value = serde_json::to_value(message).expect("messages are JSON");
    for line in serde_json::to_string_pretty(&value).expect("a value is JSON").lines() {
        println!("      {line}");
    }
}

/// A fact as `nats sub` prints it.
pub(crate) fn fact(fact: &Fact) {
    println!("    [#{}] Received on \"{}\"", fact.sequence, fact.subject);
    for name in SHOWN_HEADERS.into_iter().filter(|name| !fact.header(name).is_empty()) {
        println!("      {name}: {}", fact.header(name));
    }
    let body: &Value = &fact.body;
    println!();
    json(body);
}

/// A text filled up to a width; a Chinese character takes two places of a terminal.
pub(crate) fn padded(text: &str, places: usize) -> String {
    let wide = text.chars().filter(|character| !character.is_ascii()).count();
    let taken = text.chars().count() + wide;
    format!("{text}{}", " ".repeat(places.saturating_sub(taken)))
}

/// 990 fen as `9.90 yuan`.
pub(crate) fn yuan(fen: i64) -> String {
    format!("{}.{:02} yuan", fen / 100, fen % 100)
}

/// An instant as people in Beijing read it.
pub(crate) fn beijing(at: Timestamp) -> String {
    let zone = TimeZone::get("Asia/Shanghai").expect("it is in the time zone database");
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
