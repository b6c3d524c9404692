//! Dockerfiles as instructions with their places.

#![warn(missing_docs)]

mod dockerfile;

pub use dockerfile::Dockerfile;
