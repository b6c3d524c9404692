//! A private key under a passphrase: scrypt makes a key of it, and XSalsa20-Poly1305 (NaCl's secretbox) encrypts with that.
//!
//! ```json
//! {"kdf":{"name":"scrypt","params":{"N":65536,"r":8,"p":1},"salt":"…"},"cipher":{"name":"nacl/secretbox","nonce":"…"},"ciphertext":"…"}
//! ```
//!
//! # Source
//! `encrypted` of go-securesystemslib, which cosign and TUF keep their keys with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{KeyError, json};

const MAX_BYTES: usize = 64 << 10;
const KDF: &str = "scrypt";
const CIPHER: &str = "nacl/secretbox";
const SALT: usize = 32;
const NONCE: usize = 24;

/// The costs of scrypt that are written anywhere: of older keys, of cosign's, and the one that OWASP recommends. Others are refused, because
/// a file could otherwise ask for any amount of memory. The logarithm of `N` stands beside it.
const COSTS: [(u64, u8); 3] = [(1 << 15, 15), (1 << 16, 16), (1 << 17, 17)];
const R: u32 = 8;
const P: u32 = 1;
/// What new keys are sealed with, as cosign does.
const STANDARD_COST: (u64, u8) = COSTS[1];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Encrypts a private key.
pub(crate) fn seal(document: &[u8], passphrase: &[u8]) -> Result<Vec<u8>, KeyError> {
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
    for bytes in [salt.as_mut_slice(), nonce.as_mut_slice()] {
        getrandom::fill(bytes).map_err(|error| KeyError::NoRandomness { reason: error.to_string() })?;
    }
    let cipher = cipher(passphrase, &salt, STANDARD_COST.1)?;
    let ciphertext = cipher.encrypt(&nonce.into(), document).map_err(|_| fault("it is too long to be encrypted"))?;
    let sealed = Sealed {
        kdf: Kdf { name: KDF.to_owned(), params: Cost { n: STANDARD_COST.0, r: R, p: P }, salt: STANDARD.encode(salt) },
        cipher: Cipher { name: CIPHER.to_owned(), nonce: STANDARD.encode(nonce) },
        ciphertext: STANDARD.encode(ciphertext),
    };
    serde_json::to_vec(&sealed).map_err(|error| fault(&error.to_string()))
}

/// Decrypts a private key; what is given is overwritten when it is dropped.
pub(crate) fn open(text: &[u8], passphrase: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let value = json::read(text, MAX_BYTES).map_err(|error| fault(&lineclear_event::with_causes(&error)))?;
    let sealed: Sealed = serde_json::from_value(value).map_err(|error| fault(&error.to_string()))?;
    if sealed.kdf.name != KDF || sealed.cipher.name != CIPHER {
        return Err(fault(&format!("expected {KDF} and {CIPHER}")));
    }
    let Cost { n, r, p } = sealed.kdf.params;
    let cost = COSTS.iter().find(|(known, _)| *known == n && (r, p) == (R, P));
    let (_, log_n) = cost.ok_or_else(|| fault("its scrypt parameters are none that cosign writes"))?;
    let decode = |text: &str| STANDARD.decode(text).map_err(|_| fault("what should be base64 is not"));
    let nonce: [u8; NONCE] =
        decode(&sealed.cipher.nonce)?.try_into().map_err(|_| fault("the nonce has another length"))?;
    let salt = decode(&sealed.kdf.salt)?;
    let opened = cipher(passphrase, &salt, *log_n)?.decrypt(&nonce.into(), decode(&sealed.ciphertext)?.as_slice());
    opened.map(Zeroizing::new).map_err(|_| KeyError::WrongPassphrase)
}

fn cipher(passphrase: &[u8], salt: &[u8], log_n: u8) -> Result<XSalsa20Poly1305, KeyError> {
    let parameters = scrypt::Params::new(log_n, R, P).map_err(|error| fault(&error.to_string()))?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(passphrase, salt, &parameters, key.as_mut_slice()).map_err(|error| fault(&error.to_string()))?;
    Ok(XSalsa20Poly1305::new((&*key).into()))
}

fn fault(reason: &str) -> KeyError {
    KeyError::Sealed { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_passphrase_and_every_change_is_noticed() {
        let sealed = seal(b"a private key", b"open sesame").expect("it is sealed");
        assert_eq!(*open(&sealed, b"open sesame").expect("it opens"), b"a private key");
        assert!(matches!(open(&sealed, b"open"), Err(KeyError::WrongPassphrase)));
        let mut changed: Sealed = serde_json::from_slice(&sealed).expect("it is JSON");
        changed.ciphertext.replace_range(0..4, "AAAA");
        let changed = serde_json::to_vec(&changed).expect("it is JSON");
        assert!(matches!(open(&changed, b"open sesame"), Err(KeyError::WrongPassphrase)));
    }

    #[test]
    fn a_file_that_asks_for_more_memory_than_any_key_needs_is_refused() {
        let sealed = seal(b"a private key", b"").expect("it is sealed");
        let text = String::from_utf8(sealed).expect("it is JSON").replace("65536", "1073741824");
        let error = open(text.as_bytes(), b"").expect_err("it is refused");
        assert!(error.to_string().contains("scrypt parameters"), "{error}");
    }
}
