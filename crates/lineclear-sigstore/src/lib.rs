//! Signatures and attestations of images, as Sigstore bundles and as cosign keeps them: made, read and verified, with keys and offline.
//!
//! Nothing here opens a connection or a file: bytes in, bytes out. `lineclear-deliver` carries what is made here to registries.
//!
//! - [`PrivateKey`] signs, [`PublicKey`] verifies, [`TrustedKeys`] are the keys that count. Private keys are kept in cosign's own form, so
//!   that either program uses those of the other.
//! - [`Statement`] says something of a digest (in-toto), [`Provenance`] how it was built (SLSA), [`Envelope`] carries a signed statement (DSSE),
//!   [`SimpleSigning`] is cosign's older form of a signature's text.
//! - [`Bundle`] is the file that a signature travels in; [`referrer`] and [`signature_manifest`] are how registries keep it.
//! - [`Verified`] is the one proof that a signature was verified: only [`TrustedKeys`] makes one, for exactly the digest that was asked for.
//!
//! ```
//! use lineclear_oci::Digest;
//! use lineclear_sigstore::{Bundle, Claim, PrivateKey, Statement, TrustedKeys};
//!
//! let key = PrivateKey::generate()?;
//! let digest = Digest::of(b"the bytes of a manifest");
//! let bundle = Bundle::sign(&Statement::signature_of(&digest), &key)?;
//! let read = Bundle::read(&bundle.write())?;
//! let trusted = TrustedKeys::new(vec![key.public().clone()]);
//! assert_eq!(trusted.verify_bundle(&read, &digest, None)?.claim, Claim::Signature);
//! assert!(trusted.verify_bundle(&read, &Digest::of(b"another"), None).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What needs an identity instead of a key (certificates, transparency logs) needs services on the internet, and is refused by name.
//!
//! # Source
//! The protocol buffers of Sigstore bundles; the in-toto Attestation Framework 1.0; SLSA 1.0; DSSE 1.0; cosign's specifications of signatures,
//! attestations and bundles.

#![warn(missing_docs)]

mod artifact;
mod bundle;
mod envelope;
mod json;
mod private_key;
mod provenance;
mod public_key;
mod sealed_key;
mod simple_signing;
mod statement;
mod verify;

pub use artifact::{
    ANNOTATION_CONTENT, ANNOTATION_PREDICATE, ANNOTATION_SIGNATURE, Artifact, SIMPLE_SIGNING, SignatureLayer,
    attestation_tag, bundle_type, envelope_type, is_bundle_type, referrer, signature_layers, signature_manifest,
    signature_tag,
};
pub use bundle::{Bundle, BundleContent, BundleError, KeyMaterial, MAX_BUNDLE_BYTES};
pub use envelope::{Envelope, EnvelopeError, EnvelopeSignature, PAYLOAD_TYPE, pre_authentication_encoding};
pub use json::JsonFault;
pub use private_key::PrivateKey;
pub use provenance::{BUILD_TYPE, Dependency, PROVENANCE, Provenance, ProvenanceError, ProvenanceFacts};
pub use public_key::{KeyAlgorithm, KeyError, PublicKey};
pub use simple_signing::{SimpleSigning, SimpleSigningError};
pub use statement::{SIGNATURE, Statement, StatementError, StatementSubject, predicate_type};
pub use verify::{Claim, TrustedKeys, Verified, VerifyError};
