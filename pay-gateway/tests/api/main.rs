//! pay-gateway as its callers see it.

mod certificates;
mod counter;
mod fake;
mod harness;

mod backup;
mod bills;
mod charging;
mod charging_once;
mod closing;
mod comments;
mod leaving;
mod limits;
mod login;
mod merchants;
mod mutual_tls;
mod prepaying;
mod product_codes;
mod products;
mod querying;
mod querying_refunds;
mod red_packets;
mod refunding;
mod refusals;
mod reports;
mod reversing;
mod running;
mod service_provider;
mod service_provider_counter;
mod serving;
mod tools;
mod verifying;
mod wire;

mod sandbox;
