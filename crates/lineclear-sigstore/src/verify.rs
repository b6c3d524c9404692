//! Verifying: the one place where a signature becomes something that may be relied on.

use lineclear_oci::Digest;
use sha2::{Digest as _, Sha256};

use crate::{
    Bundle, BundleContent, Envelope, KeyMaterial, PAYLOAD_TYPE, PublicKey, SIGNATURE, SimpleSigning,
    SimpleSigningError, Statement, StatementError,
};

/// The keys whose signatures count.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys(Vec<PublicKey>);

/// A signature that was verified, by a key that counts, for the digest that was asked for. Nothing else makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// The key's name: see [`PublicKey::id`].
    pub key: String,
    /// The digest that is signed.
    pub digest: Digest,
    /// What is said of it.
    pub claim: Claim,
}

/// What a verified signature says.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// That the digest is signed.
    Signature,
    /// What the statement says. It was not looked into.
    Statement(Statement),
}

/// Why a signature does not count.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There are no keys to verify with.
    #[error("no key counts: name one with `--key`, or in `[signing] keys` of lineclear.toml")]
    NoKeys,
    /// It was made by an identity.
    #[error(
        "it was made by an identity with a certificate, which cannot be verified offline; only signatures by keys are"
    )]
    Keyless,
    /// No key that counts made it, or it was changed since.
    #[error("it is by none of the keys that count, or was changed since")]
    NotByKey,
    /// It speaks of something else.
    #[error("it speaks of {said}, and not of {asked}")]
    OtherDigest {
        /// What it speaks of.
        said: String,
        /// What was asked for.
        asked: Digest,
    },
    /// The signed text is of another type.
    #[error("what is signed is `{found}`; expected `{PAYLOAD_TYPE}`")]
    PayloadType {
        /// Its type.
        found: String,
    },
    /// The signed text is no statement.
    #[error("what is signed is of no use")]
    Statement(#[from] StatementError),
    /// The signed text is not of cosign's form.
    #[error("what is signed is of no use")]
    SimpleSigning(#[from] SimpleSigningError),
    /// A signature over a text that is not at hand.
    #[error("it is over a text that it does not carry, and that is not the image's manifest")]
    NoText,
}

impl TrustedKeys {
    /// These keys count.
    pub fn new(keys: Vec<PublicKey>) -> Self {
        Self(keys)
    }

    /// All of them.
    pub fn keys(&self) -> &[PublicKey] {
        &self.0
    }

    /// Verifies a bundle. `manifest` is the manifest that `digest` is of, where it is at hand: signatures over the manifest itself need it.
    ///
    /// # Errors
    /// For everything but a signature, by one of the keys, of exactly `digest`.
    pub fn verify_bundle(
        &self,
        bundle: &Bundle,
        digest: &Digest,
        manifest: Option<&[u8]>,
    ) -> Result<Verified, VerifyError> {
        if bundle.material == KeyMaterial::Certificate {
            return Err(VerifyError::Keyless);
        }
        match &bundle.content {
            BundleContent::Envelope(envelope) => self.verify_envelope(envelope, digest),
            BundleContent::Message { digest: said, signature } => {
                let manifest = manifest.filter(|manifest| digest.is_of(manifest)).ok_or(VerifyError::NoText)?;
                if Sha256::digest(manifest).as_slice() != said.as_slice() {
                    return Err(VerifyError::NoText);
                }
                let key = self.signer(manifest, signature)?;
                Ok(Verified { key, digest: digest.clone(), claim: Claim::Signature })
            }
        }
    }

    /// Verifies an envelope with a statement.
    ///
    /// # Errors
    /// As [`TrustedKeys::verify_bundle`].
    pub fn verify_envelope(&self, envelope: &Envelope, digest: &Digest) -> Result<Verified, VerifyError> {
        let text = envelope.signed_text();
        let by = envelope.signatures.iter().map(|signature| self.signer(&text, &signature.signature));
        let key = by.reduce(Result::or).unwrap_or(Err(VerifyError::NotByKey))?;
        // Nothing of the text is looked at before somebody who counts has signed it.
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(VerifyError::PayloadType { found: envelope.payload_type.chars().take(200).collect() });
        }
        let statement = Statement::read(&envelope.payload)?;
        if !statement.is_of(digest) {
            return Err(VerifyError::OtherDigest { said: statement.digests(), asked: digest.clone() });
        }
        let claim = match statement.predicate_type.as_str() {
            SIGNATURE => Claim::Signature,
            _ => Claim::Statement(statement),
        };
        Ok(Verified { key, digest: digest.clone(), claim })
    }

    /// Verifies one of cosign's older signatures.
    ///
    /// # Errors
    /// As [`TrustedKeys::verify_bundle`].
    pub fn verify_simple(&self, payload: &[u8], signature: &[u8], digest: &Digest) -> Result<Verified, VerifyError> {
        let key = self.signer(payload, signature)?;
        let said = SimpleSigning::read(payload)?;
        if said.digest != *digest {
            return Err(VerifyError::OtherDigest { said: said.digest.to_string(), asked: digest.clone() });
        }
        Ok(Verified { key, digest: digest.clone(), claim: Claim::Signature })
    }

    /// The name of the key that signed the text.
    fn signer(&self, text: &[u8], signature: &[u8]) -> Result<String, VerifyError> {
        if self.0.is_empty() {
            return Err(VerifyError::NoKeys);
        }
        let key = self.0.iter().find(|key| key.verifies(text, signature));
        key.map(PublicKey::id).ok_or(VerifyError::NotByKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PrivateKey;

    fn key() -> PrivateKey {
        PrivateKey::generate().expect("a key")
    }

    fn trusting(key: &PrivateKey) -> TrustedKeys {
        TrustedKeys::new(vec![key.public().clone()])
    }

    #[test]
    fn a_signature_counts_for_its_own_digest_and_by_its_own_key_alone() {
        let (key, digest, sibling) = (key(), Digest::of(b"one"), Digest::of(b"two"));
        let bundle = Bundle::sign(&Statement::signature_of(&digest), &key).expect("it is signed");
        let verified = trusting(&key).verify_bundle(&bundle, &digest, None).expect("it counts");
        assert_eq!((verified.key, verified.claim), (key.public().id(), Claim::Signature));
        // S0-45: what is proven of one digest is nothing for another.
        let error = trusting(&key).verify_bundle(&bundle, &sibling, None).expect_err("it is of another digest");
        assert!(matches!(error, VerifyError::OtherDigest { .. }));
        let stranger = self::key();
        assert!(matches!(trusting(&stranger).verify_bundle(&bundle, &digest, None), Err(VerifyError::NotByKey)));
        assert!(matches!(TrustedKeys::default().verify_bundle(&bundle, &digest, None), Err(VerifyError::NoKeys)));
    }

    #[test]
    fn a_changed_text_type_or_signature_counts_for_nothing() {
        let (key, digest) = (key(), Digest::of(b"one"));
        let bundle = Bundle::sign(&Statement::signature_of(&digest), &key).expect("it is signed");
        let BundleContent::Envelope(envelope) = bundle.content else { panic!("it is an envelope") };
        let trusted = trusting(&key);
        assert!(trusted.verify_envelope(&envelope, &digest).is_ok());
        let mut changed = envelope.clone();
        changed.payload = Statement::signature_of(&Digest::of(b"two")).write();
        assert!(matches!(trusted.verify_envelope(&changed, &Digest::of(b"two")), Err(VerifyError::NotByKey)));
        let mut changed = envelope.clone();
        changed.payload_type.push('x');
        assert!(matches!(trusted.verify_envelope(&changed, &digest), Err(VerifyError::NotByKey)));
        let mut changed = envelope;
        changed.signatures[0].signature[10] ^= 1;
        assert!(trusted.verify_envelope(&changed, &digest).is_err());
        // Signed by the right key, and no statement.
        let other = Envelope::sign("text/plain", b"hello".to_vec(), &key).expect("it is signed");
        assert!(matches!(trusted.verify_envelope(&other, &digest), Err(VerifyError::PayloadType { .. })));
    }

    #[test]
    fn an_attestation_is_no_signature_and_a_certificate_is_no_key() {
        let (key, digest) = (key(), Digest::of(b"one"));
        let statement = Statement::new("app", &digest, "https://example.org/x", serde_json::json!({}));
        let mut bundle = Bundle::sign(&statement, &key).expect("it is signed");
        let claim = trusting(&key).verify_bundle(&bundle, &digest, None).expect("it counts").claim;
        assert_eq!(claim, Claim::Statement(statement));
        bundle.material = KeyMaterial::Certificate;
        assert!(matches!(trusting(&key).verify_bundle(&bundle, &digest, None), Err(VerifyError::Keyless)));
    }

    #[test]
    fn a_signature_over_the_manifest_itself_counts_with_the_manifest_at_hand() {
        let (key, manifest) = (key(), b"the bytes of a manifest".as_slice());
        let digest = Digest::of(manifest);
        let signature = key.sign(manifest).expect("it is signed");
        let bundle = Bundle {
            material: KeyMaterial::Key { hint: String::new() },
            content: BundleContent::Message { digest: Sha256::digest(manifest).to_vec(), signature },
        };
        let bundle = Bundle::read(&bundle.write()).expect("it is read");
        let trusted = trusting(&key);
        assert_eq!(trusted.verify_bundle(&bundle, &digest, Some(manifest)).expect("it counts").claim, Claim::Signature);
        assert!(matches!(trusted.verify_bundle(&bundle, &digest, None), Err(VerifyError::NoText)));
        assert!(matches!(trusted.verify_bundle(&bundle, &Digest::of(b"x"), Some(b"x")), Err(VerifyError::NoText)));
        assert!(trusting(&self::key()).verify_bundle(&bundle, &digest, Some(manifest)).is_err());
    }

    #[test]
    fn an_older_signature_counts_for_the_digest_that_is_in_its_text() {
        let (key, digest) = (key(), Digest::of(b"one"));
        let place = "registry.example/app".parse().expect("a name");
        let payload = SimpleSigning::new(&place, &digest).write();
        let signature = key.sign(&payload).expect("it is signed");
        assert!(trusting(&key).verify_simple(&payload, &signature, &digest).is_ok());
        let error =
            trusting(&key).verify_simple(&payload, &signature, &Digest::of(b"two")).expect_err("another digest");
        assert!(matches!(error, VerifyError::OtherDigest { .. }));
    }
}
