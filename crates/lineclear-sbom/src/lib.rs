//! What is inside an image: its packages, read from its layers, and written as SPDX and CycloneDX.
//!
//! Everything here gets bytes and gives values; who has the bytes (an engine, a registry, a folder) is the caller's business. Start at
//! [`Inventory`], which all readers make and all writers take.

mod inventory;
mod purl;

pub use inventory::{Described, Distribution, Inventory, Package, PackageType, SourcePackage, Unread};
pub use purl::{Purl, PurlError, python_name};
