//! The embedded forge.
