//! What is known of much used actions, of runners and of events: data, with what it was taken from.
//!
//! [`action`] gives the inputs and outputs of an action at a version; [`standing`] says whether that version still works.

#![warn(missing_docs)]

mod action;

pub use action::{ActionFacts, InputFacts, Standing, action, standing};
