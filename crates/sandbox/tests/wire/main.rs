//! The sandbox from outside: real HTTP on a free port, one file for each call of the wire and each command.

#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test, loudly and there")]

#[path = "../../examples/dev-certificates/authority.rs"]
mod authority;
mod call_faults;
mod callback_faults;
mod callbacks;
mod charge_bills;
mod charge_faults;
mod clock;
mod close_order;
mod comments;
mod control;
mod dev_certificates;
mod download_bill;
mod face_pay;
mod fund_flow;
mod given_bills;
mod h5;
mod harness;
mod js_code_2_session;
mod micropay;
mod misbilled;
mod mutual_tls;
mod native_codes;
mod oauth;
mod order_query;
mod page;
mod phone;
mod provider_charges;
mod red_packets;
mod refund;
mod refund_callbacks;
mod refund_faults;
mod refund_outcome;
mod refund_query;
mod refund_rate;
mod refund_v2;
mod reverse;
mod service_provider;
mod tools;
mod trade_types;
mod unified_order;
