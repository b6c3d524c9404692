//! The loop that drives the engine: record the input, apply it, hand out the effects.
//!
//! Every input is recorded *before* it is acted on, so a run whose process was killed can be looked back at and resumed by
//! replay. The loop decides nothing: the engine does; and it starts nothing: its [`Hands`] do. It keeps the timers, by a clock
//! that it is given. Start at [`Drive::until_idle`].

mod drive;
mod hands;
mod replay;

pub use drive::{Clock, Drive, DriveError};
pub use hands::Hands;
pub use replay::replay;
