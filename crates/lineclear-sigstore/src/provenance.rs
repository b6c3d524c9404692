//! Provenance of SLSA: from what and by whom an image was built.
//!
//! # Source
//! SLSA 1.0, "Provenance".

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

/// The type of the predicate.
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// What the parameters of a build mean; the page explains them.
pub const BUILD_TYPE: &str = "https://github.com/lineclear/lineclear/blob/main/docs/signing.md#build-type-workflow-v1";

/// How an image was built, to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Whose word it is: the address of the engine that ran the build.
    pub builder: String,
    /// The address of the repository: `https://forge.example/owner/name`.
    pub repository: String,
    /// The full ref that was built, where it is known: `refs/heads/main`.
    pub reference: String,
    /// The workflow's file.
    pub workflow: String,
    /// The full id of the commit.
    pub commit: String,
    /// `push`, `workflow_dispatch` …
    pub event: String,
    /// What a person gave the workflow.
    pub inputs: BTreeMap<String, String>,
    /// What the build took beside the commit: base images by digest.
    pub dependencies: Vec<Dependency>,
    /// The run: an address, or what Lineclear calls it.
    pub invocation: String,
    /// When it began and ended, RFC 3339 in UTC.
    pub started: Option<String>,
    /// See `started`.
    pub finished: Option<String>,
}

/// Something that a build took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// What it is: `pkg:docker/debian@bookworm`, `git+https://…`.
    pub uri: String,
    /// Algorithm and digits of its digest.
    pub digest: (String, String),
}

/// What a provenance says that Lineclear goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenanceFacts {
    /// Whose word it is.
    pub builder: String,
    /// The commit that it names; `None` if it names none, or more than one.
    pub commit: Option<String>,
    /// The run.
    pub invocation: Option<String>,
}

/// Why something is no provenance.
#[derive(Debug, thiserror::Error)]
#[error("the predicate is no provenance of SLSA 1.0")]
pub struct ProvenanceError(#[from] serde_json::Error);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    build_definition: Definition,
    run_details: Details,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    #[serde(default)]
    resolved_dependencies: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default)]
    uri: String,
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Details {
    builder: Builder,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Builder {
    id: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    invocation_id: Option<String>,
}

impl Provenance {
    /// The predicate.
    pub fn predicate(&self) -> Value {
        let source = if self.reference.is_empty() {
            format!("git+{}", self.repository)
        } else {
            format!("git+{}@{}", self.repository, self.reference)
        };
        let mut dependencies = vec![json!({"uri": source, "digest": {"gitCommit": self.commit}})];
        dependencies.extend(self.dependencies.iter().map(|dependency| {
            let (algorithm, digits) = &dependency.digest;
            json!({"uri": dependency.uri, "digest": {algorithm.as_str(): digits}})
        }));
        let mut workflow = json!({"repository": self.repository, "path": self.workflow});
        if !self.reference.is_empty() {
            workflow["ref"] = Value::from(self.reference.as_str());
        }
        let mut metadata = json!({"invocationId": self.invocation});
        for (name, time) in [("startedOn", &self.started), ("finishedOn", &self.finished)] {
            if let Some(time) = time {
                metadata[name] = Value::from(time.as_str());
            }
        }
        json!({
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"workflow": workflow, "inputs": self.inputs},
                "internalParameters": {"event": self.event},
                "resolvedDependencies": dependencies,
            },
            "runDetails": {"builder": {"id": self.builder}, "metadata": metadata},
        })
    }
}

impl ProvenanceFacts {
    /// Reads a predicate, of whichever builder.
    ///
    /// # Errors
    /// If it has not the form of a provenance.
    pub fn read(predicate: &Value) -> Result<Self, ProvenanceError> {
        let wire = Wire::deserialize(predicate)?;
        let commit = |resource: &Resource| {
            let digits = resource.digest.get("gitCommit").or_else(|| resource.digest.get("sha1"))?;
            let is_commit =
                matches!(digits.len(), 40 | 64) && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            (resource.uri.starts_with("git+") && is_commit).then(|| digits.clone())
        };
        let mut commits: Vec<String> = wire.build_definition.resolved_dependencies.iter().filter_map(commit).collect();
        commits.dedup();
        let commit = match commits.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        Ok(Self { builder: wire.run_details.builder.id, commit, invocation: wire.run_details.metadata.invocation_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_says_builder_commit_and_run() {
        let commit = "0123456789012345678901234567890123456789".to_owned();
        let provenance = Provenance {
            builder: "https://ci.example.org".to_owned(),
            repository: "https://forge.example/octo/app".to_owned(),
            reference: "refs/heads/main".to_owned(),
            workflow: ".github/workflows/ci.yml".to_owned(),
            commit: commit.clone(),
            event: "push".to_owned(),
            dependencies: vec![Dependency { uri: "pkg:docker/debian".into(), digest: ("sha256".into(), "00".into()) }],
            invocation: "https://ci.example.org/runs/1/attempts/1".to_owned(),
            ..Provenance::default()
        };
        let predicate = provenance.predicate();
        assert_eq!(predicate["buildDefinition"]["resolvedDependencies"][1]["digest"]["sha256"], "00");
        assert_eq!(predicate["buildDefinition"]["externalParameters"]["workflow"]["ref"], "refs/heads/main");
        let facts = ProvenanceFacts::read(&predicate).expect("it is one");
        assert_eq!(facts.commit, Some(commit));
        assert_eq!(facts.builder, "https://ci.example.org");
        assert_eq!(facts.invocation.as_deref(), Some("https://ci.example.org/runs/1/attempts/1"));
    }

    #[test]
    fn a_provenance_that_names_two_commits_names_none() {
        let of = |commit: &str| json!({"uri": "git+https://x", "digest": {"gitCommit": commit.repeat(40)}});
        let predicate = |dependencies: Value| json!({"buildDefinition": {"resolvedDependencies": dependencies}, "runDetails": {"builder": {"id": "b"}}});
        let read = |dependencies| ProvenanceFacts::read(&predicate(dependencies)).expect("it is one").commit;
        assert_eq!(read(json!([of("a")])), Some("a".repeat(40)));
        assert_eq!(read(json!([of("a"), of("b")])), None);
        assert_eq!(read(json!([])), None);
        assert!(ProvenanceFacts::read(&json!({"builder": {"id": "b"}})).is_err());
    }
}
