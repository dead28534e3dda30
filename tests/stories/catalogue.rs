//! `docs/wechat-v2.md` names a test for everything that it says we can do. Here it is held to that.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use e2e::programs::workspace;

/// What a row says whose call nobody makes.
const NOT_BUILT: &str = "not built";

fn page() -> String {
    fs::read_to_string(workspace().join("docs/wechat-v2.md")).expect("the page is in the checkout")
}

/// The texts between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A test as the page names it: `path/to/file.rs::name`.
fn named(text: &str) -> impl Iterator<Item = (&str, &str)> {
    quoted(text)
        .filter_map(|quoted| quoted.split_once("::"))
        .filter(|(file, _)| Path::new(file).extension() == Some(OsStr::new("rs")))
}

/// Whether a file of this checkout has such a test.
fn is_there(file: &str, name: &str) -> bool {
    let source = fs::read_to_string(workspace().join(file)).unwrap_or_default();
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let is_it = |line: &&str| line.trim_start_matches("async ").starts_with(&format!("fn {name}("));
    let Some(at) = lines.iter().position(is_it) else { return false };
    let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
    attributes.into_iter().any(|line| *line == "#[test]" || line.starts_with("#[tokio::test"))
}

/// The rows of a page's tables, without their headers.
fn rows(page: &str) -> impl Iterator<Item = &str> {
    let lines = page.lines();
    let next = page.lines().skip(1).chain([""]);
    let is_rule = |line: &str| line.starts_with("|-");
    lines
        .zip(next)
        .filter(move |(line, next)| line.starts_with('|') && !is_rule(line) && !is_rule(next))
        .map(|(line, _)| line)
}

/// What a page claims without a test that proves it.
fn unproven(page: &str) -> Vec<String> {
    let nowhere = named(page)
        .filter(|(file, name)| !is_there(file, name))
        .map(|(file, name)| format!("{file} has no test {name}"));
    let unnamed = rows(page)
        .filter(|row| !row.contains(NOT_BUILT) && named(row).next().is_none())
        .map(|row| format!("no test is named in: {row}"));
    nowhere.chain(unnamed).collect()
}

/// Every path of WeChat's that the crate of the protocol can call.
fn paths() -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let mut folders = vec![workspace().join("crates/wechat-pay/src/v2")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the sources are in the checkout") {
            let path: PathBuf = entry.expect("they can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                paths.extend(paths_in(&path));
            }
        }
    }
    paths
}

/// The literals of a source file that are paths of WeChat's hosts.
fn paths_in(file: &Path) -> Vec<String> {
    let source = fs::read_to_string(file).expect("the sources are in the checkout");
    let roots =
        ["/pay/", "/secapi/", "/tools/", "/payitil/", "/billcommentsp/", "/mmpaymkttransfers/", "/face/", "/sns/"];
    let literals = source.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| {
        let quoted: Vec<String> = line.split('"').skip(1).step_by(2).map(str::to_owned).collect();
        quoted
    });
    literals.filter(|literal| roots.iter().any(|root| literal.starts_with(root))).collect()
}

#[test]
fn every_test_that_the_page_names_is_there_and_every_row_names_one() {
    let page = page();
    assert_eq!(unproven(&page), Vec::<String>::new());
    // A reader that finds nothing complains about nothing.
    assert!(80 < named(&page).count() && 50 < rows(&page).count());
}

#[test]
fn every_call_that_can_be_made_is_on_the_page() {
    let (page, paths) = (page(), paths());
    let listed: BTreeSet<&str> = quoted(&page).collect();
    let missing: Vec<_> = paths.iter().filter(|path| !listed.contains(path.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new());
    assert!(20 < paths.len(), "{paths:?}");
}

#[test]
fn a_page_that_names_no_test_or_what_is_none_is_found_out() {
    let good = "tests/stories/catalogue.rs::a_page_that_names_no_test_or_what_is_none_is_found_out";
    let head = "| call | proof |\n|---|---|\n";
    assert_eq!(unproven(&format!("{head}| a | `{good}` |\n| b | not built |\n")), Vec::<String>::new());
    for (row, complaint) in [
        ("| a | it works |", "no test is named in: | a | it works |"),
        ("| a | `tests/stories/catalogue.rs::nobody` |", "tests/stories/catalogue.rs has no test nobody"),
        ("| a | `tests/stories/nowhere.rs::unproven` |", "tests/stories/nowhere.rs has no test unproven"),
        // A function that is no test proves nothing.
        ("| a | `tests/stories/catalogue.rs::unproven` |", "tests/stories/catalogue.rs has no test unproven"),
    ] {
        assert_eq!(unproven(&format!("{head}{row}\n")), [complaint]);
    }
}
