//! The registry over HTTP: the table of requirements once more, and what jobs may.

#[path = "../services/world.rs"]
#[expect(dead_code, reason = "the other tests of the services use the rest")]
mod world;

#[path = "../../../lineclear-registry-server/tests/protocol/requirements.rs"]
mod requirements;

mod http;
mod jobs;
mod served;
