//! The text of cosign's older signatures.
//!
//! # Source
//! cosign's `SIGNATURE_SPEC.md`, "Simple Signing", and `containers-signature(5)`.

use lineclear_oci::{Digest, Reference};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{JsonFault, json};

const TYPE: &str = "cosign container image signature";
const MAX_BYTES: usize = 1 << 20;

/// What such a signature says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimpleSigning {
    /// The name that the image was signed under: nothing that may be relied on.
    pub reference: String,
    /// The digest that is signed.
    pub digest: Digest,
}

/// Why something is no such text.
#[derive(Debug, thiserror::Error)]
pub enum SimpleSigningError {
    /// Not JSON.
    #[error("the signed text cannot be read")]
    Json(#[from] JsonFault),
    /// JSON of another form.
    #[error("the signed text is not of cosign's form")]
    Form(#[from] serde_json::Error),
    /// Another kind of signature.
    #[error("the signed text is `{found}`; expected `{TYPE}`")]
    Type {
        /// What it says it is.
        found: String,
    },
    /// What it names is no digest.
    #[error("`{found}` in the signed text is no digest")]
    Digest {
        /// What it names.
        found: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Wire {
    critical: Critical,
    optional: Value,
}

#[derive(Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize, Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    reference: String,
}

#[derive(Serialize, Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

impl SimpleSigning {
    /// The text for an image at `place`, whose tag says nothing.
    pub fn new(place: &Reference, digest: &Digest) -> Self {
        Self { reference: place.name(), digest: digest.clone() }
    }

    /// Its text.
    pub fn write(&self) -> Vec<u8> {
        let wire = Wire {
            critical: Critical {
                identity: Identity { reference: self.reference.clone() },
                image: Image { digest: self.digest.to_string() },
                kind: TYPE.to_owned(),
            },
            optional: Value::Null,
        };
        serde_json::to_vec(&wire).expect("texts are written as JSON")
    }

    /// Reads such a text.
    ///
    /// # Errors
    /// For anything else.
    pub fn read(bytes: &[u8]) -> Result<Self, SimpleSigningError> {
        let Wire { critical, .. } = serde_json::from_value(json::read(bytes, MAX_BYTES)?)?;
        let shown = |text: &str| text.chars().take(200).collect();
        if critical.kind != TYPE {
            return Err(SimpleSigningError::Type { found: shown(&critical.kind) });
        }
        let digest = Digest::parse(&critical.image.digest);
        let digest = digest.map_err(|_| SimpleSigningError::Digest { found: shown(&critical.image.digest) })?;
        Ok(Self { reference: critical.identity.reference, digest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_one_that_cosign_writes() {
        let place: Reference = "registry.example/team/app:1".parse().expect("a name");
        let digest = Digest::of(b"x");
        let text = SimpleSigning::new(&place, &digest).write();
        let expected = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"registry.example/team/app"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"cosign container image signature"}},"optional":null}}"#
        );
        assert_eq!(String::from_utf8(text.clone()).expect("text"), expected);
        assert_eq!(SimpleSigning::read(&text).expect("it is one").digest, digest);
        let other = expected.replace("cosign container image signature", "atomic container signature");
        assert!(matches!(SimpleSigning::read(other.as_bytes()), Err(SimpleSigningError::Type { .. })));
    }
}
