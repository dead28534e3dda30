//! order-svc as its callers see it: gRPC and the bus, over a real Postgres and a real NATS. Only pay-gateway is played by the
//! test, which therefore sees every word that would leave for a provider.

mod gateway;
mod harness;
// The same private servers that reconcile-svc's tests start.
#[path = "../../../reconcile-svc/tests/api/programs.rs"]
mod programs;

mod at_once;
mod batches;
mod charges;
mod creating;
mod first_attempts;
mod journal;
mod kept;
mod paying;
mod product_codes;
mod refund_goods;
mod repairs;
mod rules;
mod scans;
mod sub_merchants;
