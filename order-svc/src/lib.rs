//! order-svc owns orders and payments. Start reading at [`app`], then [`domain`], [`life`] and [`api`].

pub mod app;
pub mod config;

pub mod domain;
pub mod events;
pub mod store;

pub mod gateway;
pub mod life;

pub mod api;
pub mod consume;
pub mod jobs;
pub mod measures;
pub mod qr;
