//! The environment of steps, layer by layer.
//!
//! # Source
//! Sections 1.1 to 1.5 of the protocol notes, after `Handlers/*.cs`, `GitHubContext.cs` and `RunnerContext.cs` of `actions/runner`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use indexmap::IndexMap;
use lineclear_expr::{Object, Value};

/// Names and values in the order in which they were first set. Names that differ by case are different names (trap 11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Env {
    // Shared until one of the owners writes: a background step and every composite begin with what is there.
    entries: Arc<IndexMap<String, String>>,
}

impl Env {
    pub(crate) fn set(&mut self, name: String, value: String) {
        Arc::make_mut(&mut self.entries).insert(name, value);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Sets everything that `other` has.
    pub(crate) fn lay_over(&mut self, other: &Self) {
        if self.is_empty() {
            self.clone_from(other);
        } else if !other.is_empty() {
            for (name, value) in other.iter() {
                self.set(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl FromIterator<(String, String)> for Env {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Self {
        Self { entries: Arc::new(entries.into_iter().collect()) }
    }
}

/// The `env` context made of several layers, later ones winning. It is the one context that minds case.
pub(crate) fn context(layers: &[&Env]) -> Value {
    let mut object = Object::case_sensitive();
    for (name, value) in layers.iter().flat_map(|layer| layer.iter()) {
        object.insert(name, value);
    }
    object.into()
}

/// What a process of a step is started with, put together in the order of the layers.
#[derive(Debug)]
pub(crate) struct ProcessEnv {
    variables: BTreeMap<OsString, OsString>,
    /// Whether the machine or a layer of the workflow has set `CI`.
    ci_is_set: bool,
}

impl ProcessEnv {
    /// Layer 0: what the machine gives.
    pub(crate) fn new(base: &[(OsString, OsString)]) -> Self {
        let variables: BTreeMap<_, _> = base.iter().cloned().collect();
        let ci_is_set = variables.contains_key(OsStr::new("CI"));
        Self { variables, ci_is_set }
    }

    pub(crate) fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.variables.insert(name.into(), value.into());
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.variables.remove(OsStr::new(name));
    }

    /// Layers 1 and 2: what the workflow, the job and the step set.
    pub(crate) fn lay_over(&mut self, env: &Env) {
        for (name, value) in env.iter() {
            self.ci_is_set |= name == "CI";
            self.set(name, value);
        }
    }

    /// Layer 5: folders that steps added, the newest first.
    pub(crate) fn prepend_path(&mut self, folders: &[String]) {
        if folders.is_empty() {
            return;
        }
        let mut path = OsString::from(folders.join(":"));
        if let Some(rest) = self.variables.get(OsStr::new("PATH")).filter(|rest| !rest.is_empty()) {
            path.push(":");
            path.push(rest);
        }
        self.set("PATH", path);
    }

    /// Layer 8: what is always said, and `CI` unless someone else has said it.
    pub(crate) fn finish(&mut self) {
        self.set("GITHUB_ACTIONS", "true");
        if !self.ci_is_set {
            self.set("CI", "true");
        }
    }

    /// Puts other values in the place of some: `None` keeps one.
    pub(crate) fn change_values(&mut self, change: impl Fn(&OsStr) -> Option<OsString>) {
        for value in self.variables.values_mut() {
            if let Some(changed) = change(value) {
                *value = changed;
            }
        }
    }

    /// Sets what nobody has set.
    pub(crate) fn set_missing(&mut self, env: &Env) {
        for (name, value) in env.iter() {
            self.variables.entry(name.into()).or_insert_with(|| value.into());
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    pub(crate) fn variables(&self) -> &BTreeMap<OsString, OsString> {
        &self.variables
    }

    pub(crate) fn into_variables(self) -> Vec<(OsString, OsString)> {
        // A name that is empty or holds `=`, or a NUL anywhere, cannot be handed to a process on Unix.
        self.variables.into_iter().filter(|(name, value)| can_be_passed(name, value)).collect()
    }

    /// As text, for actions that run inside the runner.
    pub(crate) fn to_text(&self) -> BTreeMap<String, String> {
        self.variables
            .iter()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect()
    }

    /// The largest variables, for a message about an environment that is too large.
    pub(crate) fn largest(variables: &[(OsString, OsString)]) -> String {
        let mut sizes: Vec<(usize, String)> =
            variables.iter().map(|(name, value)| (value.len(), name.to_string_lossy().into_owned())).collect();
        sizes.sort_by(|a, b| b.cmp(a));
        let named: Vec<String> = sizes.iter().take(3).map(|(size, name)| format!("{name} ({size} bytes)")).collect();
        named.join(", ")
    }
}

fn can_be_passed(name: &OsStr, value: &OsStr) -> bool {
    let (name, value) = (name.as_encoded_bytes(), value.as_encoded_bytes());
    !name.is_empty() && !name.contains(&b'=') && !name.contains(&0) && !value.contains(&0)
}

/// Keys of the `github` context that become `GITHUB_*`. `token`, `event` and others never do.
const EXPORTED: &[&str] = &[
    "action",
    "action_path",
    "action_ref",
    "action_repository",
    "actor",
    "actor_id",
    "api_url",
    "artifacts",
    "artifacts_list",
    "base_ref",
    "env",
    "event_name",
    "event_path",
    "graphql_url",
    "head_ref",
    "job",
    "output",
    "path",
    "ref",
    "ref_name",
    "ref_protected",
    "ref_type",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "retention_days",
    "run_attempt",
    "run_id",
    "run_number",
    "server_url",
    "sha",
    "state",
    "step_summary",
    "triggering_actor",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "workspace",
];

/// Layer 6: variables that the `github` and `runner` contexts give. They win over everything a workflow sets.
pub(crate) fn exports(github: &Value, runner: &Value) -> Vec<(OsString, OsString)> {
    let mut variables = Vec::with_capacity(EXPORTED.len() + 8);
    if let Value::Object(github) = github {
        for key in EXPORTED {
            match github.get(key) {
                None | Some(Value::Null | Value::Array(_) | Value::Object(_)) => {}
                Some(value) => {
                    variables.push((format!("GITHUB_{}", key.to_uppercase()).into(), value.to_text().into()))
                }
            }
        }
    }
    if let Value::Object(runner) = runner {
        for (key, value) in runner.iter() {
            if let Value::String(value) = value {
                variables.push((format!("RUNNER_{}", key.to_uppercase()).into(), (&**value).into()));
            }
        }
    }
    variables
}

/// The name under which an action's process finds an input: `INPUT_`, blanks as underscores, upper-case, all else kept (trap 13).
pub(crate) fn input_variable(name: &str) -> String {
    format!("INPUT_{}", name.replace(' ', "_").to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(entries: &[(&str, &str)]) -> Env {
        entries.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn process(base: &[(&str, &str)], layers: &[&Env], path: &[String]) -> BTreeMap<String, String> {
        let base: Vec<_> = base.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        let mut process = ProcessEnv::new(&base);
        layers.iter().for_each(|layer| process.lay_over(layer));
        process.prepend_path(path);
        process.finish();
        process.to_text()
    }

    #[test]
    fn trap_6_ci_is_true_unless_someone_says_otherwise() {
        assert_eq!(process(&[], &[], &[])["CI"], "true");
        assert_eq!(process(&[], &[&env(&[("CI", "false")])], &[])["CI"], "false");
        assert_eq!(process(&[], &[&env(&[("CI", "")])], &[])["CI"], "");
        assert_eq!(process(&[("CI", "1")], &[], &[])["CI"], "1");
    }

    #[test]
    fn trap_11_names_that_differ_by_case_are_two_variables() {
        let both = process(&[], &[&env(&[("Foo", "1"), ("foo", "2")])], &[]);
        assert_eq!((both["Foo"].as_str(), both["foo"].as_str()), ("1", "2"));
    }

    #[test]
    fn trap_13_an_input_keeps_its_hyphen_and_loses_its_blanks() {
        assert_eq!(input_variable("fetch-depth"), "INPUT_FETCH-DEPTH");
        assert_eq!(input_variable("my name"), "INPUT_MY_NAME");
    }

    #[test]
    fn added_folders_come_before_the_path_of_the_layers() {
        let path = process(&[("PATH", "/bin")], &[], &["/new".into(), "/old".into()]);
        assert_eq!(path["PATH"], "/new:/old:/bin");
        let own = process(&[("PATH", "/bin")], &[&env(&[("PATH", "/mine")])], &["/new".into()]);
        assert_eq!(own["PATH"], "/new:/mine");
    }

    #[test]
    fn later_layers_win_and_shared_layers_stay_as_they_are() {
        let outer = env(&[("A", "1"), ("B", "1")]);
        let mut inner = outer.clone();
        inner.lay_over(&env(&[("B", "2"), ("C", "2")]));
        assert_eq!(inner.iter().collect::<Vec<_>>(), [("A", "1"), ("B", "2"), ("C", "2")]);
        assert_eq!(outer.iter().collect::<Vec<_>>(), [("A", "1"), ("B", "1")]);
    }
}
