//! The loop: record the input, apply the engine, hand out the effects.
//!
//! [`Drive`] takes facts from its inbox one by one, makes each durable in the record of its run *before* the engine decides on
//! it, and gives what the engine orders to its [`Hands`]. Timers are kept here, and time comes from a [`Clock`], so that a
//! test's ten-minute time-out takes no time ([`simulation`]). What was recorded can be decided again by [`replay()`].
//! The drive decides nothing, runs no job and opens no file.

mod clock;
mod drive;
mod hands;
mod inbox;
mod record;
mod replay;
pub mod simulation;
mod timers;

pub use clock::{Clock, Next, RealTime};
pub use drive::{Drive, DriveError};
pub use hands::Hands;
pub use inbox::{Inbox, Message, inbox};
pub use record::Recorded;
pub use replay::{Replay, ReplayError, replay, replay_texts};
