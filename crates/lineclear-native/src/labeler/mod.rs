//! `actions/labeler`: labels a pull request by its files and branches.
//!
//! # Source
//! `action.yml`, `src/labeler.ts`, `src/changedFiles.ts` and `src/branch.ts` of `actions/labeler`, versions 5 and 6.

mod rules;

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lineclear_event::AnnotationLevel;
use lineclear_forge::ApiRequest;
use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};
use serde_json::{Value, json};

use crate::caching::text;
use crate::globs::Dots;
use crate::{forge, yaml};
use rules::{Pull, Rules};

/// Most labels of a pull request.
const MOST_LABELS: usize = 100;

/// Sets labels.
#[derive(Debug)]
pub(crate) struct Labeler;

impl NativeAction for Labeler {
    fn name(&self) -> &'static str {
        "actions/labeler"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Labeler
inputs:
  repo-token: { default: '${{ github.token }}' }
  configuration-path: { default: .github/labeler.yml }
  sync-labels: { default: 'false' }
  dot: { default: 'true' }
  pr-number: {}
outputs:
  new-labels: { description: labels that were added }
  all-labels: { description: all labels of the pull request }
"
    }

    /// The configuration of versions before 5 is another language.
    fn stands_for(&self, reference: &str) -> bool {
        let major = reference.strip_prefix('v').unwrap_or_default().split('.').next().unwrap_or_default();
        !major.parse::<u32>().is_ok_and(|major| major < 5)
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let sync = call.flag("sync-labels")?;
        let dots = if call.flag("dot")? { Dots::Matched } else { Dots::Explicit };
        let numbers = numbers(call);
        if numbers.is_empty() {
            let message = "Could not get pull request number(s), exiting";
            call.effects.annotate(AnnotationLevel::Warning, message);
            return Ok(());
        }
        for number in numbers {
            label(call, number, sync, dots)?;
        }
        Ok(())
    }
}

fn numbers(call: &mut Call<'_>) -> Vec<u64> {
    let mut numbers = Vec::new();
    let given: Vec<String> = call.lines("pr-number").into_iter().map(str::to_owned).collect();
    for text in &given {
        match text.parse() {
            Ok(number) => numbers.push(number),
            Err(_) => {
                let message = format!("'{text}' is not a valid pull request number");
                call.effects.annotate(AnnotationLevel::Warning, &message);
            }
        }
    }
    if given.is_empty() { forge::pull_number(call).into_iter().collect() } else { numbers }
}

fn label(call: &mut Call<'_>, number: u64, sync: bool, dots: Dots) -> Result<(), NativeError> {
    let repository = forge::repository(call);
    let pull = match forge::send(call, &ApiRequest::new("GET", &format!("{repository}/pulls/{number}"))) {
        Ok(pull) => pull,
        Err(_) => {
            let message = format!("Could not find pull request #{number}, skipping");
            call.effects.annotate(AnnotationLevel::Warning, &message);
            return Ok(());
        }
    };
    let files = forge::list(call, &format!("{repository}/pulls/{number}/files"), None)?;
    let pull_seen = Pull {
        files: files.iter().filter_map(|file| file["filename"].as_str()).map(str::to_owned).collect(),
        base: text(&pull["base"], "ref").to_owned(),
        head: text(&pull["head"], "ref").to_owned(),
    };
    let configuration = configuration(call)?;
    let rules = Rules::read(&configuration, dots).map_err(NativeError)?;
    for (label, key) in &rules.unknown {
        call.effects.log(&format!("An unknown config option was under {label}: {key}"));
    }
    let before: Vec<String> = pull["labels"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|label| label["name"].as_str().or(label.as_str()))
        .map(str::to_owned)
        .collect();
    let mut all = before.clone();
    for (label, groups) in &rules.labels {
        if groups.iter().all(|group| group.matches(&pull_seen)) {
            if !all.contains(label) {
                all.push(label.clone());
            }
        } else if sync {
            all.retain(|known| known != label);
        }
    }
    let excess = all.split_off(all.len().min(MOST_LABELS));
    let is_changed = all.iter().collect::<BTreeSet<_>>() != before.iter().collect::<BTreeSet<_>>();
    let mut new = Vec::new();
    if is_changed {
        let path = format!("{repository}/issues/{number}/labels");
        if let Err(error) = forge::send(call, &ApiRequest::new("PUT", &path).json(&json!({ "labels": all }))) {
            if error.is_forbidden() {
                let message = "The action requires write permission to add labels to pull requests. For more information please refer to \
                               the action documentation: https://github.com/actions/labeler#permissions";
                call.effects.annotate(AnnotationLevel::Warning, message);
            }
            return Err(error.into());
        }
        new = all.iter().filter(|label| !before.contains(label)).cloned().collect();
    }
    call.effects.output("new-labels", &new.join(","));
    call.effects.output("all-labels", &all.join(","));
    if !excess.is_empty() {
        let message = format!("Maximum of {MOST_LABELS} labels allowed. Excess labels: {}", excess.join(", "));
        call.effects.annotate(AnnotationLevel::Warning, &message);
    }
    Ok(())
}

/// The configuration: the file in the workspace, or else what the forge has at the run's commit.
fn configuration(call: &mut Call<'_>) -> Result<Value, NativeError> {
    let path = call.input("configuration-path").to_owned();
    let file = call.reached("input `configuration-path`", call.workspace().join(&path))?;
    let content = if file.is_file() {
        call.effects.log(&format!("The configuration file (path: {path}) was found locally, reading from the file"));
        std::fs::read_to_string(&file).map_err(|error| NativeError(format!("`{path}` cannot be read: {error}")))?
    } else {
        call.effects.log(&format!("The configuration file (path: {path}) was not found locally, fetching via the api"));
        fetched(call, &path)?
    };
    yaml::value(&path, &content).map_err(NativeError)
}

fn fetched(call: &Call<'_>, path: &str) -> Result<String, NativeError> {
    let request = ApiRequest::new("GET", &format!("{}/contents/{path}", forge::repository(call)));
    let answer = forge::send(call, &request.query("ref", text(&call.contexts.github, "sha")))?;
    let packed: String = text(&answer, "content").split_whitespace().collect();
    let bytes = STANDARD
        .decode(packed)
        .map_err(|error| NativeError(format!("the forge's answer about `{path}` is not base64: {error}")))?;
    String::from_utf8(bytes).map_err(|_| NativeError(format!("`{path}` is not UTF-8")))
}
