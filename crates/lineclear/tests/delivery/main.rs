//! `publish`, `promote` and `images` through the binary: into the embedded registry, and into a real one.

mod house;
mod killed;
mod promote;
mod publish;
mod refused;
mod signing;
mod steps;
