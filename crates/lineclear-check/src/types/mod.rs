//! What expressions give, known before anything runs.
//!
//! [`Contexts`] says what `github`, `steps`, `needs`, … are at a place, and what an expression there is; [`Type`] is the answer. It holds
//! for completion and hover, too: the properties that may follow `steps.` at a place are those of `contexts.get("steps", &place)`.
//! [`Typed`] is all of it for one file, done once, with what rules ask about.
//!
//! A type never promises more than every run keeps: what a part of the file leaves open is [`Type::Any`], and an object is strict only
//! where nothing can add to it.

mod contexts;
mod event;
mod fixed;
mod infer;
mod inputs;
mod jobs;
mod kind;
mod matrix;
mod steps;

pub use contexts::Contexts;
pub(crate) use event::events_with;
pub use infer::{Call, Chains, Choice, Compared, Flag, Misuse, Taken, Typed, Unknown, constant};
pub use kind::{ObjectType, Origin, OutputsKnown, Property, Type};
pub(crate) use steps::{Standing, own_steps, standing};
