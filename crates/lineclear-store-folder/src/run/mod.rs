//! Runs in the folder: their records and logs.

mod log;
mod read;
mod record;
