//! Public keys: read, named, and asked whether a signature is theirs.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineclear_oci::Digest;
use sha2::{Digest as _, Sha256};

/// Largest file that is looked into for a key.
const MAX_PEM_BYTES: usize = 64 << 10;
/// Label of a public key in a PEM file.
const LABEL: &str = "PUBLIC KEY";

/// What of a `SubjectPublicKeyInfo` is the same for all keys of an algorithm: lengths, identifiers, and that the point is not compressed.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
const P256_LENGTH: usize = 91;
const ED25519: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const ED25519_LENGTH: usize = 44;
const RSA: &[u8] = &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// A public key that signatures are verified with.
#[derive(Clone)]
pub struct PublicKey {
    algorithm: KeyAlgorithm,
    der: Vec<u8>,
    parsed: ParsedPublicKey,
}

/// Which signatures a key makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256 with SHA-256: what cosign and Lineclear make.
    EcdsaP256,
    /// Ed25519 over the text itself. Cosign 2.5 and later sign with its variant for digests instead, which is another algorithm.
    Ed25519,
    /// RSA with PKCS #1 v1.5 and SHA-256, from 2048 bits on.
    Rsa,
}

/// Why something is no key that can be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No PEM file, or one that is too large.
    #[error("this is no key in PEM form: expected `-----BEGIN {LABEL}-----`")]
    NotPem,
    /// Another PEM file.
    #[error(
        "this is no public key but `{found}`; `lineclear key public` and `cosign public-key` print the public half of a key"
    )]
    NotPublic {
        /// Its label.
        found: String,
    },
    /// A PEM file that holds something else than a private key in cosign's form.
    #[error(
        "this is no private key in cosign's form but `{found}`; `cosign import-key-pair` and `lineclear key generate` make one"
    )]
    NotPrivate {
        /// Its label.
        found: String,
    },
    /// A key of an algorithm that is not spoken here, or a damaged one.
    #[error("the key is damaged or of another kind; P-256, Ed25519 and RSA keys from 2048 bits on are verified with")]
    Unsupported,
    /// A private key of an algorithm that is not signed with.
    #[error("the private key is damaged or of another kind; P-256 keys are signed with")]
    UnsupportedPrivate,
    /// The file around an encrypted key is not as cosign writes it.
    #[error("the encrypted key is damaged or of another form: {reason}")]
    Sealed {
        /// What is wrong.
        reason: String,
    },
    /// The passphrase is another one, or the key was changed.
    #[error("the passphrase does not open the key")]
    WrongPassphrase,
    /// The operating system gives no random numbers.
    #[error("no random numbers can be had: {reason}")]
    NoRandomness {
        /// What it says.
        reason: String,
    },
}

impl PublicKey {
    /// Reads a PEM file with one public key.
    ///
    /// # Errors
    /// For anything else, and for keys of other algorithms.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let read = one_pem(text)?;
        if read.tag() != LABEL {
            return Err(KeyError::NotPublic { found: read.tag().to_owned() });
        }
        Self::from_der(read.contents())
    }

    /// Reads a `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// For damaged keys, and for keys of other algorithms.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let algorithm = KeyAlgorithm::of(der).ok_or(KeyError::Unsupported)?;
        let parsed = ParsedPublicKey::new(algorithm.verification(), der).map_err(|_| KeyError::Unsupported)?;
        let written: PublicKeyX509Der<'_> = parsed.as_der().map_err(|_| KeyError::Unsupported)?;
        // One key has one form, and so one name.
        if written.as_ref() != der {
            return Err(KeyError::Unsupported);
        }
        Ok(Self { algorithm, der: der.to_vec(), parsed })
    }

    /// Which signatures it makes.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// Its name: the digest of its DER form, `sha256:…`.
    pub fn id(&self) -> String {
        Digest::of(&self.der).to_string()
    }

    /// How bundles name it: the same digest, in base64.
    pub fn hint(&self) -> String {
        STANDARD.encode(Sha256::digest(&self.der))
    }

    /// It as a PEM file.
    pub fn pem(&self) -> String {
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new(LABEL, self.der.clone()), config)
    }

    /// Whether `signature` is one of `message` by this key.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

/// The one block of a PEM file.
pub(crate) fn one_pem(text: &[u8]) -> Result<pem::Pem, KeyError> {
    if text.len() > MAX_PEM_BYTES {
        return Err(KeyError::NotPem);
    }
    let mut blocks = pem::parse_many(text).map_err(|_| KeyError::NotPem)?.into_iter();
    match (blocks.next(), blocks.next()) {
        (Some(block), None) => Ok(block),
        _ => Err(KeyError::NotPem),
    }
}

impl KeyAlgorithm {
    fn of(der: &[u8]) -> Option<Self> {
        match der {
            _ if der.len() == P256_LENGTH && der.starts_with(P256) => Some(Self::EcdsaP256),
            _ if der.len() == ED25519_LENGTH && der.starts_with(ED25519) => Some(Self::Ed25519),
            // Behind the length of the whole, which takes two bytes for any modulus that is long enough.
            [0x30, 0x82, _, _, rest @ ..] if rest.starts_with(RSA) => Some(Self::Rsa),
            _ => None,
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::EcdsaP256 => &signature::ECDSA_P256_SHA256_ASN1,
            Self::Ed25519 => &signature::ED25519,
            Self::Rsa => &signature::RSA_PKCS1_2048_8192_SHA256,
        }
    }

    /// As people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa",
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A key pair of another program: the private half's file and the public half.
    fn openssl(arguments: &[&str]) -> (tempfile::TempDir, PublicKey) {
        let folder = tempfile::tempdir().expect("a folder");
        let run = |arguments: &[&str]| {
            let output =
                Command::new("openssl").args(arguments).current_dir(folder.path()).output().expect("openssl runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        run(&[&["genpkey", "-out", "key.pem"], arguments].concat());
        run(&["pkey", "-in", "key.pem", "-pubout", "-out", "public.pem"]);
        let text = std::fs::read(folder.path().join("public.pem")).expect("the public half");
        (folder, PublicKey::from_pem(&text).expect("a key that is spoken"))
    }

    #[test]
    fn signatures_of_openssl_verify_with_each_algorithm() {
        for (arguments, algorithm) in [
            (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"].as_slice(), KeyAlgorithm::EcdsaP256),
            (["-algorithm", "ed25519"].as_slice(), KeyAlgorithm::Ed25519),
            (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"].as_slice(), KeyAlgorithm::Rsa),
        ] {
            let (folder, key) = openssl(arguments);
            assert_eq!(key.algorithm(), algorithm);
            std::fs::write(folder.path().join("text"), "the text").expect("a file");
            let hash: &[&str] = if algorithm == KeyAlgorithm::Ed25519 { &[] } else { &["-digest", "sha256"] };
            let sign = ["pkeyutl", "-sign", "-rawin", "-inkey", "key.pem", "-in", "text", "-out", "signature"];
            let signed = Command::new("openssl").args([&sign, hash].concat()).current_dir(folder.path()).status();
            assert!(signed.expect("openssl runs").success());
            let signature = std::fs::read(folder.path().join("signature")).expect("the signature");
            assert!(key.verifies(b"the text", &signature), "{algorithm:?}");
            assert!(!key.verifies(b"another text", &signature), "{algorithm:?}");
            assert_eq!(PublicKey::from_pem(key.pem().as_bytes()).expect("it is read again"), key);
        }
    }

    #[test]
    fn keys_of_other_kinds_are_refused_with_what_is_spoken() {
        let (folder, _) = openssl(&["-algorithm", "ed25519"]);
        let private = std::fs::read(folder.path().join("key.pem")).expect("the private half");
        assert!(matches!(PublicKey::from_pem(&private), Err(KeyError::NotPublic { .. })));
        let made = Command::new("sh")
            .args(["-c", "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 | openssl pkey -pubout"])
            .output()
            .expect("openssl runs");
        assert!(matches!(PublicKey::from_pem(&made.stdout), Err(KeyError::Unsupported)));
        let made = Command::new("sh")
            .args([
                "-c",
                "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 2>/dev/null | openssl pkey -pubout",
            ])
            .output()
            .expect("openssl runs");
        assert!(matches!(PublicKey::from_pem(&made.stdout), Err(KeyError::Unsupported)));
        assert!(matches!(PublicKey::from_pem(b"hello"), Err(KeyError::NotPem)));
        assert!(matches!(PublicKey::from_pem(&[made.stdout.clone(), made.stdout].concat()), Err(KeyError::NotPem)));
    }
}
