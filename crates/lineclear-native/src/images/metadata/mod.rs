//! `docker/metadata-action`: tags and labels of an image, from what the run is about.
//!
//! [`attributes`] reads the inputs, [`outcome`] makes tags and labels of them, and here is what asks the job and writes the outputs.
//!
//! # Source
//! The documentation and `action.yml` of `docker/metadata-action`: inputs, outputs, variables, files.

mod attributes;
mod git_ref;
mod moment;
mod outcome;
mod pep440;
mod template;

use std::collections::BTreeMap;
use std::path::PathBuf;

use lineclear_event::AnnotationLevel;
use lineclear_forge::ApiRequest;
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};
use serde_json::{Map, Value, json};

use self::attributes::MetadataError;
use self::outcome::{Spec, Surroundings, Version};
use super::lists::{Commas, Comments, entries};
use crate::caching::text;
use crate::forge;

/// Makes tags, labels and annotations for images.
#[derive(Debug)]
pub(crate) struct Metadata;

/// Characters of a short commit where nothing else is asked for.
const SHORT_SHA: usize = 7;

impl From<MetadataError> for NativeError {
    fn from(error: MetadataError) -> Self {
        Self(error.0)
    }
}

impl NativeAction for Metadata {
    fn name(&self) -> &'static str {
        "docker/metadata-action"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Docker Metadata action
inputs:
  context: { default: workflow, required: true }
  images: {}
  tags: {}
  flavor: {}
  labels: {}
  annotations: {}
  sep-tags: {}
  sep-labels: {}
  sep-annotations: {}
  bake-target: {}
  github-token: { default: '${{ github.token }}', required: true }
outputs:
  version: { description: the tag with the highest priority }
  tags: { description: names with tags }
  tag-names: { description: tags alone }
  labels: { description: labels }
  annotations: { description: annotations }
  json: { description: tags and labels as JSON }
  bake-file-tags: { description: definition for bake with the tags }
  bake-file-labels: { description: definition for bake with the labels }
  bake-file-annotations: { description: definition for bake with the annotations }
  bake-file: { description: definition for bake with tags and labels }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let inputs = Inputs::read(&|name| call.inputs.get(name).cloned().unwrap_or_default(), &call.env)?;
        let around = surroundings(call)?;
        tell(call, &around);
        let outputs = inputs.outputs(&around)?;
        for warning in outputs.warnings() {
            call.effects.annotate(AnnotationLevel::Warning, &warning);
        }
        outputs.tell(call);
        let also_env = sets_env(&call.env)?;
        for (name, value) in outputs.texts(&inputs) {
            put(call, name, &value, also_env);
        }
        let folder = bake_folder(call)?;
        for (kind, contents) in outputs.bake_files(&inputs.bake_target) {
            let file = folder.join(format!("docker-metadata-action-{kind}.json"));
            std::fs::write(&file, format!("{contents:#}"))
                .map_err(|error| NativeError(format!("cannot write `{}`: {error}", file.display())))?;
            // Whoever reads it may be in a container.
            let seen = call.room.seen(&file).to_string_lossy().into_owned();
            put(call, kind, &seen, also_env);
        }
        Ok(())
    }
}

fn put(call: &mut Call<'_>, name: &str, value: &str, also_env: bool) {
    call.effects.output(name, value);
    if also_env {
        let variable = name.replace('-', "_").to_uppercase();
        call.effects.export(&format!("DOCKER_METADATA_OUTPUT_{variable}"), value);
    }
}

/// The inputs, read.
struct Inputs {
    spec: Spec,
    labels: Vec<String>,
    annotations: Vec<String>,
    /// Where annotations are attached.
    levels: Vec<String>,
    separators: [String; 3],
    bake_target: String,
}

impl Inputs {
    fn read(input: &dyn Fn(&str) -> String, env: &BTreeMap<String, String>) -> Result<Self, MetadataError> {
        let list = |name: &str| entries(&input(name), Commas::Belong, Comments::Hash);
        let or = |text: String, default: &str| if text.is_empty() { default.to_owned() } else { text };
        let levels = or(env.get("DOCKER_METADATA_ANNOTATIONS_LEVELS").cloned().unwrap_or_default(), "manifest");
        Ok(Self {
            spec: Spec {
                images: attributes::images(&list("images"))?,
                tags: attributes::tags(&list("tags"))?,
                flavor: attributes::flavor(&list("flavor"))?,
            },
            labels: list("labels"),
            annotations: list("annotations"),
            levels: levels.split(',').map(str::to_owned).collect(),
            separators: ["sep-tags", "sep-labels", "sep-annotations"].map(|name| or(input(name), "\n")),
            bake_target: or(input("bake-target").trim().to_owned(), "docker-metadata-action"),
        })
    }

    fn outputs(&self, around: &Surroundings) -> Result<Outputs, MetadataError> {
        let version = self.spec.version(around)?;
        let annotations = outcome::labels(around, &version, &self.annotations)?;
        let at = |level: &String| {
            let level = level.clone();
            annotations.iter().map(move |(name, value)| format!("{level}:{name}={value}"))
        };
        Ok(Outputs {
            names: self.spec.names(),
            tags: self.spec.tags(&version),
            tag_names: self.spec.tag_names(&version),
            labels: outcome::labels(around, &version, &self.labels)?,
            annotations: self.levels.iter().flat_map(at).collect(),
            version,
        })
    }
}

/// What the tags are made from: the run, or the checkout where that is asked for.
fn surroundings(call: &mut Call<'_>) -> Result<Surroundings, NativeError> {
    let github = &call.contexts.github;
    let (event_name, payload) = (text(github, "event_name").to_owned(), github["event"].clone());
    let (reference, sha) = match call.input("context") {
        "workflow" | "" => of_run(github, &call.env),
        "git" => git_ref::of_checkout(call)?,
        other => return Err(NativeError(format!("Invalid context source: {other}"))),
    };
    let short = short_length(&call.env)?;
    let now = jiff::Timestamp::from_millisecond(call.now.0)
        .map_err(|_| NativeError("the time of this machine is out of all bounds".to_owned()))?;
    let commit_date = commit_date(call, &payload, &sha).unwrap_or(now);
    let repository = forge::send(call, &ApiRequest::new("GET", &forge::repository(call)))
        .unwrap_or_else(|_| payload["repository"].clone());
    let repository = completed(repository, &payload["repository"], &call.contexts.github);
    Ok(Surroundings { event_name, reference, sha, payload, repository, now, commit_date, short })
}

/// The ref and the commit that the run is about.
fn of_run(github: &Value, env: &BTreeMap<String, String>) -> (String, String) {
    let of = |name: &str| text(github, name).to_owned();
    let (event, payload, mut reference, mut sha) = (of("event_name"), &github["event"], of("ref"), of("sha"));
    if event.contains("pull_request_target") {
        // The run's own ref is the base branch.
        reference = format!("refs/pull/{}/merge", payload["number"]);
    }
    let head = payload["pull_request"]["head"]["sha"].as_str().filter(|_| event.contains("pull_request"));
    if let Some(head) = head
        && env.get("DOCKER_METADATA_PR_HEAD_SHA").is_some_and(|value| value.to_lowercase().contains("true"))
    {
        head.clone_into(&mut sha);
    }
    (reference, sha)
}

fn short_length(env: &BTreeMap<String, String>) -> Result<usize, NativeError> {
    match env.get("DOCKER_METADATA_SHORT_SHA_LENGTH").map(|text| text.trim()) {
        None | Some("") => Ok(SHORT_SHA),
        Some(text) => text
            .parse()
            .map_err(|_| NativeError(format!("DOCKER_METADATA_SHORT_SHA_LENGTH is not a valid number: {text}"))),
    }
}

/// The forge's description of the repository, with what the run itself knows where the forge says nothing.
fn completed(mut repository: Value, of_event: &Value, github: &Value) -> Value {
    let full = text(github, "repository");
    let url = format!("{}/{full}", text(github, "server_url"));
    let name = full.rsplit('/').next().unwrap_or_default();
    let Some(members) = repository.as_object_mut() else {
        return completed(json!({}), of_event, github);
    };
    for (key, known) in [("name", name), ("html_url", url.as_str()), ("default_branch", ""), ("description", "")] {
        let is_missing = members.get(key).is_none_or(|value| value.as_str().is_none_or(str::is_empty));
        if is_missing {
            let value = of_event[key].as_str().unwrap_or(known);
            members.insert(key.to_owned(), value.into());
        }
    }
    repository
}

/// When the commit was made: as the event says, or the forge.
fn commit_date(call: &Call<'_>, payload: &Value, sha: &str) -> Option<jiff::Timestamp> {
    let date = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    let pushed = payload["commits"].as_array().into_iter().flatten();
    let in_event = pushed.chain([&payload["head_commit"]]).find(|commit| commit["id"].as_str() == Some(sha));
    if let Some(date) = in_event.and_then(|commit| date(&commit["timestamp"])) {
        return Some(date);
    }
    let request = ApiRequest::new("GET", &format!("{}/commits/{sha}", forge::repository(call)));
    date(&forge::send(call, &request).ok()?["commit"]["committer"]["date"])
}

fn tell(call: &mut Call<'_>, around: &Surroundings) {
    call.effects.log("::group::Context info");
    for (name, value) in [
        ("eventName", around.event_name.clone()),
        ("sha", around.sha.clone()),
        ("ref", around.reference.clone()),
        ("commitDate", around.commit_date.to_string()),
    ] {
        call.effects.log(&format!("{name}: {value}"));
    }
    call.effects.log("::endgroup::");
}

/// All that is put out.
struct Outputs {
    version: Version,
    names: Vec<String>,
    tags: Vec<String>,
    tag_names: Vec<String>,
    labels: Vec<(String, String)>,
    annotations: Vec<String>,
}

impl Outputs {
    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.version.warnings.clone();
        if self.version.main.as_deref().unwrap_or_default().is_empty() {
            warnings.push("No Docker image version has been generated. Check tags input.".to_owned());
        }
        if self.tags.is_empty() {
            warnings.push("No Docker tag has been generated. Check tags input.".to_owned());
        }
        warnings
    }

    fn label_lines(&self) -> Vec<String> {
        self.labels.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    fn tell(&self, call: &mut Call<'_>) {
        let labels = self.label_lines();
        for (title, lines) in
            [("Docker tags", &self.tags), ("Docker labels", &labels), ("Annotations", &self.annotations)]
        {
            call.effects.log(&format!("::group::{title}"));
            lines.iter().for_each(|line| call.effects.log(line));
            call.effects.log("::endgroup::");
        }
    }

    /// The outputs that are texts, in their order.
    fn texts(&self, inputs: &Inputs) -> [(&'static str, String); 6] {
        let [of_tags, of_labels, of_annotations] = &inputs.separators;
        let json = json!({
            "tags": self.tags,
            "tag-names": self.tag_names,
            "labels": self.labels_as_members(),
            "annotations": self.annotations,
        });
        [
            ("version", self.version.main.clone().unwrap_or_default()),
            ("tags", self.tags.join(of_tags)),
            ("tag-names", self.tag_names.join(of_tags)),
            ("labels", self.label_lines().join(of_labels)),
            ("annotations", self.annotations.join(of_annotations)),
            ("json", json.to_string()),
        ]
    }

    /// As JSON has them: a value is its first line.
    fn labels_as_members(&self) -> Map<String, Value> {
        let first_line = |value: &str| Value::from(value.lines().next().unwrap_or_default());
        self.labels.iter().map(|(name, value)| (name.clone(), first_line(value))).collect()
    }

    /// What bake can read, by the name of the output that has the file.
    fn bake_files(&self, target: &str) -> [(&'static str, Value); 4] {
        let mut args = json!({ "DOCKER_META_IMAGES": self.names.join(",") });
        if let Some(version) = &self.version.main {
            args["DOCKER_META_VERSION"] = version.as_str().into();
        }
        let labels = Value::from(self.labels_as_members());
        [
            ("bake-file-tags", json!({ "tags": self.tags, "args": args })),
            ("bake-file-labels", json!({ "labels": labels })),
            ("bake-file-annotations", json!({ "annotations": self.annotations })),
            ("bake-file", json!({ "tags": self.tags, "labels": labels, "args": args })),
        ]
        .map(|(kind, contents)| (kind, json!({ "target": { target: contents } })))
    }
}

/// Whether each output is a variable of the later steps too.
fn sets_env(env: &BTreeMap<String, String>) -> Result<bool, NativeError> {
    match env.get("DOCKER_METADATA_SET_OUTPUT_ENV").map(String::as_str) {
        None | Some("" | "1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        Some(other) => {
            Err(NativeError(format!("DOCKER_METADATA_SET_OUTPUT_ENV must be `true` or `false`, not `{other}`")))
        }
    }
}

/// A folder of this step's own, which goes with the job.
fn bake_folder(call: &Call<'_>) -> Result<PathBuf, NativeError> {
    let temp = &call.room.layout().temp;
    let made = tempfile::Builder::new().prefix("docker-metadata-").tempdir_in(temp);
    match made {
        Ok(folder) => Ok(folder.keep()),
        Err(error) => Err(NativeError(format!("cannot make a folder in `{}`: {error}", temp.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the action itself puts out for events and inputs of many kinds, recorded.
    const RECORDED: &str = include_str!("recorded.json");

    fn outputs_of(recorded: &Value, case: &Value) -> Result<(Inputs, Outputs), NativeError> {
        let event = &recorded["events"][case["event"].as_str().expect("a name")];
        let github = json!({
            "event_name": event["event_name"],
            "ref": event["ref"],
            "sha": event["sha"],
            "event": event["payload"],
        });
        let env: BTreeMap<String, String> = serde_json::from_value(case["env"].clone()).unwrap_or_default();
        let input = |name: &str| case["inputs"][name].as_str().unwrap_or_default().to_owned();
        let inputs = Inputs::read(&input, &env)?;
        let (reference, sha) = of_run(&github, &env);
        let time = |text: &str| text.parse::<jiff::Timestamp>().expect("a time");
        // The event's own commit, or what the forge said when this was recorded, which knew all but no commit at all.
        let of_forge = if sha.is_empty() { "2020-01-10T00:30:00Z" } else { "2020-01-09T22:15:10Z" };
        let commit = event["payload"]["head_commit"]["timestamp"].as_str().unwrap_or(of_forge);
        let around = Surroundings {
            event_name: text(&github, "event_name").to_owned(),
            reference,
            sha,
            payload: event["payload"].clone(),
            repository: recorded["repository"].clone(),
            now: time("2020-01-10T00:30:00Z"),
            commit_date: time(commit),
            short: short_length(&env)?,
        };
        let outputs = inputs.outputs(&around)?;
        Ok((inputs, outputs))
    }

    /// S1-46, S2-12, S2-13, S4-16, S4-52.
    #[test]
    fn outputs_are_those_of_the_real_action() {
        let recorded: Value = match std::env::var_os("METADATA_RECORDED") {
            Some(file) => serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON"),
            None => serde_json::from_str(RECORDED).expect("JSON"),
        };
        let cases = recorded["cases"].as_array().expect("cases");
        assert!(cases.len() > 300, "{}", cases.len());
        let mut wrong = Vec::new();
        for case in cases {
            let name = case["name"].as_str().expect("a name");
            let (inputs, outputs) = match outputs_of(&recorded, case) {
                Ok(made) => made,
                Err(error) => {
                    if case["error"].as_str() != Some(&error.0) {
                        wrong.push(format!("{name}: {error}, not {}", case["error"]));
                    }
                    continue;
                }
            };
            if case.get("error").is_some() {
                wrong.push(format!("{name} is no error"));
                continue;
            }
            let made = outputs.texts(&inputs).map(|(name, text)| (name, Value::from(text)));
            let bake = outputs.bake_files(&inputs.bake_target);
            for (output, value) in made.into_iter().chain(bake) {
                let expected = &case["outputs"][output];
                if !expected.is_null() && *expected != value {
                    wrong.push(format!("{name}: {output}:\n{value}\n{expected}"));
                }
            }
            let warnings = serde_json::from_value::<Vec<String>>(case["warnings"].clone()).unwrap_or_default();
            if outputs.warnings() != warnings {
                wrong.push(format!("{name}: {:?}\n{warnings:?}", outputs.warnings()));
            }
        }
        assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn a_repository_that_the_forge_does_not_describe_is_described_by_the_run() {
        let github = json!({ "repository": "octo/App", "server_url": "https://example.org" });
        let made = completed(Value::Null, &json!({ "default_branch": "trunk" }), &github);
        assert_eq!(
            made,
            json!({ "name": "App", "html_url": "https://example.org/octo/App", "default_branch": "trunk", "description": "" })
        );
    }
}
