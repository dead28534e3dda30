//! A temporary root.

mod ingress;
mod outage;
mod reconcile;
mod replicas;
mod restart;
mod startup;
