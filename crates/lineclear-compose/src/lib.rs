//! Compose files as a model with places.

#![warn(missing_docs)]

mod compose;

pub use compose::Compose;
