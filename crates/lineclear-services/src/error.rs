//! What can go wrong before a request comes.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

/// Why the services are not there for a job.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    #[error("cannot listen on 127.0.0.1 for what steps talk to")]
    Listen(#[source] io::Error),
    #[error("cannot listen on {address} for what steps in containers talk to")]
    ListenAt { address: IpAddr, source: io::Error },
    #[error("cannot start the thread that serves steps")]
    Thread(#[source] io::Error),
    #[error("`{url}` cannot be the services' address: {why}")]
    BaseUrl { url: String, why: &'static str },
    #[error("the system gives no random numbers for tokens")]
    Random,
    #[error("cannot keep the key that signs identity tokens at `{path}`")]
    Key { path: PathBuf, source: io::Error },
    #[error("cannot make a key that signs identity tokens")]
    MakeKey,
}
