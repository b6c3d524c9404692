//! The keys that sign identity tokens.
//!
//! ```text
//! <state>/oidc/<milliseconds since 1970>-<key id>.der     RSA-2048, PKCS #8, mode 0600
//! ```
//! The newest signs; those before it stay for the tokens that they signed. The first is made when the first token is asked for:
//! it takes a noticeable time.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lineclear_event::{Timestamp, hexadecimal};
use serde_json::{Value, json};

use super::SubjectForm;
use crate::ServicesError;

/// So many keys are kept; older ones go when a new one is made.
const KEPT: usize = 4;

/// A longer file is no key.
const KEY_BYTES: u64 = 64 << 10;

/// The issuer's keys, in a folder.
#[derive(Debug)]
pub(crate) struct Oidc {
    folder: PathBuf,
    form: SubjectForm,
    /// The key that signs, once it was asked for.
    current: Mutex<Option<Arc<SigningKey>>>,
}

impl Oidc {
    /// Reads and makes nothing yet.
    pub(crate) fn new(folder: PathBuf, form: SubjectForm) -> Self {
        Self { folder, form, current: Mutex::new(None) }
    }

    pub(crate) fn subject_form(&self) -> SubjectForm {
        self.form
    }

    /// The newest key; made if there is none.
    pub(crate) fn signing_key(&self, now: Timestamp) -> Result<Arc<SigningKey>, ServicesError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = &*current {
            return Ok(key.clone());
        }
        let newest = self.files()?.into_iter().rev().find_map(|path| read(&path).ok());
        let key = Arc::new(match newest {
            Some(key) => key,
            None => self.make(now)?,
        });
        *current = Some(key.clone());
        Ok(key)
    }

    /// Signs with a new key from now on.
    pub(crate) fn rotate(&self, now: Timestamp) -> Result<(), ServicesError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::new(self.make(now)?));
        let files = self.files()?;
        for old in files.iter().take(files.len().saturating_sub(KEPT)) {
            fs::remove_file(old).map_err(|source| ServicesError::Key { path: old.clone(), source })?;
        }
        Ok(())
    }

    /// All keys as a JSON Web Key Set lists them, the newest first. What is in the folder and is no key is left out.
    pub(crate) fn public_keys(&self, now: Timestamp) -> Result<Vec<Value>, ServicesError> {
        self.signing_key(now)?;
        Ok(self.files()?.iter().rev().filter_map(|path| read(path).ok()).map(|key| key.jwk()).collect())
    }

    /// The files of keys, the oldest first.
    fn files(&self) -> Result<Vec<PathBuf>, ServicesError> {
        let failed = |source| ServicesError::Key { path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "der") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    fn make(&self, now: Timestamp) -> Result<SigningKey, ServicesError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| ServicesError::MakeKey)?;
        let key = SigningKey::new(pair)?;
        let der: Pkcs8V1Der<'static> = key.pair.as_der().map_err(|_| ServicesError::MakeKey)?;
        let path = self.folder.join(format!("{:016}-{}.der", now.0.max(0), key.kid));
        self.write(&path, der.as_ref()).map_err(|source| ServicesError::Key { path, source })?;
        Ok(key)
    }

    /// Writes a key for this user alone; it appears completely or not at all.
    fn write(&self, path: &Path, der: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(der)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }
}

/// One key.
pub(crate) struct SigningKey {
    pair: KeyPair,
    kid: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    fn new(pair: KeyPair) -> Result<Self, ServicesError> {
        let (modulus, exponent) = public_numbers(pair.public_key().as_ref()).ok_or(ServicesError::MakeKey)?;
        let (n, e) = (URL_SAFE_NO_PAD.encode(&modulus), URL_SAFE_NO_PAD.encode(&exponent));
        // The thumbprint of RFC 7638: members in the order of their names.
        let thumbprint = format!("{{\"e\":\"{e}\",\"kty\":\"RSA\",\"n\":\"{n}\"}}");
        let kid = hexadecimal(digest::digest(&digest::SHA256, thumbprint.as_bytes()).as_ref());
        Ok(Self { pair, kid, modulus, exponent })
    }

    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The signature of RS256.
    pub(crate) fn sign(&self, text: &[u8]) -> Result<Vec<u8>, ServicesError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = rand::SystemRandom::new();
        self.pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature).map_err(|_| ServicesError::MakeKey)?;
        Ok(signature)
    }

    fn jwk(&self) -> Value {
        json!({
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self.kid,
            "n": URL_SAFE_NO_PAD.encode(&self.modulus),
            "e": URL_SAFE_NO_PAD.encode(&self.exponent),
        })
    }
}

fn read(path: &Path) -> io::Result<SigningKey> {
    if fs::metadata(path)?.len() > KEY_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let der = zeroize::Zeroizing::new(fs::read(path)?);
    let pair = KeyPair::from_pkcs8(&der).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    SigningKey::new(pair).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Modulus and exponent of `SEQUENCE { INTEGER, INTEGER }`, without leading zeros: the library's form of a public RSA key.
fn public_numbers(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (sequence, _) = element(der, 0x30)?;
    let (modulus, rest) = element(sequence, 0x02)?;
    let (exponent, _) = element(rest, 0x02)?;
    let plain = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
    Some((plain(modulus), plain(exponent)))
}

/// The content of a DER element of this kind, and what follows it.
fn element(der: &[u8], kind: u8) -> Option<(&[u8], &[u8])> {
    let [found, length, rest @ ..] = der else { return None };
    if *found != kind {
        return None;
    }
    let (length, rest) = match length {
        short @ 0..=0x7f => (usize::from(*short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            if digits.len() > 4 {
                return None;
            }
            (digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_kept_for_its_user_alone_and_rotated() {
        let folder = tempfile::tempdir().expect("a folder");
        let oidc = Oidc::new(folder.path().join("oidc"), SubjectForm::Names);
        assert!(!folder.path().join("oidc").exists(), "nothing is made before it is needed");
        let first = oidc.signing_key(Timestamp(1)).expect("a key").kid().to_owned();
        let files = oidc.files().expect("files");
        let mode = fs::metadata(&files[0]).expect("a file").permissions().mode();
        assert_eq!((files.len(), mode & 0o777), (1, 0o600));

        let again = Oidc::new(folder.path().join("oidc"), SubjectForm::Names);
        assert_eq!(again.signing_key(Timestamp(2)).expect("a key").kid(), first, "another process reads it");
        fs::write(folder.path().join("oidc/9-damaged.der"), "no key").expect("a damaged file");
        again.rotate(Timestamp(3)).expect("a new key");
        let keys = again.public_keys(Timestamp(4)).expect("keys");
        let kids: Vec<&str> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
        assert_eq!(kids.len(), 2);
        assert_eq!(kids[1], first, "the older key can still be verified");
        assert_eq!(again.signing_key(Timestamp(4)).expect("a key").kid(), kids[0]);
        assert_eq!(keys[0]["e"], "AQAB");
    }

    #[test]
    fn der_is_read_with_care() {
        assert_eq!(public_numbers(&[0x30, 6, 2, 1, 5, 2, 1, 3]), Some((vec![5], vec![3])));
        for der in [&[][..], &[0x30], &[0x30, 5, 2], &[0x30, 0x85, 1, 1, 1, 1, 1], &[0x30, 3, 2, 9, 1], &[0x31, 0]] {
            assert_eq!(public_numbers(der), None, "{der:?}");
        }
    }
}
