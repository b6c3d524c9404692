//! Signatures and attestations of images in registries: attached, found and verified.
//!
//! [`sign_image`] and [`attest`] attach, and give what they attached only after they have read it back and verified it: their answer is
//! evidence. [`examine`] reads all that is attached to an image and says of each piece whether it counts, and if not, why. Whatever was
//! attached by whomever, only what `lineclear-sigstore` verified for exactly this digest is worth anything.

mod attach;
mod error;
mod examine;
mod proofs;

pub use attach::{Attested, attest, attest_provenance, recursively, sign_image};
pub use error::SigningError;
pub use examine::{Examined, Form, Proof, Refused, examine};
pub use proofs::Proofs;
