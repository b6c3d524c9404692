//! Statements of in-toto: what is said, and of which digests.
//!
//! # Source
//! The in-toto Attestation Framework 1.0, "Statement"; version 0.1 of it, which cosign 2 writes, is read too.

use std::collections::BTreeMap;

use lineclear_oci::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{JsonFault, json};

const TYPE: &str = "https://in-toto.io/Statement/v1";
const OLDER_TYPE: &str = "https://in-toto.io/Statement/v0.1";
/// What a signature of an image says: nothing but that it is signed.
pub const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
/// Largest statement that is read: lists of contents are long.
const MAX_BYTES: usize = 24 << 20;
/// Most digests that a statement speaks of.
const MAX_SUBJECTS: usize = 1024;

/// What is said of digests.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What it speaks of.
    pub subjects: Vec<StatementSubject>,
    /// The type of what is said, an address.
    pub predicate_type: String,
    /// What is said: an object.
    pub predicate: Value,
}

/// One thing that a statement speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementSubject {
    /// What it is called; says nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Algorithm → digits.
    pub digest: BTreeMap<String, String>,
}

/// Why something is no statement.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// Not JSON.
    #[error("the statement cannot be read")]
    Json(#[from] JsonFault),
    /// JSON of another form.
    #[error("the statement is not of the form of in-toto")]
    Form(#[from] serde_json::Error),
    /// A version that is not known.
    #[error("`{found}` is no statement that is known; expected `{TYPE}`")]
    Type {
        /// What it says it is.
        found: String,
    },
    /// It speaks of nothing, or of more than anybody makes.
    #[error("the statement speaks of {found} digests; expected 1 to {MAX_SUBJECTS}")]
    Subjects {
        /// How many.
        found: usize,
    },
    /// What is said is no object.
    #[error("the statement's predicate is no object")]
    Predicate,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<StatementSubject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    predicate: Value,
}

impl Statement {
    /// A statement of one image. `name` is for people.
    pub fn new(name: &str, digest: &Digest, predicate_type: &str, predicate: Value) -> Self {
        let digest = BTreeMap::from([(digest.algorithm().as_str().to_owned(), digest.hex().to_owned())]);
        let subjects = vec![StatementSubject { name: name.to_owned(), digest }];
        Self { subjects, predicate_type: predicate_type.to_owned(), predicate }
    }

    /// The statement that a signature of an image is: cosign's own, from its version 3 on.
    pub fn signature_of(digest: &Digest) -> Self {
        Self::new("", digest, SIGNATURE, Value::Object(Map::new()))
    }

    /// Whether it speaks of exactly this digest.
    pub fn is_of(&self, digest: &Digest) -> bool {
        let is_one = |subject: &StatementSubject| {
            subject.digest.get(digest.algorithm().as_str()).is_some_and(|digits| digits == digest.hex())
        };
        self.subjects.iter().any(is_one)
    }

    /// The digests that it speaks of, for messages.
    pub fn digests(&self) -> String {
        let each = self.subjects.iter().flat_map(|subject| &subject.digest).take(8);
        let texts: Vec<String> = each
            .map(|(algorithm, digits)| {
                format!("{algorithm}:{digits}").chars().filter(|c| c.is_ascii_graphic()).take(80).collect()
            })
            .collect();
        texts.join(", ")
    }

    /// Its text.
    pub fn write(&self) -> Vec<u8> {
        let wire = Wire {
            kind: TYPE.to_owned(),
            subject: self.subjects.clone(),
            predicate_type: self.predicate_type.clone(),
            predicate: self.predicate.clone(),
        };
        serde_json::to_vec(&wire).expect("maps of texts and JSON are written as JSON")
    }

    /// Reads a statement.
    ///
    /// # Errors
    /// For anything else.
    pub fn read(bytes: &[u8]) -> Result<Self, StatementError> {
        let wire: Wire = serde_json::from_value(json::read(bytes, MAX_BYTES)?)?;
        if !matches!(wire.kind.as_str(), TYPE | OLDER_TYPE) {
            return Err(StatementError::Type { found: wire.kind.chars().take(200).collect() });
        }
        let found = wire.subject.len();
        if !(1..=MAX_SUBJECTS).contains(&found) {
            return Err(StatementError::Subjects { found });
        }
        let predicate = match wire.predicate {
            Value::Null => Value::Object(Map::new()),
            object @ Value::Object(_) => object,
            _ => return Err(StatementError::Predicate),
        };
        Ok(Self { subjects: wire.subject, predicate_type: wire.predicate_type, predicate })
    }
}

/// The type of a predicate by the short name that cosign and people use; other texts are types themselves.
///
/// # Source
/// `cosign attest --help`.
pub fn predicate_type(name: &str) -> &str {
    match name {
        "slsaprovenance1" | "provenance" => crate::PROVENANCE,
        "slsaprovenance" | "slsaprovenance02" => "https://slsa.dev/provenance/v0.2",
        "spdx" | "spdxjson" => "https://spdx.dev/Document",
        "cyclonedx" => "https://cyclonedx.org/bom",
        "link" => "https://in-toto.io/Link/v1",
        "vuln" => "https://cosign.sigstore.dev/attestation/vuln/v1",
        "openvex" => "https://openvex.dev/ns",
        "custom" => "https://cosign.sigstore.dev/attestation/v1",
        "signature" => SIGNATURE,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_read_as_it_was_written_and_speaks_of_its_digest_alone() {
        let digest = Digest::of(b"one");
        let statement = Statement::new("app", &digest, "https://example.org/said", serde_json::json!({"a": [1, "x"]}));
        let read = Statement::read(&statement.write()).expect("it is one");
        assert_eq!(read, statement);
        assert!(read.is_of(&digest) && !read.is_of(&Digest::of(b"two")));
    }

    #[test]
    fn statements_of_other_versions_of_nothing_or_of_no_object_are_refused() {
        let read = |kind: &str, subject: &str, predicate: &str| {
            let text =
                format!(r#"{{"_type":"{kind}","subject":{subject},"predicateType":"x","predicate":{predicate}}}"#);
            Statement::read(text.as_bytes())
        };
        let of = r#"[{"digest":{"sha256":"00"}}]"#;
        assert!(read(TYPE, of, "{}").is_ok() && read(OLDER_TYPE, of, "null").is_ok());
        assert!(matches!(read("https://in-toto.io/Statement/v9", of, "{}"), Err(StatementError::Type { .. })));
        assert!(matches!(read(TYPE, "[]", "{}"), Err(StatementError::Subjects { found: 0 })));
        assert!(matches!(read(TYPE, of, "[]"), Err(StatementError::Predicate)));
        assert!(matches!(read(TYPE, r#"[{"digest":"sha256:00"}]"#, "{}"), Err(StatementError::Form(_))));
        assert!(matches!(
            read(TYPE, r#"[{"digest":{"sha256":"00","sha256":"11"}}]"#, "{}"),
            Err(StatementError::Json(_))
        ));
    }
}
