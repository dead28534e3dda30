//! A server that everybody needs is away for a while: nothing is decided meanwhile, and everything is made up for.

mod bus;
mod database;
mod gateway;
mod power;
