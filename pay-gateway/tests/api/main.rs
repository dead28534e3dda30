//! pay-gateway as its callers see it.

mod certificates;
mod fake;
mod harness;

mod backup;
mod bills;
mod closing;
mod limits;
mod login;
mod merchants;
mod mutual_tls;
mod prepaying;
mod product_codes;
mod products;
mod querying;
mod querying_refunds;
mod refunding;
mod refusals;
mod running;
mod service_provider;
mod verifying;
mod wire;

mod sandbox;
