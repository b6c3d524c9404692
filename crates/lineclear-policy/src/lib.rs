//! `lineclear.toml` as a typed model with places.
//!
//! [`Policy::read`] gives what was understood together with everything that is wrong. This crate opens no file and knows no workflow.

#![warn(missing_docs)]

mod policy;

pub use policy::Policy;
