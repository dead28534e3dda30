//! reconcile-svc as its callers see it: gRPC, facts on the bus and pages, over a real Postgres and a real NATS. Only
//! pay-gateway is played by the test.

mod bill;
mod books;
mod facts;
mod gateway;
mod harness;
mod pages;
mod people;
mod programs;
mod refund;
mod refund_facts;
mod replica;

mod audit_log;
mod bad_input;
mod booking;
mod booking_refunds;
mod controls;
mod crashes;
mod day_books;
mod day_books_scale;
mod deciding;
mod earlier_release;
mod explaining;
mod explaining_funds;
mod exports;
mod fund_flows;
mod holds;
mod interrupted;
mod kept_bills;
mod locking;
mod metrics;
mod midnight;
mod neighbours;
mod reconciling;
mod repairing;
mod replicas;
mod reversals;
mod scheduled;
mod service_provider;
mod versions;
mod waiving;
