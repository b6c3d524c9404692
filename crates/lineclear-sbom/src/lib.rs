//! What is inside an image: its packages, read from its layers, and written as SPDX and CycloneDX.
//!
//! Everything here gets bytes and gives values; who has the bytes (an engine, a registry, a folder) is the caller's business. Start at
//! [`Inventory`], which all readers make and all writers take.

mod catalog;
mod document;
mod inventory;
mod purl;
mod read;

pub use document::{Creation, DocumentError, DocumentFormat, MAX_DOCUMENT_BYTES, read_document};
pub use inventory::{Described, Distribution, Inventory, Package, PackageType, SourcePackage, Unread};
pub use purl::{Purl, PurlError, python_name};
pub use read::{Limits, ReadError, Reader};
