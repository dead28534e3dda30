//! The frame of every page, and the one door through which it leaves.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figures::beijing;
use super::texts::Text;
use super::view::View;

const STYLE: &str = include_str!("style.css");

/// A whole page.
pub(super) fn frame(view: &View, title: &str, body: &Markup) -> String {
    let other = view.language().other();
    let page = html! {
        (DOCTYPE)
        html lang=(view.language().tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top {
                    a.home href=(view.link("/", &[])) { (view.text(Text::Reconciliation)) }
                    a.language href=(view.in_language(other)) lang=(other.tag()) hreflang=(other.tag()) {
                        (Text::ThisLanguage.told_in(other))
                    }
                }
                main { (body) }
                footer { (view.text(Text::AsOf)) " " (beijing(Some(view.now()))) " · " (view.text(Text::BeijingTime)) }
            }
        }
    };
    plain(page.into_string())
}

/// A page that says one thing.
pub(super) fn message(view: &View, text: &str, detail: &str) -> String {
    let body = html! {
        h1 { (text) }
        @if !detail.is_empty() { p.quiet { (detail) } }
        p { a href=(view.link("/", &[])) { (view.text(Text::AllMerchants)) } }
    };
    frame(view, text, &body)
}

/// Replaces controls, and marks that turn the direction of writing or are not seen: with them one number looks like another.
/// Done to the page as a whole, so that no text can be forgotten; nothing of our own has any.
fn plain(page: String) -> String {
    let unwanted = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    if page.contains(unwanted) { page.replace(unwanted, "\u{fffd}") } else { page }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::language::Language;
    use super::*;

    #[test]
    fn text_from_outside_stays_text() {
        let hostile = "</title><script>alert('1')</script>\" onload=\"x & \u{202e}\u{0}\u{200b}";
        let page = message(&View::new(Language::En, Timestamp::UNIX_EPOCH), hostile, hostile);
        assert!(!page.contains("<script"), "{page}");
        assert!(
            page.contains(
                "&lt;script&gt;alert('1')&lt;/script&gt;&quot; onload=&quot;x &amp; \u{fffd}\u{fffd}\u{fffd}"
            )
        );
    }

    #[test]
    fn a_page_runs_and_fetches_nothing() {
        let page = message(&View::new(Language::Zh, Timestamp::UNIX_EPOCH), "x", "");
        for word in ["<script", "<link", "<img", "@import", "url(", "http:", "https:"] {
            assert!(!page.contains(word), "{word}");
        }
    }
}
