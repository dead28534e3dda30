use std::borrow::Cow;
use std::fmt::Display;

use jiff::Timestamp;
use url::form_urlencoded::Serializer;

use super::language::Language;
use super::texts::Text;

/// How one reader looks at one page: language, time, and where he is, so that links remember what he asked for.
#[derive(Clone, Debug)]
pub struct View {
    language: Language,
    /// He asked for the language by `?lang=`; else his browser did, and links need not repeat it.
    chosen: bool,
    now: Timestamp,
    path: String,
    query: Vec<(String, String)>,
}

impl View {
    /// The start page at `now`, in a language that the browser prefers.
    pub fn new(language: Language, now: Timestamp) -> Self {
        Self { language, chosen: false, now, path: "/".to_owned(), query: Vec::new() }
    }

    /// The page at `path` with what its query asks for; `?lang=` overrides what the browser prefers.
    pub fn of(accept: &str, now: Timestamp, path: &str, query: Vec<(String, String)>) -> Self {
        let asked = query.iter().find(|(key, _)| key == "lang").and_then(|(_, word)| Language::named(word));
        let language = asked.unwrap_or_else(|| Language::preferred(accept));
        Self { language, chosen: asked.is_some(), now, path: path.to_owned(), query }
    }

    /// The language of the page.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// When the page is made.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// A value of the query; empty when it is not there.
    pub(super) fn asked(&self, key: &str) -> &str {
        self.query.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value)
    }

    /// The text in the reader's language.
    pub(super) const fn text(&self, text: Text) -> &'static str {
        text.told_in(self.language)
    }

    /// The text with its values in their places: `{0}`, `{1}`, …, and `{0|day|days}` for a word that goes by a value's number.
    pub(super) fn fill(&self, text: Text, values: &[&dyn Display]) -> String {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let mut told = String::new();
        let mut rest = self.text(text);
        // Values are put where they belong and not looked at again: one that has braces of its own keeps them.
        while let Some((before, (place, after))) =
            rest.split_once('{').and_then(|(before, after)| Some((before, after.split_once('}')?)))
        {
            told.push_str(before);
            told.push_str(&in_place(place, &values));
            rest = after;
        }
        told + rest
    }

    /// A link to one of our pages.
    pub(super) fn link(&self, path: &str, query: &[(&str, &str)]) -> String {
        let query = query.iter().copied().filter(|(_, value)| !value.is_empty());
        let language = self.chosen.then_some(("lang", self.language.as_str()));
        join(path, query.chain(language))
    }

    /// This page in another language.
    pub(super) fn in_language(&self, language: Language) -> String {
        let query = self.query.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let kept = query.filter(|(key, _)| *key != "lang");
        join(&self.path, kept.chain([("lang", language.as_str())]))
    }

    /// The language as a form has to repeat it; `None` when the browser says it anyway.
    pub(super) fn chosen(&self) -> Option<&'static str> {
        self.chosen.then_some(self.language.as_str())
    }
}

/// What stands for a place of a text.
fn in_place<'a>(place: &'a str, values: &'a [String]) -> Cow<'a, str> {
    let (number, forms) =
        place.split_once('|').map_or((place, None), |(number, forms)| (number, forms.split_once('|')));
    let value = number.parse::<usize>().ok().and_then(|number| values.get(number));
    match (value, forms) {
        (Some(value), None) => Cow::Borrowed(value),
        (Some(value), Some((one, many))) => Cow::Borrowed(if value == "1" { one } else { many }),
        (None, _) => Cow::Owned(format!("{{{place}}}")),
    }
}

fn join<'a>(path: &str, query: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let query = Serializer::new(String::new()).extend_pairs(query).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str, query: &[(&str, &str)]) -> View {
        let query = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        View::of("zh", Timestamp::UNIX_EPOCH, path, query)
    }

    #[test]
    fn a_language_that_was_asked_for_stays_in_every_link() {
        let view = at("/runs/1", &[("lang", "en"), ("code", "P1"), ("number", "a&b=c")]);
        assert_eq!(view.language(), Language::En);
        assert_eq!(view.link("/", &[]), "/?lang=en");
        assert_eq!(view.link("/diff", &[("from", "a"), ("to", "")]), "/diff?from=a&lang=en");
        assert_eq!(view.in_language(Language::Zh), "/runs/1?code=P1&number=a%26b%3Dc&lang=zh");
    }

    #[test]
    fn a_language_that_the_browser_prefers_is_in_no_link() {
        let view = at("/runs/1", &[("lang", "fr")]);
        assert_eq!((view.language(), view.link("/", &[])), (Language::Zh, "/".to_owned()));
    }

    #[test]
    fn one_is_told_as_one_and_everything_else_as_many() {
        let view = View::new(Language::En, Timestamp::UNIX_EPOCH);
        let told = ["0", "1", "2", "1,000", "21"].map(|count| view.fill(Text::Found, &[&count, &"9.90"]));
        let expected = ["0 differences", "1 difference", "2 differences", "1,000 differences", "21 differences"];
        assert_eq!(told, expected.map(|counted| format!("{counted}, 9.90 yuan at risk.")));
        assert_eq!(view.fill(Text::StillOpen, &[&1, &"1.00"]), "Of this day 1 is open now, 1.00 yuan.");
    }

    #[test]
    fn a_value_with_braces_is_not_filled_again() {
        assert_eq!(at("/", &[]).fill(Text::MoreOf, &[&"{1}", &"{0}"]), "仅列出金额最大的 {1} 笔，共 {0} 笔。");
    }
}
