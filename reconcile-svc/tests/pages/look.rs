//! What holds for every page.

use std::collections::HashSet;

/// Elements that have no end.
const VOID: [&str; 6] = ["meta", "input", "br", "!DOCTYPE", "!doctype", "link"];

/// Every element that begins ends, in order; nothing runs and nothing is fetched; an id is there once.
pub(crate) fn whole(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut ids = HashSet::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let inside = &rest[at + 1..];
        let end = inside.find('>').expect("a tag ends");
        let tag = &inside[..end];
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().expect("a name");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "in {page}");
        } else if !VOID.contains(&name) {
            open.push(name);
        }
        assert!(!["script", "img", "link", "iframe", "object"].contains(&name), "<{tag}>");
        if let Some((_, id)) = tag.split_once(" id=\"") {
            let id = id.split('"').next().expect("an id");
            assert!(ids.insert(id), "{id} is there twice");
        }
        rest = &inside[end + 1..];
    }
    assert_eq!(open, Vec::<&str>::new());
    assert!(page.contains("<meta name=\"color-scheme\"") && page.contains("prefers-color-scheme:dark"));
    for word in ["javascript:", "http:", "https:", "url(", "@import"] {
        assert!(!page.contains(word), "{word}");
    }
}

/// The text of a page without its tags and style, as a person reads it.
pub(crate) fn text(page: &str) -> String {
    let body = page.split_once("</style>").map_or(page, |(_, body)| body);
    let mut text = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
