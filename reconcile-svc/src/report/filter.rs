use maud::{Markup, html};
use proto::reconcile::v1::ListDiscrepanciesRequest;
use proto::reconcile::v1::discrepancy::State;
use reconciliation::Code;

use super::marks::{Mark, meaning};
use super::texts::Text;
use super::view::View;

/// Differences on a page.
pub(super) const ON_A_PAGE: i32 = 100;

/// Longest number that is looked for; providers and teams use at most 64 characters.
const MAX_NUMBER_CHARS: usize = 64;

/// States in the order of a difference's life.
const STATES: [State; 8] = [
    State::Held,
    State::Open,
    State::Resolving,
    State::Proposed,
    State::Approved,
    State::Applied,
    State::Waived,
    State::Resolved,
];

/// Which differences of a run are wanted. What cannot be read does not filter: a link with a mistake still shows a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    code: Option<Code>,
    state: Option<State>,
    number: String,
    unfinished_only: bool,
    page_token: String,
}

impl Filter {
    /// What the query asks for.
    pub fn of(view: &View) -> Self {
        let state = view.asked("state");
        Self {
            code: view.asked("code").parse().ok(),
            state: STATES.into_iter().find(|known| word(*known) == state),
            number: view.asked("number").trim().chars().take(MAX_NUMBER_CHARS).collect(),
            unfinished_only: view.asked("unfinished") == "1",
            page_token: view.asked("page").to_owned(),
        }
    }

    /// The request that the list of `run` (`runs/{uuid}`) comes by.
    pub(super) fn request(&self, run: &str) -> ListDiscrepanciesRequest {
        ListDiscrepanciesRequest {
            run: run.to_owned(),
            code: self.code.map(|code| code.as_str().to_owned()).unwrap_or_default(),
            state: self.state.unwrap_or_default().into(),
            number: self.number.clone(),
            unfinished_only: self.unfinished_only,
            page_size: ON_A_PAGE,
            page_token: self.page_token.clone(),
            ..ListDiscrepanciesRequest::default()
        }
    }

    /// Whether it leaves anything out.
    pub(super) fn is_set(&self) -> bool {
        Self { page_token: String::new(), ..self.clone() } != Self::default()
    }

    /// Whether the list does not begin at its beginning.
    pub(super) fn is_later_page(&self) -> bool {
        !self.page_token.is_empty()
    }

    /// The same filter at another place of the list.
    pub(super) fn link(&self, view: &View, path: &str, page_token: &str) -> String {
        let query = [
            ("code", self.code.map_or("", Code::as_str)),
            ("state", self.state.map_or("", word)),
            ("number", &self.number),
            ("unfinished", if self.unfinished_only { "1" } else { "" }),
            ("page", page_token),
        ];
        view.link(path, &query) + "#list"
    }

    /// The form, filled with what was asked for.
    pub(super) fn form(&self, view: &View, path: &str) -> Markup {
        html! {
            form.filter method="get" action={ (path) "#list" } {
                @if let Some(language) = view.chosen() { input type="hidden" name="lang" value=(language); }
                label { (view.text(Text::Code)) " "
                    select name="code" {
                        option value="" { (view.text(Text::All)) }
                        @for code in Code::ALL {
                            option value=(code.as_str()) selected[self.code == Some(code)] {
                                (code.as_str()) " " (meaning(view, code.as_str()))
                            }
                        }
                    }
                }
                label { (view.text(Text::State)) " "
                    select name="state" {
                        option value="" { (view.text(Text::All)) }
                        @for state in STATES {
                            option value=(word(state)) selected[self.state == Some(state)] {
                                (view.text(Mark::of_discrepancy(state).text))
                            }
                        }
                    }
                }
                label { (view.text(Text::Number)) " "
                    input type="search" name="number" value=(self.number) maxlength=(MAX_NUMBER_CHARS)
                        placeholder=(view.text(Text::WholeNumber)) autocomplete="off";
                }
                label.check {
                    input type="checkbox" name="unfinished" value="1" checked[self.unfinished_only];
                    " " (view.text(Text::UnfinishedOnly))
                }
                button type="submit" { (view.text(Text::Show)) }
                @if self.is_set() { a href={ (view.link(path, &[])) "#list" } { (view.text(Text::ShowAll)) } }
            }
        }
    }
}

/// The word of a state in links.
pub(super) const fn word(state: State) -> &'static str {
    match state {
        State::Unspecified => "",
        State::Held => "held",
        State::Open => "open",
        State::Resolving => "resolving",
        State::Proposed => "proposed",
        State::Approved => "approved",
        State::Applied => "applied",
        State::Waived => "waived",
        State::Resolved => "resolved",
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn asked(query: &[(&str, &str)]) -> View {
        let query = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        View::of("en", Timestamp::UNIX_EPOCH, "/runs/1", query)
    }

    #[test]
    fn a_filter_keeps_its_values_in_its_form_and_in_the_next_page() {
        let view =
            asked(&[("code", "P10"), ("state", "open"), ("number", " 42\"&x "), ("unfinished", "1"), ("lang", "en")]);
        let filter = Filter::of(&view);
        let form = filter.form(&view, "/runs/1").into_string();
        for kept in [
            r#"<option value="P10" selected>"#,
            r#"<option value="open" selected>"#,
            r#"value="42&quot;&amp;x""#,
            r#"value="1" checked>"#,
            r#"<input type="hidden" name="lang" value="en">"#,
        ] {
            assert!(form.contains(kept), "{kept} in {form}");
        }
        let next = filter.link(&view, "/runs/1", "9-a");
        assert_eq!(next, "/runs/1?code=P10&state=open&number=42%22%26x&unfinished=1&page=9-a&lang=en#list");
        let request = filter.request("runs/1");
        assert_eq!((request.code.as_str(), request.state(), request.number.as_str()), ("P10", State::Open, "42\"&x"));
        assert!(request.unfinished_only && request.page_size == 100);
    }

    #[test]
    fn what_cannot_be_read_does_not_filter() {
        let filter = Filter::of(&asked(&[("code", "P11"), ("state", "lost"), ("unfinished", "yes")]));
        assert_eq!(filter, Filter::default());
        assert!(!filter.is_set());
    }
}
