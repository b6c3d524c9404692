//! The model, one file for each part of the language.

mod action;
mod job;
mod step;
mod text;
mod trigger;
mod workflow;

pub use action::*;
pub use job::*;
pub use step::*;
pub use text::*;
pub use trigger::*;
pub use workflow::*;
