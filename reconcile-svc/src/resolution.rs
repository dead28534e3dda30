//! The life of a difference after a run has found it: who is told, who is asked, who decided.
//!
//! ```text
//!   HELD ─due─► OPEN ─repair─► RESOLVING ─answer─► OPEN          a run that no longer finds it: RESOLVED, from every state
//!               │ ▲
//!               │ ├─ day has come ── WAIVED ◄─waive─ OPEN
//!               │ └─ rejected, or answered otherwise ──┐
//!               └─propose─► PROPOSED ─approve─► APPROVED ─answer─► APPLIED
//!                                       └─ settled elsewhere ────────▲
//! ```
//! [`step`] says which step people may take from where, [`answer`] what an answer of order-svc changes; both are pure. Each change
//! is one transaction: difference, repair, event and a row of the [`audit`] log, which is appended to last, because the end of the
//! log is locked until the commit.

mod after_run;
pub mod answer;
pub mod audit;
mod decide;
mod explain;
mod found_again;
mod repairs;
pub mod step;
mod told;
mod verify;
mod waivers;

pub use after_run::{Steps, after_run};
pub use answer::Answer;
pub use decide::{DecideError, Decision, decide};
pub use explain::{Explanation, Field, Leg, explain};
pub use found_again::found_again;
pub use repairs::{Asked, apply_answers, ask_about_due, give_up_unanswered};
pub use verify::{Verified, verify};
pub use waivers::end_waivers;

pub use crate::store::days::{DayToLookAt, days_to_look_at, look_later, looked_at};
