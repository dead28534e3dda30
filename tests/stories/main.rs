//! Stories: what people rely on, told in whole worlds. One file per thing that can happen; the unhappy ones first.

mod amount;
mod backup;
mod between;
mod charge;
mod crash;
mod earlier;
mod expiry;
mod forged;
mod ingress;
mod input;
mod lost;
mod merchant_file;
mod outage;
mod provider;
mod recon;
mod reconcile;
mod refund;
mod repair;
mod replicas;
mod requests;
mod restart;
mod startup;
mod strict;
mod surplus;
mod tools;

mod paid;
mod product;

mod catalogue;
mod checking;
mod demo;
mod refused;
mod verify;
