//! The embedded registry as people use it: real clients, kills, full disks.

mod clients;
mod faults;
mod kept;
mod raw;
mod server;
