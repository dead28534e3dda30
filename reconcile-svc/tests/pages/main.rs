//! The report pages over messages as the API gives them, without a database. Every page is also written to
//! `target/pages/report/`, where a person can look at it in a browser.

mod fixtures;
mod look;
mod runs;
mod start;
mod two_sides;

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use reconcile_svc::report::{Language, View};

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

/// No page is larger, whatever it is about.
const MAX_PAGE_BYTES: usize = 1 << 20;

/// 10:40 in Beijing on the day after the fixtures' bill day.
fn now() -> Timestamp {
    "2026-11-22T02:40:00Z".parse().expect("an instant")
}

/// Renders a page in both languages, checks what holds for every page, leaves it for people, and answers the English one.
fn rendered(name: &str, render: impl Fn(&View) -> String) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../pages/report");
    fs::create_dir_all(&folder).expect("a folder for the pages");
    for language in LANGUAGES {
        let page = render(&View::new(language, now()));
        look::whole(&page);
        assert!(page.len() < MAX_PAGE_BYTES, "{name} has {} bytes", page.len());
        fs::write(folder.join(format!("{name}-{}.html", language.as_str())), page).expect("the page is written");
    }
    render(&View::new(Language::En, now()))
}
