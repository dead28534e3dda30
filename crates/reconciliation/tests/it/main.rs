//! The comparison by example and by property.

#[path = "../world/mod.rs"]
mod world;

mod books;
mod codes;
mod controls;
mod digest;
mod hostile;
mod properties;
mod two_days;
