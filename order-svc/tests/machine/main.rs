//! The machine checked: one order, its attempts and refunds, the provider, the network between, our processes, the database and
//! the bus, walked through exhaustively.
//!
//! Our side decides by the real functions of `order_svc::domain`; what the model adds is what surrounds them:
//!
//! - **Durable steps** (an attempt is written, a sending is counted, an answer is recorded, a fact is settled together with what
//!   is told, the relay publishes, deletes) are actions of their own. What a process knows between two of them stands on its desk,
//!   and a crash clears desks. No lock, lease or mark is in the model: any process may attend to anything at any time.
//! - **The network** loses requests and answers, delivers them in any order, and delivers some of them after we stopped waiting.
//! - **The provider** accepts, refuses and postpones; a payer pays whenever it lets them, also when a close has come too late for
//!   them; money that goes back arrives, bounces, is given up, and arrives after it bounced. It does not watch the sum of refunds,
//!   so that a mistake of ours shows.
//! - **Its console** gives money back, too, without our knowing. Then it watches the sum, so that one of the two is refused; the bill
//!   tells of it, any number of repairs ask about it at once, and it comes into the books as far as it fits.
//! - **Charges** (pay codes, faces) are accepted, paid at once or refused; their payer pays or fails whenever they like; reversals are
//!   lost, late, doubled and postponed, close what is unpaid and give back what is paid, and are refused once a week has passed.
//!   What was said of a payment before it was taken back may be heard at any time after. When a reversal may leave (15 s, 5 s) is
//!   not in the model: it may at any time.
//! - **Facts** come in any order, any number of times, at any later time, or never; what the provider says can be old when it is
//!   recorded.
//!
//! # The assumption
//!
//! Time is two bits: whether the order's time is over, and whether something was sent within the last 60 s. The machine is right
//! under one assumption about it, for prepays, charges, reversals and refunds: **what was sent arrives within 60 s of the moment that its sending
//! was written, or never.** WeChat documents that much for "unknown number", our calls end after 9 s, and a process that is
//! stopped for a minute between its write and its send breaks it; the control `PausedSender` shows what happens then.
//!
//! # What is asked of it
//!
//! Every state keeps the promises G2–G6 of one order, and from every state the world comes to rest by what happens of itself:
//! time passes, jobs run, the provider answers questions, the bill comes. No callback is needed. `controls` breaks our side in
//! each way that matters and shows that the walk sees it.

mod actions;
mod books;
mod charging;
mod config;
mod controls;
mod giving;
mod invariants;
mod legal;
mod paying;
mod possible;
mod random;
mod telling;
mod walk;
mod walks;
mod world;
