//! The embedded OCI registry: the distribution specification 1.1 as a function from requests to responses.
//!
//! [`Registry::answer`] takes the head of a request, a reader of its body and a [`Caller`], and gives status, headers and a body to be sent.
//! It opens no port: a server, a test or a fuzzer stands in front of it. Images are behind the port [`Images`](lineclear_store::Images);
//! who asks and what they may is the caller's to say, in [`Caller::may`], and once more in [`Caller::may_name`] when a tag is about to be set:
//! whoever holds some names against some callers does it there, and the registry knows nothing of why.
//!
//! Start at [`Registry`]; which path is what is in `route.rs`, and each of `blobs`, `uploads`, `manifests`, `listings` answers one part.
//! What was pushed is told in [`Response::pushed`], so that the owner of the server can record it.
//!
//! # Source
//! The OCI distribution specification 1.1. What is Docker's alone (`_catalog`, `Docker-…` headers, some error codes) is as in its
//! documentation of the registry's HTTP API V2.

mod blobs;
mod caller;
mod image_fact;
mod listings;
mod manifests;
mod pattern;
mod range;
mod registry;
mod request;
mod response;
mod route;
mod uploads;

pub use caller::{Caller, Deed, Denial, Free, Grant, Grants, Naming, Permit};
pub use pattern::Pattern;
pub use registry::{Registry, Settings};
pub use request::Request;
pub use response::{Body, Part, Response, refusal};
