//! The embedded OCI registry.
//!
//! # Source
//! The OCI distribution specification 1.1.
