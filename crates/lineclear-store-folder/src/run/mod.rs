//! Runs in the folder: their records and logs.

mod log;
mod read;
mod record;

pub(crate) use read::is_alive;
pub(crate) use record::RECORD;
