//! States as people see them: a word, a sign and a tone. The colour never says what the sign and the word do not.

use maud::{Markup, html};
use proto::reconcile::v1::discrepancy::State as DiscrepancyState;
use proto::reconcile::v1::run::State as RunState;
use reconciliation::Code;

use super::language::Language;
use super::texts::Text;
use super::view::View;

/// How a state looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// The class that colours it.
    pub(super) tone: &'static str,
    /// What stands for it where there is no place for a word.
    pub(super) sign: &'static str,
    /// Its word.
    pub(super) text: Text,
}

impl Mark {
    const fn new(tone: &'static str, sign: &'static str, text: Text) -> Self {
        Self { tone, sign, text }
    }

    /// Of a run.
    pub(super) const fn of_run(state: RunState) -> Self {
        match state {
            RunState::Balanced => Self::new("good", "✓", Text::Balanced),
            RunState::Waiting => Self::new("wait", "…", Text::Waiting),
            RunState::Differences => Self::new("bad", "≠", Text::Differences),
            RunState::ControlFailed => Self::new("refused", "✕", Text::ControlFailed),
            RunState::BillInvalid => Self::new("refused", "✕", Text::BillInvalid),
            RunState::Running => Self::new("busy", "▸", Text::Running),
            RunState::Unspecified => Self::new("none", "–", Text::NotRun),
        }
    }

    /// Of a difference.
    pub(super) const fn of_discrepancy(state: DiscrepancyState) -> Self {
        match state {
            DiscrepancyState::Open => Self::new("bad", "≠", Text::StateOpen),
            DiscrepancyState::Resolving => Self::new("busy", "▸", Text::StateResolving),
            DiscrepancyState::Proposed => Self::new("busy", "?", Text::StateProposed),
            DiscrepancyState::Approved => Self::new("busy", "▸", Text::StateApproved),
            DiscrepancyState::Applied => Self::new("good", "✓", Text::StateApplied),
            DiscrepancyState::Waived => Self::new("none", "~", Text::StateWaived),
            DiscrepancyState::Resolved => Self::new("good", "✓", Text::StateResolved),
            DiscrepancyState::Held => Self::new("wait", "…", Text::StateHeld),
            DiscrepancyState::Unspecified => Self::new("none", "–", Text::StateUnknown),
        }
    }

    /// The mark as a small label.
    pub(super) fn label(self, view: &View) -> Markup {
        html! { span class={ "mark " (self.tone) } { span aria-hidden="true" { (self.sign) } " " (view.text(self.text)) } }
    }
}

/// What a code means; empty for a code that this release does not know.
pub(super) fn meaning(view: &View, code: &str) -> &'static str {
    let Ok(code) = code.parse::<Code>() else { return "" };
    match view.language() {
        Language::En => code.meaning(),
        Language::Zh => code.meaning_in_chinese(),
    }
}

/// Somebody must look today.
pub(super) fn critical(view: &View) -> Markup {
    html! { span.mark.critical { span aria-hidden="true" { "!" } " " (view.text(Text::LookToday)) } }
}

/// What an account is called; the word itself for one that this release does not know.
pub(super) fn account_name<'a>(view: &View, account: &'a str) -> &'a str {
    match account {
        "BASIC" => view.text(Text::AccountBasic),
        "OPERATION" => view.text(Text::AccountOperation),
        "FEES" => view.text(Text::AccountFees),
        other => other,
    }
}

/// What an input is called; the word itself for one that this release does not know.
pub(super) fn input_name<'a>(view: &View, input: &'a str) -> &'a str {
    match input {
        "TRADE" => view.text(Text::InputTrade),
        "FUND_BASIC" => view.text(Text::InputFundBasic),
        "FUND_OPERATION" => view.text(Text::InputFundOperation),
        "FUND_FEES" => view.text(Text::InputFundFees),
        "BOOK_PAYMENTS" => view.text(Text::BookPayments),
        "BOOK_REFUNDS" => view.text(Text::BookRefunds),
        "OTHER_DAYS" => view.text(Text::OtherDays),
        "AS_OF" => view.text(Text::MadeOn),
        "RULES" => view.text(Text::Rules),
        other => other,
    }
}
