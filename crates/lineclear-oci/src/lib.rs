//! The words of container images: names, digests, descriptors, manifests, indexes, configurations, errors of a registry.
//!
//! Everything here is a value: texts are parsed once, with an error that says what is wrong, and trusted inside. A digest is always that
//! of raw bytes, never of something written anew.
//!
//! - [`Reference`] is how people name an image; [`RepositoryName`], [`Tag`], [`Digest`] are its parts. [`Routes`] maps hosts to others.
//! - [`AnyManifest::read`] reads what a registry answers for a manifest, and keeps its bytes; [`ImageConfig`] says how an image runs.
//! - [`ManifestParts::write`] and [`IndexParts::write`] make new ones, [`Index::of`] joins images of single platforms.
//!
//! ```
//! use lineclear_oci::{Digest, Reference};
//!
//! let image: Reference = "postgres:15".parse()?;
//! assert_eq!(image.to_string(), "docker.io/library/postgres:15");
//! assert_eq!(image.familiar(), "postgres:15");
//! let pinned = image.at(Digest::of(b"the bytes of its manifest"));
//! assert!(pinned.to_string().starts_with("docker.io/library/postgres:15@sha256:"));
//! # Ok::<(), lineclear_oci::NameError>(())
//! ```
//!
//! # Source
//! The OCI image and distribution specifications 1.1, and Docker's rules for short names.

#![warn(missing_docs)]

mod config;
mod descriptor;
mod digest;
mod index;
mod manifest;
mod media_type;
mod name;
mod platform;
mod reference;
mod registry_error;
mod routes;

pub use config::{ConfigError, Healthcheck, HistoryEntry, ImageConfig, MAX_CONFIG_BYTES, RootFs, RunConfig};
pub use descriptor::{Annotations, Descriptor, annotation};
pub use digest::{Algorithm, Digest, DigestMismatch, Hasher, Verifier};
pub use index::{Index, IndexParts};
pub use manifest::{
    AnyManifest, MAX_ENTRIES, MAX_INDEX_DEPTH, MAX_MANIFEST_BYTES, Manifest, ManifestError, ManifestParts,
};
pub use media_type::MediaType;
pub use name::{NameError, NameFault, NamePart, RepositoryName, Tag};
pub use platform::{Platform, PlatformError};
pub use reference::{DOCKER_HUB, Reference, RegistryHost};
pub use registry_error::{ErrorCode, RegistryError, RegistryErrors};
pub use routes::{RouteError, Routes};
