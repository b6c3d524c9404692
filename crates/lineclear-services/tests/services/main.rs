//! What steps meet when they talk to the services: the official clients, unmodified, and hostile ones.

mod artifacts;
mod blobs;
mod caches;
mod caches_v1;
mod client;
mod faults;
mod forge;
mod git;
mod http;
mod identity_tokens;
mod limits;
mod tokens;
mod world;
