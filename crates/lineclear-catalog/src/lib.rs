//! What is known of much used actions, of runners and of events: data, with what it was taken from.
//!
//! [`action`] gives the inputs and outputs of an action at a version; [`standing`] says whether that version still works.
//! [`hosted_label`] gives what a label of GitHub's machines stands for, and how long it is there.

#![warn(missing_docs)]

mod action;
mod runner;

pub use action::{ActionFacts, InputFacts, Standing, action, standing};
pub use runner::{HostedLabel, LabelEnd, Platform, hosted_label, hosted_labels, is_self_hosted_label, platform};
