//! A client of OCI registries: resolve, pull, push, copy, tag, list, delete.
//!
//! [`Client`] is blocking and made to be shared: clones are the same client, and any number of threads may use it at once. What it
//! promises:
//!
//! - Content is verified against its digest over the raw bytes that came, always. What is larger than announced is refused with the first
//!   byte too many. Layers of any size stream with the same small memory.
//! - What fails for a moment is tried again, with growing pauses that differ between clients, and not for ever
//!   ([`RetryPolicy`]). `Retry-After` is respected. A broken download goes on where it broke, a broken upload where the registry says.
//! - Tags are moved last: an image that is pushed or copied is there as a whole, or not at all.
//! - Credentials are sent to the registry that they are for and to its token server, never to a server that content is redirected to.
//! - Lists that never end, manifests that are bombs and answers that are nonsense are errors that say so.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use lineclear_oci::{Platform, Reference};
//! use lineclear_registry::credentials::DockerConfig;
//! use lineclear_registry::{Client, ClientSettings, CopyOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let credentials = Arc::new(DockerConfig::of_user(|name| std::env::var(name).ok()));
//! let client = Client::new(ClientSettings { credentials, ..ClientSettings::default() })?;
//!
//! // What does a name stand for now, and what is in it?
//! let postgres: Reference = "postgres:15".parse()?;
//! let image = client.image(&postgres, &Platform::of_this_machine())?;
//! assert!(image.config.config.exposed_ports.contains_key("5432/tcp"));
//!
//! // To another registry, with all platforms, signatures and SBOMs; the digest stays.
//! let ours: Reference = "registry.example/mirror/postgres:15".parse()?;
//! let copied = client.copy(&postgres, &ours, &CopyOptions::default())?;
//! assert_eq!(copied.root.digest, *image.root.digest());
//!
//! // Another name for the same digest moves no data.
//! client.retag(&ours.at(copied.root.digest), &"stable".parse()?)?;
//! # Ok(())
//! # }
//! ```
//!
//! Start reading at [`Client`]; [`ImageSource`] is what can be pushed: another registry, an image layout, an archive.
//!
//! # Source
//! The OCI distribution specification 1.1.

#![warn(missing_docs)]

mod address;
mod archive;
mod authentication;
mod blob_pull;
mod blob_push;
mod challenge;
mod client;
mod copy;
pub mod credentials;
mod docker_archive;
mod error;
mod layout;
mod manifests;
mod progress;
mod push_image;
mod referrers;
mod retry;
mod secret;
mod settings;
mod source;
mod transport;

pub use archive::OciArchive;
pub use blob_pull::BlobReader;
pub use blob_push::OpenBlob;
pub use client::Client;
pub use copy::CopyOptions;
pub use credentials::Credentials;
pub use docker_archive::{DockerArchive, SavedImage};
pub use error::{RegistryClientError, SettingsError};
pub use layout::OciLayout;
pub use manifests::FoundImage;
pub use progress::{BlobOutcome, Progress, ProgressEvent};
pub use push_image::Pushed;
pub use retry::RetryPolicy;
pub use secret::Secret;
pub use settings::{ClientSettings, Mirror, Protocol};
pub use source::{ImageSource, open_image};
