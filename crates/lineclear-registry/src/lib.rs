//! A client of OCI registries: resolve, pull, push, copy, tag, list, delete.
//!
//! # Source
//! The OCI distribution specification 1.1.

#![warn(missing_docs)]
