//! Private keys: made, kept in cosign's form, and signed with.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

use crate::public_key::one_pem;
use crate::sealed_key;
use crate::{KeyError, PublicKey};

/// Label of an encrypted key, and the one that older versions of cosign wrote.
const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
const OLDER_LABEL: &str = "ENCRYPTED COSIGN PRIVATE KEY";

/// A private key on P-256. `Debug` shows which key it is and nothing of it; its memory is overwritten when it is dropped.
pub struct PrivateKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl PrivateKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// If the machine gives no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
        Self::of(pair.map_err(|_| KeyError::NoRandomness { reason: "the generator failed".to_owned() })?)
    }

    /// Opens a key as cosign and [`PrivateKey::seal`] write it.
    ///
    /// # Errors
    /// For another file, another passphrase, and keys that are not on P-256.
    pub fn open(text: &[u8], passphrase: &[u8]) -> Result<Self, KeyError> {
        let read = one_pem(text)?;
        if !matches!(read.tag(), LABEL | OLDER_LABEL) {
            return Err(KeyError::NotPrivate { found: read.tag().to_owned() });
        }
        let document = sealed_key::open(read.contents(), passphrase)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &document);
        Self::of(pair.map_err(|_| KeyError::UnsupportedPrivate)?)
    }

    /// The key as a PEM file, encrypted with the passphrase: what `cosign --key` takes.
    ///
    /// # Errors
    /// If the machine gives no random numbers.
    pub fn seal(&self, passphrase: &[u8]) -> Result<String, KeyError> {
        // Overwrites itself when it is dropped.
        let document = self.pair.to_pkcs8v1().map_err(|_| KeyError::UnsupportedPrivate)?;
        let sealed = sealed_key::seal(document.as_ref(), passphrase)?;
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        Ok(pem::encode_config(&pem::Pem::new(LABEL, sealed), config))
    }

    /// Whether a file looks like a private key, without opening it.
    pub fn is_one(text: &[u8]) -> bool {
        one_pem(text).is_ok_and(|read| matches!(read.tag(), LABEL | OLDER_LABEL))
    }

    /// Its public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a text.
    ///
    /// # Errors
    /// If the machine gives no random numbers.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.pair.sign(&SystemRandom::new(), message);
        let signature = signature.map_err(|_| KeyError::NoRandomness { reason: "the generator failed".to_owned() })?;
        Ok(signature.as_ref().to_vec())
    }

    fn of(pair: EcdsaKeyPair) -> Result<Self, KeyError> {
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| KeyError::UnsupportedPrivate)?;
        let public = PublicKey::from_der(der.as_ref())?;
        Ok(Self { pair, public })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(*** of {})", self.public.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_with_its_passphrase_alone_and_signs_as_before() {
        let key = PrivateKey::generate().expect("a key");
        let sealed = key.seal(b"open sesame").expect("it is sealed");
        assert!(sealed.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"));
        assert!(PrivateKey::is_one(sealed.as_bytes()));
        let opened = PrivateKey::open(sealed.as_bytes(), b"open sesame").expect("it opens");
        assert_eq!(opened.public(), key.public());
        assert!(key.public().verifies(b"text", &opened.sign(b"text").expect("a signature")));
        assert!(matches!(PrivateKey::open(sealed.as_bytes(), b"open"), Err(KeyError::WrongPassphrase)));
        assert!(!format!("{opened:?}").contains("BEGIN"));
    }

    #[test]
    fn a_key_that_is_not_encrypted_is_refused_with_what_to_do() {
        let open = pem::encode(&pem::Pem::new("PRIVATE KEY", vec![1, 2, 3]));
        let error = PrivateKey::open(open.as_bytes(), b"").expect_err("it is refused");
        assert!(error.to_string().contains("cosign import-key-pair"), "{error}");
    }
}
