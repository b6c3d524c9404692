//! The words of container images: names, digests, descriptors, manifests, indexes, configurations, errors of a registry.
//!
//! Everything here is a value: texts are parsed once, with an error that says what is wrong, and trusted inside. A digest is always that
//! of raw bytes, never of something written anew.
//!
//! # Source
//! The OCI image and distribution specifications 1.1, and Docker's rules for short names.

#![warn(missing_docs)]
