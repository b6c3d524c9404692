//! How an image came to be, for builders that do not say it themselves.
//!
//! # Source
//! SLSA provenance 0.2, in the form that BuildKit attaches: `mode=min` leaves build arguments and labels out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::layout::Statement;

/// What is known of a build.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// Who built: the address of the run.
    pub(crate) builder_id: String,
    /// Identifies this build.
    pub(crate) invocation: String,
    /// The repository, `https://…/owner/name.git#ref`.
    pub(crate) repository: String,
    pub(crate) sha: String,
    pub(crate) dockerfile: String,
    pub(crate) target: String,
    /// Names and values.
    pub(crate) build_args: Vec<String>,
    pub(crate) labels: Vec<String>,
    /// Images it was built from, with their digests where these are known.
    pub(crate) bases: BTreeMap<String, Option<String>>,
    /// RFC 3339.
    pub(crate) started: String,
    pub(crate) finished: String,
    pub(crate) is_max: bool,
}

pub(crate) const PREDICATE: &str = "https://slsa.dev/provenance/v0.2";

/// The statement about an image for `platform`.
pub(crate) fn statement(origin: &Origin, platform: &str) -> Statement {
    let mut args = serde_json::Map::new();
    if !origin.target.is_empty() {
        args.insert("target".to_owned(), origin.target.as_str().into());
    }
    if origin.is_max {
        for (kind, entries) in [("build-arg", &origin.build_args), ("label", &origin.labels)] {
            for (name, value) in entries.iter().filter_map(|entry| entry.split_once('=')) {
                args.insert(format!("{kind}:{name}"), value.into());
            }
        }
    }
    let material = |(image, digest): (&String, &Option<String>)| {
        let mut material = json!({ "uri": format!("pkg:docker/{}?platform={}", image.replacen(':', "@", 1), platform.replace('/', "%2F")) });
        if let Some((algorithm, hex)) = digest.as_deref().and_then(|digest| digest.split_once(':')) {
            material["digest"] = json!({ algorithm: hex });
        }
        material
    };
    let predicate: Value = json!({
        "builder": { "id": origin.builder_id },
        "buildType": "https://mobyproject.org/buildkit@v1",
        "materials": origin.bases.iter().map(material).collect::<Vec<_>>(),
        "invocation": {
            "configSource": {
                "uri": origin.repository,
                "digest": { "sha1": origin.sha },
                "entryPoint": origin.dockerfile,
            },
            "parameters": { "frontend": "dockerfile.v0", "args": args },
            "environment": { "platform": platform },
        },
        "metadata": {
            "buildInvocationID": origin.invocation,
            "buildStartedOn": origin.started,
            "buildFinishedOn": origin.finished,
            "completeness": { "parameters": origin.is_max, "environment": true, "materials": false },
            "reproducible": false,
        },
    });
    Statement { predicate_type: PREDICATE, predicate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_arguments_are_told_only_in_mode_max() {
        let origin = Origin {
            build_args: vec!["A=1".into()],
            bases: BTreeMap::from([("debian:12".to_owned(), Some("sha256:ab".to_owned()))]),
            ..Origin::default()
        };
        let min = statement(&origin, "linux/arm64").predicate;
        assert_eq!(min["invocation"]["parameters"]["args"], json!({}));
        assert_eq!(
            min["materials"][0],
            json!({ "uri": "pkg:docker/debian@12?platform=linux%2Farm64", "digest": { "sha256": "ab" } })
        );
        let max = statement(&Origin { is_max: true, ..origin }, "linux/arm64").predicate;
        assert_eq!(max["invocation"]["parameters"]["args"], json!({ "build-arg:A": "1" }));
    }
}
