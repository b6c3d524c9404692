//! What is known of much used actions, of runners and of events: data, with what it was taken from.
//!
//! [`action`] gives the inputs and outputs of an action at a version; [`standing`] says whether that version still works,
//! [`succession`] whether anybody still works on it, [`runner_command`] whether the runner does the same, and [`Advisories`] what is known
//! to be unsafe.
//! [`hosted_label`] gives what a label of GitHub's machines stands for, and how long it is there.

#![warn(missing_docs)]

mod action;
mod advisory;
mod blocks;
mod note;
mod osv;
mod runner;
mod timezone;
mod version;
mod well_known;

pub use action::{ActionFacts, InputFacts, Runtime, action, known_actions};
pub use advisory::{Advisories, Advisory, Grade};
pub use note::{Standing, Succession, runner_command, standing, succession};
pub use osv::OsvError;
pub use runner::{HostedLabel, LabelEnd, Platform, hosted_label, hosted_labels, is_self_hosted_label, platform};
pub use timezone::{is_timezone, timezones};
pub use version::Version;
pub use well_known::well_known_like;
