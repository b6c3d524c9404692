//! A job's own door to the container engine.
//!
//! A door is a socket that speaks the engine's own API: `docker`, compose and every other client of it work through it unchanged. What
//! they make is marked as the job's, is the only thing they see of what is on the machine, goes by names that no other job's
//! meet, and is removed when the door closes.
//!
//! ```text
//! client in a step ─► serve ─► rewrite (pure: what is done with this request?) ─► relay ─► engine
//!                                    └─ asks `look` what is there                   └─ lines, ports, images: what follows
//! ```
//!
//! Start reading at [`Doors`]; what is decided is in `rewrite`, with a file for each kind of object. `docs/compose.md` says what users
//! see of all this.
//!
//! A door keeps jobs from each other's things by accident and by design of the API; against a job that may open the engine's
//! own socket itself, only isolation of its processes helps.
//!
//! # Source
//! Docker Engine API 1.24 to 1.50.

mod cleanup;
mod client;
mod door;
mod engine;
mod follow;
mod http;
mod images;
mod known;
mod lines;
mod look;
mod names;
mod ports;
mod relay;
mod rewrite;
mod serve;
mod settings;
mod stream;
mod turns;

#[doc(hidden)]
pub mod fuzzing;

pub use door::Doors;
pub use settings::{EngineAddress, Settings, View};
