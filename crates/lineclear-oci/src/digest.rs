//! Digests of raw bytes, and checking a stream against one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};

use crate::name::textual;
use crate::{NameError, NameFault, NamePart, Tag};

/// How a digest is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256: what everybody uses.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// As it is written before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// How many hexadecimal digits follow the colon.
    pub fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }

    /// The digest of `bytes`.
    pub fn digest(self, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish()
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of content by its bytes: `sha256:` and 64 lower-case hexadecimal digits, or `sha512:` and 128.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest {
    algorithm: Algorithm,
    /// With the algorithm.
    text: String,
}

impl Digest {
    /// The SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Algorithm::Sha256.digest(bytes)
    }

    /// Reads `algorithm:digits`.
    ///
    /// # Errors
    /// For another algorithm than the two known, another number of digits, and digits that are not lower-case hexadecimal.
    ///
    /// # Source
    /// The image specification, `descriptor.md`, "Digests".
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fail = |at, fault| Err(NameError::new(text, NamePart::Digest, at, fault));
        let Some((name, digits)) = text.split_once(':') else { return fail(0, NameFault::NoAlgorithm) };
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            "" => return fail(0, NameFault::NoAlgorithm),
            other => return fail(0, NameFault::Algorithm(other.to_owned())),
        };
        let start = name.len() + 1;
        for (at, c) in digits.char_indices() {
            match c {
                '0'..='9' | 'a'..='f' => {}
                'A'..='F' => return fail(start + at, NameFault::UpperCase(c)),
                other => {
                    return fail(start + at, NameFault::Character(other, "allowed are hexadecimal digits"));
                }
            }
        }
        if digits.len() != algorithm.digits() {
            let fault = NameFault::DigestLength { found: digits.len(), expected: algorithm.digits() };
            return fail(start, fault);
        }
        Ok(Self { algorithm, text: text.to_owned() })
    }

    /// How it is computed.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The hexadecimal digits, without the algorithm.
    pub fn hex(&self) -> &str {
        &self.text[self.algorithm.as_str().len() + 1..]
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first twelve digits, as people know them from `docker images`.
    pub fn short(&self) -> &str {
        &self.hex()[..12]
    }

    /// Whether `bytes` have this digest.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        self.algorithm.digest(bytes) == *self
    }

    /// The tag under which registries without the referrers API keep the list of what refers to this digest.
    ///
    /// # Source
    /// The distribution specification, "Referrers Tag Schema": at most 64 digits are kept.
    pub fn referrers_tag(&self) -> Tag {
        Tag::trusted(format!("{}-{}", self.algorithm, &self.hex()[..64]))
    }
}

textual!(Digest);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Computes a digest piece by piece.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hasher").field(&self.algorithm()).finish()
    }
}

impl Hasher {
    /// A hasher that saw nothing.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Box::new(Sha512::new())),
        })
    }

    fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(hash) => hash.update(bytes),
            State::Sha512(hash) => hash.update(bytes),
        }
    }

    /// The digest of all bytes.
    pub fn finish(self) -> Digest {
        let algorithm = self.algorithm();
        let mut text = String::with_capacity(algorithm.as_str().len() + 1 + algorithm.digits());
        text.push_str(algorithm.as_str());
        text.push(':');
        match self.0 {
            State::Sha256(hash) => push_hex(&mut text, &hash.finalize()),
            State::Sha512(hash) => push_hex(&mut text, &hash.finalize()),
        }
        Digest { algorithm, text }
    }
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// Bytes are not those that were named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestMismatch {
    /// There are more or fewer of them.
    #[error("{found} bytes where {expected} are expected")]
    Length {
        /// Bytes that were named.
        expected: u64,
        /// Bytes that came; when too many, as many as were seen.
        found: u64,
    },
    /// They are others.
    #[error("the bytes have the digest {found}; expected {expected}")]
    Digest {
        /// The digest that was named.
        expected: Digest,
        /// That of the bytes.
        found: Digest,
    },
}

/// Checks a stream of raw bytes against a digest and, where it is known, a length.
///
/// A stream that is too long is refused with the first byte too many, so that nobody is made to store what was never announced.
#[derive(Debug, Clone)]
pub struct Verifier {
    hasher: Hasher,
    seen: u64,
    expected: Digest,
    length: Option<u64>,
}

impl Verifier {
    /// A verifier that saw nothing.
    pub fn new(expected: Digest, length: Option<u64>) -> Self {
        Self { hasher: Hasher::new(expected.algorithm), seen: 0, expected, length }
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// When there are now more than announced.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), DigestMismatch> {
        self.seen += bytes.len() as u64;
        match self.length {
            Some(expected) if self.seen > expected => Err(DigestMismatch::Length { expected, found: self.seen }),
            _ => {
                self.hasher.update(bytes);
                Ok(())
            }
        }
    }

    /// How many bytes were added.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// That all bytes are there and are the right ones.
    ///
    /// # Errors
    /// When they are not.
    pub fn finish(self) -> Result<(), DigestMismatch> {
        match self.length {
            Some(expected) if self.seen != expected => {
                return Err(DigestMismatch::Length { expected, found: self.seen });
            }
            _ => {}
        }
        let found = self.hasher.finish();
        if found == self.expected { Ok(()) } else { Err(DigestMismatch::Digest { expected: self.expected, found }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn the_digest_of_nothing_is_the_well_known_one() {
        assert_eq!(Digest::of(b"").as_str(), EMPTY);
        assert_eq!(Digest::of(b"").short(), "e3b0c44298fc");
        assert!(Algorithm::Sha512.digest(b"").hex().starts_with("cf83e1357eefb8bd"));
        assert_eq!(EMPTY.parse::<Digest>().expect("well formed"), Digest::of(b""));
    }

    #[test]
    fn a_digest_is_refused_with_the_place() {
        for (text, at, expected) in [
            ("abc", 0, "has no algorithm"),
            ("md5:abc", 0, "has the algorithm `md5`"),
            ("sha256:abc", 7, "has 3 hexadecimal digits; expected 64"),
            (&EMPTY.to_uppercase().replace("SHA256", "sha256"), 7, "upper-case"),
            ("sha256:xyz", 7, "cannot have 'x'"),
        ] {
            let error = text.parse::<Digest>().expect_err(text);
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.at, at, "{error}");
        }
    }

    #[test]
    fn a_stream_is_checked_for_length_and_digest() {
        let digest = Digest::of(b"hello world");
        let mut verifier = Verifier::new(digest.clone(), Some(11));
        verifier.update(b"hello ").expect("fits");
        verifier.update(b"world").expect("fits");
        assert_eq!(verifier.clone().finish(), Ok(()));
        assert_eq!(verifier.update(b"!"), Err(DigestMismatch::Length { expected: 11, found: 12 }));

        let short = Verifier::new(digest.clone(), Some(11));
        assert_eq!(short.finish(), Err(DigestMismatch::Length { expected: 11, found: 0 }));

        let mut other = Verifier::new(digest, None);
        other.update(b"hello").expect("no length is known");
        assert!(matches!(other.finish(), Err(DigestMismatch::Digest { .. })));
    }

    #[test]
    fn the_tag_of_referrers_is_a_tag() {
        let digest = Algorithm::Sha512.digest(b"x");
        let tag = digest.referrers_tag();
        assert_eq!(Tag::parse(tag.as_str()), Ok(tag.clone()));
        assert_eq!(tag.as_str().len(), "sha512-".len() + 64);
    }
}
