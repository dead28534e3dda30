//! Merchants directories as people and Kubernetes write them.

mod harness;
mod loading;
mod reloading;
