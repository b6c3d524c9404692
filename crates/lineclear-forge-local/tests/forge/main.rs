//! The embedded forge against real git repositories.

#![recursion_limit = "256"]

mod actions;
mod checks;
mod code;
mod durability;
mod ground;
mod hostile;
mod issues;
mod permissions;
mod pulls;
mod releases;
mod scanning;
