//! Zip archives, packed and unpacked.

mod fixture;
mod laws;
mod packed;
mod refused;
