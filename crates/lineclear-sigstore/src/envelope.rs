//! DSSE: a text, its type, and signatures over both.
//!
//! # Source
//! "DSSE: Dead Simple Signing Envelope" 1.0, protocol and envelope.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::{JsonFault, KeyError, PrivateKey, json};

/// The type of a text that is a statement of in-toto.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Largest envelope that is read.
const MAX_BYTES: usize = 32 << 20;
/// Most signatures that are looked at.
const MAX_SIGNATURES: usize = 16;

/// A signed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// What the text is.
    pub payload_type: String,
    /// The text, as it was signed.
    pub payload: Vec<u8>,
    /// At least one.
    pub signatures: Vec<EnvelopeSignature>,
}

/// One signature of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeSignature {
    /// Which key may have made it: a hint that nothing vouches for.
    pub keyid: String,
    /// The signature over [`pre_authentication_encoding`].
    pub signature: Vec<u8>,
}

/// Why something is no envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON.
    #[error("the envelope cannot be read")]
    Json(#[from] JsonFault),
    /// JSON of another form.
    #[error("the envelope is not of the form of DSSE")]
    Form(#[from] serde_json::Error),
    /// A field is not base64.
    #[error("`{field}` of the envelope is not base64")]
    NotBase64 {
        /// Its name.
        field: &'static str,
    },
    /// None, or more than anybody makes.
    #[error("the envelope has {found} signatures; expected 1 to {MAX_SIGNATURES}")]
    Signatures {
        /// How many.
        found: usize,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnvelopeWire {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<SignatureWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureWire {
    sig: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    keyid: String,
}

/// What is signed of a text: its type, its length and itself, so that no text passes for one of another type.
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut text = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    text.extend_from_slice(payload);
    text
}

impl Envelope {
    /// Signs a text.
    ///
    /// # Errors
    /// If the machine gives no random numbers.
    pub fn sign(payload_type: &str, payload: Vec<u8>, key: &PrivateKey) -> Result<Self, KeyError> {
        let signature = key.sign(&pre_authentication_encoding(payload_type, &payload))?;
        let signatures = vec![EnvelopeSignature { keyid: String::new(), signature }];
        Ok(Self { payload_type: payload_type.to_owned(), payload, signatures })
    }

    /// Reads an envelope.
    ///
    /// # Errors
    /// For anything else.
    pub fn read(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let value = json::read(bytes, MAX_BYTES)?;
        Self::from_wire(serde_json::from_value(value)?)
    }

    /// The text that was signed, with its type.
    pub fn signed_text(&self) -> Vec<u8> {
        pre_authentication_encoding(&self.payload_type, &self.payload)
    }

    pub(crate) fn from_wire(wire: EnvelopeWire) -> Result<Self, EnvelopeError> {
        let found = wire.signatures.len();
        if !(1..=MAX_SIGNATURES).contains(&found) {
            return Err(EnvelopeError::Signatures { found });
        }
        let read = |field, text: &str| STANDARD.decode(text).map_err(|_| EnvelopeError::NotBase64 { field });
        let signatures = wire
            .signatures
            .into_iter()
            .map(|signature| Ok(EnvelopeSignature { signature: read("sig", &signature.sig)?, keyid: signature.keyid }));
        Ok(Self {
            payload: read("payload", &wire.payload)?,
            signatures: signatures.collect::<Result<_, EnvelopeError>>()?,
            payload_type: wire.payload_type,
        })
    }

    pub(crate) fn to_wire(&self) -> EnvelopeWire {
        let written = |signature: &EnvelopeSignature| SignatureWire {
            sig: STANDARD.encode(&signature.signature),
            keyid: signature.keyid.clone(),
        };
        EnvelopeWire {
            payload: STANDARD.encode(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: self.signatures.iter().map(written).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_that_is_signed_is_that_of_the_specification() {
        // The example of the protocol's page.
        let text = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(text, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn no_text_passes_for_one_of_another_type() {
        assert_ne!(pre_authentication_encoding("a", b"b 1 c"), pre_authentication_encoding("a 5 b", b"c"));
    }

    #[test]
    fn an_envelope_without_signatures_or_with_a_field_too_many_is_refused() {
        let read = |text: &str| Envelope::read(text.as_bytes());
        assert!(read(r#"{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}]}"#).is_ok());
        assert!(matches!(
            read(r#"{"payload":"e30=","payloadType":"x","signatures":[]}"#),
            Err(EnvelopeError::Signatures { found: 0 })
        ));
        assert!(read(r#"{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}],"more":1}"#).is_err());
        assert!(read(r#"{"payload":"e30","payloadType":"x","signatures":[{"sig":"AA=="}]}"#).is_err());
        assert!(
            read(r#"{"payload":"e30=","payloadType":"x","payloadType":"y","signatures":[{"sig":"AA=="}]}"#).is_err()
        );
    }
}
