//! A container engine over its API.
