//! The comparison by example and by property.

mod day;
mod examples;
mod properties;
