//! Compose files as a model with places.
//!
//! [`Compose::read`] gives one file as a typed model together with everything that is wrong with it: unknown keys, values of another
//! kind. [`Stack::of`] merges a base and its overlays by the specification's rules; [`Environment::of`] says what a file is for by its
//! name, [`bases_of`] what it lies upon. `${…}` stays as it is written; [`interpolation`] knows its defaults. This crate opens no file
//! and starts nothing.

#![warn(missing_docs)]

mod environment;
pub mod interpolation;
mod model;
mod read;
mod short;
mod stack;

pub use environment::{Environment, bases_of};
pub use model::{
    Build, Command, Compose, Condition, Dependency, Element, EnvFile, Extends, Healthcheck, Mount, MountKind, Override,
    Port, Resources, Service, Text, Variable,
};
pub use read::VALUE_CODE;
pub use stack::Stack;
