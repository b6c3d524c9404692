//! Sigstore bundles: a signature with what is needed to verify it, in one file.
//!
//! # Source
//! `sigstore_bundle.proto` of Sigstore's protocol buffers, version 0.3, in the JSON form of protocol buffers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::artifact::BUNDLE_TYPE;
use crate::envelope::EnvelopeWire;
use crate::{Envelope, EnvelopeError, JsonFault, KeyError, PAYLOAD_TYPE, PrivateKey, Statement, json};

/// Largest bundle that is read: one with a list of an image's contents has several megabytes.
pub const MAX_BUNDLE_BYTES: usize = 32 << 20;
/// The only hash of a signed message that bundles of images have.
const SHA256: &str = "SHA2_256";

/// A signature, and what says whose it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Whose it says it is.
    pub material: KeyMaterial,
    /// What is signed.
    pub content: BundleContent,
}

/// Whose signature it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyMaterial {
    /// That of a key; the hint says which, and is no proof.
    Key {
        /// See [`PublicKey::hint`](crate::PublicKey::hint); empty where the signer gave none.
        hint: String,
    },
    /// That of an identity, by a certificate: nothing that can be verified offline and by keys.
    Certificate,
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundleContent {
    /// A text that the bundle carries.
    Envelope(Envelope),
    /// A text that it does not carry.
    Message {
        /// SHA-256 of the text, as the bundle has it.
        digest: Vec<u8>,
        /// The signature over the text.
        signature: Vec<u8>,
    },
}

/// Why something is no bundle that can be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not JSON.
    #[error("the bundle cannot be read")]
    Json(#[from] JsonFault),
    /// JSON of another form.
    #[error("the bundle is not of the form of Sigstore's bundles")]
    Form(#[from] serde_json::Error),
    /// A version that is not known.
    #[error("`{found}` is no bundle that is known; expected `{BUNDLE_TYPE}`")]
    Version {
        /// What it says it is.
        found: String,
    },
    /// The envelope in it.
    #[error("the bundle's envelope is of no use")]
    Envelope(#[from] EnvelopeError),
    /// It has no content, or more than one, or other than one signature.
    #[error("the bundle has to have one signature: {found}")]
    Content {
        /// What it has instead.
        found: &'static str,
    },
    /// It says not once whose signature it is.
    #[error("the bundle has to say once whose signature it is: by a key, or by a certificate")]
    Material,
    /// A field is not base64, or of another length.
    #[error("`{field}` of the bundle is not what it should be")]
    Field {
        /// Its name.
        field: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    media_type: String,
    verification_material: MaterialWire,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_signature: Option<MessageWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dsse_envelope: Option<EnvelopeWire>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MaterialWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<HintWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x509_certificate_chain: Option<Value>,
    /// Proofs that the signature is in a public log. They are not needed with a key, and not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tlog_entries: Option<Vec<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HintWire {
    #[serde(default)]
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MessageWire {
    #[serde(default)]
    message_digest: Option<HashWire>,
    signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HashWire {
    algorithm: String,
    digest: String,
}

impl Bundle {
    /// Signs a statement.
    ///
    /// # Errors
    /// If the machine gives no random numbers.
    pub fn sign(statement: &Statement, key: &PrivateKey) -> Result<Self, KeyError> {
        let envelope = Envelope::sign(PAYLOAD_TYPE, statement.write(), key)?;
        Ok(Self {
            material: KeyMaterial::Key { hint: key.public().hint() },
            content: BundleContent::Envelope(envelope),
        })
    }

    /// Its text.
    pub fn write(&self) -> Vec<u8> {
        let verification_material = match &self.material {
            KeyMaterial::Key { hint } => {
                MaterialWire { public_key: Some(HintWire { hint: hint.clone() }), ..MaterialWire::default() }
            }
            // Never made here; reads back as what it is.
            KeyMaterial::Certificate => {
                MaterialWire { certificate: Some(serde_json::json!({})), ..MaterialWire::default() }
            }
        };
        let mut wire = Wire {
            media_type: BUNDLE_TYPE.to_owned(),
            verification_material,
            message_signature: None,
            dsse_envelope: None,
        };
        match &self.content {
            BundleContent::Envelope(envelope) => wire.dsse_envelope = Some(envelope.to_wire()),
            BundleContent::Message { digest, signature } => {
                let digest = HashWire { algorithm: SHA256.to_owned(), digest: STANDARD.encode(digest) };
                let signature = STANDARD.encode(signature);
                wire.message_signature = Some(MessageWire { message_digest: Some(digest), signature });
            }
        }
        serde_json::to_vec(&wire).expect("texts are written as JSON")
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// For anything else: cut off, too large, of an unknown version, with wrong types, unknown or doubled keys, with no signature or two.
    pub fn read(bytes: &[u8]) -> Result<Self, BundleError> {
        let value = json::read(bytes, MAX_BUNDLE_BYTES)?;
        // Asked first: a later version has other fields, and is refused for what it is.
        let version = value.get("mediaType").and_then(Value::as_str).unwrap_or_default();
        if !is_known(version) {
            return Err(BundleError::Version { found: version.chars().take(200).collect() });
        }
        let wire: Wire = serde_json::from_value(value)?;
        let content = match (wire.dsse_envelope, wire.message_signature) {
            (Some(envelope), None) => {
                let envelope = Envelope::from_wire(envelope)?;
                if envelope.signatures.len() != 1 {
                    return Err(BundleError::Content { found: "the envelope has several" });
                }
                BundleContent::Envelope(envelope)
            }
            (None, Some(message)) => message.content()?,
            (None, None) => return Err(BundleError::Content { found: "there is none" }),
            (Some(_), Some(_)) => return Err(BundleError::Content { found: "there are two" }),
        };
        Ok(Self { material: wire.verification_material.material()?, content })
    }
}

fn is_known(version: &str) -> bool {
    let older = version.strip_prefix("application/vnd.dev.sigstore.bundle+json;version=");
    version == BUNDLE_TYPE || older.is_some_and(|number| matches!(number, "0.1" | "0.2" | "0.3"))
}

impl MaterialWire {
    fn material(self) -> Result<KeyMaterial, BundleError> {
        match (self.public_key, self.certificate, self.x509_certificate_chain) {
            (Some(HintWire { hint }), None, None) => Ok(KeyMaterial::Key { hint }),
            (None, Some(_), None) | (None, None, Some(_)) => Ok(KeyMaterial::Certificate),
            _ => Err(BundleError::Material),
        }
    }
}

impl MessageWire {
    fn content(self) -> Result<BundleContent, BundleError> {
        let digest = self.message_digest.filter(|digest| digest.algorithm == SHA256);
        let digest = digest.ok_or(BundleError::Field { field: "messageDigest" })?;
        let decode = |field, text: &str| STANDARD.decode(text).map_err(|_| BundleError::Field { field });
        let (digest, signature) = (decode("messageDigest", &digest.digest)?, decode("signature", &self.signature)?);
        if digest.len() != 32 || signature.is_empty() {
            return Err(BundleError::Field { field: "messageSignature" });
        }
        Ok(BundleContent::Message { digest, signature })
    }
}

#[cfg(test)]
mod tests {
    use lineclear_oci::Digest;
    use proptest::prelude::*;

    use super::*;

    fn made() -> String {
        let key = PrivateKey::generate().expect("a key");
        let bundle = Bundle::sign(&Statement::signature_of(&Digest::of(b"x")), &key).expect("it is signed");
        assert_eq!(Bundle::read(&bundle.write()).expect("it is read"), bundle);
        String::from_utf8(bundle.write()).expect("text")
    }

    #[test]
    fn a_bundle_that_anything_is_wrong_with_is_refused_for_that() {
        let text = made();
        let read = |text: &str| Bundle::read(text.as_bytes()).expect_err("it is refused").to_string();
        assert!(read(&text.replace("bundle.v0.3", "bundle.v0.4")).contains("v0.4"));
        assert!(read("{}").contains("no bundle that is known"));
        assert!(read(&text.replace("\"payload\":\"", "\"payload\":7,\"x\":\"")).contains("form"));
        assert!(
            read(&text.replace("\"verificationMaterial\":{", "\"verificationMaterial\":{\"more\":1,")).contains("form")
        );
        assert!(
            read(&text.replace("\"verificationMaterial\":{", "\"verificationMaterial\":{\"certificate\":{},"))
                .contains("once")
        );
        let message = r#""messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"AA=="},"signature":"AA=="},"dsseEnvelope""#;
        assert!(read(&text.replace("\"dsseEnvelope\"", message)).contains("two"));
        assert!(read(&text.replace("\"mediaType\"", "\"mediaType\":\"a\",\"mediaType\"")).contains("cannot be read"));
    }

    #[test]
    fn a_huge_bundle_is_refused_before_it_is_looked_at() {
        let error = Bundle::read(&vec![b' '; MAX_BUNDLE_BYTES + 1]).expect_err("it is refused");
        assert!(matches!(error, BundleError::Json(JsonFault::TooLarge { .. })));
    }

    #[test]
    fn every_bundle_that_was_cut_off_is_refused() {
        let text = made();
        for end in 0..text.len() {
            assert!(Bundle::read(&text.as_bytes()[..end]).is_err(), "{}", &text[..end]);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Bundle::read(&bytes);
        }
    }
}
