//! notify-svc as the provider and the bus see it: the real process, real HTTP, a real nats-server.

mod harness;

mod bus_down;
mod drain;
mod forged;
mod hostile_xml;
mod limits;
mod many_at_once;
mod native_scan;
mod paid;
mod refund_hints;
mod refund_hostile;
mod reload;
mod routes;
mod service_provider;
mod settings;
