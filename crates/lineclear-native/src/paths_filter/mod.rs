//! `dorny/paths-filter`: which of some sets of paths have changed.
//!
//! # Source
//! `action.yml`, `src/main.ts`, `src/filter.ts` and `src/git.ts` of `dorny/paths-filter`, versions 2 and 3.

mod changes;
mod filters;
mod list_format;

use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};
use serde_json::json;

use changes::{ChangedFile, changed_files};
use filters::{Filters, Quantifier};
use list_format::ListFormat;

/// Matches changed files.
#[derive(Debug)]
pub(crate) struct PathsFilter;

impl NativeAction for PathsFilter {
    fn name(&self) -> &'static str {
        "dorny/paths-filter"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: Paths Changes Filter
inputs:
  token: { default: '${{ github.token }}' }
  working-directory: {}
  ref: {}
  base: {}
  filters: { required: true }
  list-files: { default: none }
  initial-fetch-depth: { default: '100' }
  predicate-quantifier: { default: some }
outputs:
  changes: { description: JSON array of the filters that match }
"
    }

    fn stands_for(&self, reference: &str) -> bool {
        !reference.starts_with("v1")
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let format = ListFormat::read(call.input("list-files"))?;
        let quantifier = Quantifier::read(call.input("predicate-quantifier"))?;
        let text = filters_text(call)?;
        let filters = Filters::read(&text, quantifier).map_err(NativeError)?;
        let files = changed_files(call)?;
        call.effects.log(&format!("Detected {} changed files", files.len()));
        call.effects.log("Results:");
        let mut changes = Vec::new();
        let mut names = Vec::new();
        for (name, filter) in &filters.all {
            let matching: Vec<&ChangedFile> = files.iter().filter(|file| filters.is_match(filter, file)).collect();
            let has_changes = !matching.is_empty();
            call.effects.log(&format!("##[group]Filter {name} = {has_changes}"));
            if has_changes {
                call.effects.log("Matching files:");
                for file in &matching {
                    call.effects.log(&format!("{} [{}]", file.name, file.status.name()));
                }
                changes.push(name.as_str());
            } else {
                call.effects.log("Matching files: none");
            }
            call.effects.log("##[endgroup]");
            let paths: Vec<&str> = matching.iter().map(|file| file.name.as_str()).collect();
            call.effects.output(name, if has_changes { "true" } else { "false" });
            call.effects.output(&format!("{name}_count"), &paths.len().to_string());
            if let Some(list) = format.write(&paths) {
                call.effects.output(&format!("{name}_files"), &list);
            }
            names.push(name.as_str());
        }
        if names.contains(&"changes") {
            call.effects.log("Cannot set changes output variable - name already used by filter output");
        } else {
            call.effects.output("changes", &json!(changes).to_string());
        }
        Ok(())
    }
}

/// The filters themselves, or the file that has them.
fn filters_text(call: &Call<'_>) -> Result<String, NativeError> {
    let given = call.input("filters");
    if given.is_empty() {
        return Err(NativeError("Input required and not supplied: filters".into()));
    }
    if given.contains(['\n', ':']) {
        return Ok(given.to_owned());
    }
    let file = call.workspace().join(call.input("working-directory")).join(given);
    let file = call.reached("input `filters`", file)?;
    if !file.exists() {
        return Err(NativeError(format!("Configuration file '{given}' not found")));
    }
    if !file.is_file() {
        return Err(NativeError(format!("'{given}' is not a file.")));
    }
    std::fs::read_to_string(&file).map_err(|error| NativeError(format!("'{given}' cannot be read: {error}")))
}
