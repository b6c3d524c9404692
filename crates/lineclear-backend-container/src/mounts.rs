//! Which folders of the machine a container sees, and where.
//!
//! # Source
//! Sections 1.9 and 1.10 of the protocol notes, after `actions/runner`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use lineclear_backend::Layout;
use serde_json::{Value, json};

/// Below `RUNNER_TEMP`: the home folder of containers.
pub(crate) const HOME: &str = "_github_home";
/// Below `RUNNER_TEMP`: where the event's file is.
pub(crate) const WORKFLOW: &str = "_github_workflow";

/// A folder or file of the machine and its place in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) host: PathBuf,
    pub(crate) inside: PathBuf,
    pub(crate) read_only: bool,
}

impl Mount {
    pub(crate) fn new(host: impl Into<PathBuf>, inside: impl Into<PathBuf>) -> Self {
        Self { host: host.into(), inside: inside.into(), read_only: false }
    }

    pub(crate) fn read_only(self) -> Self {
        Self { read_only: true, ..self }
    }

    /// In the form of the API.
    pub(crate) fn json(&self) -> Value {
        json!({ "Type": "bind", "Source": self.host, "Target": self.inside, "ReadOnly": self.read_only })
    }
}

/// How paths of the machine are called in a container.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathMap {
    /// The longest path on the machine first.
    pairs: Vec<(PathBuf, PathBuf)>,
}

impl PathMap {
    fn new(mut pairs: Vec<(PathBuf, PathBuf)>) -> Self {
        pairs.sort_by_key(|(host, _)| std::cmp::Reverse(host.as_os_str().len()));
        Self { pairs }
    }

    /// What a path of the machine is in the container; others stay as they are.
    pub(crate) fn seen(&self, path: &Path) -> PathBuf {
        self.inside(path).unwrap_or_else(|| path.to_owned())
    }

    fn inside(&self, path: &Path) -> Option<PathBuf> {
        self.pairs.iter().find_map(|(host, inside)| {
            let rest = path.strip_prefix(host).ok()?;
            Some(if rest.as_os_str().is_empty() { inside.clone() } else { inside.join(rest) })
        })
    }

    /// What a path in the container is on the machine, if it is there.
    pub(crate) fn on_host(&self, path: &Path) -> Option<PathBuf> {
        let longest = self.pairs.iter().filter(|(_, inside)| path.starts_with(inside));
        let (host, inside) = longest.max_by_key(|(_, inside)| inside.as_os_str().len())?;
        Some(host.join(path.strip_prefix(inside).ok()?))
    }

    /// A variable's value for the container: one that is a mapped folder, or a path in it, is translated; of `PATH`, every entry.
    pub(crate) fn value(&self, name: &OsStr, value: &OsStr) -> OsString {
        if name == "PATH" {
            let parts: Vec<OsString> = value
                .as_bytes()
                .split(|&byte| byte == b':')
                .map(|part| self.seen_text(OsStr::from_bytes(part)))
                .collect();
            return parts.join(OsStr::new(":"));
        }
        self.seen_text(value)
    }

    fn seen_text(&self, text: &OsStr) -> OsString {
        // Compared as text, so that what is no path of ours keeps each byte.
        self.pairs
            .iter()
            .find_map(|(host, inside)| {
                let rest = text.as_bytes().strip_prefix(host.as_os_str().as_bytes())?;
                if !(rest.is_empty() || rest.starts_with(b"/")) {
                    return None;
                }
                let mut seen = inside.clone().into_os_string().into_vec();
                seen.extend_from_slice(rest);
                Some(OsString::from_vec(seen))
            })
            .unwrap_or_else(|| text.to_owned())
    }
}

/// The folder that a scratch folder really is, where the layout names a link to it.
fn real_scratch(layout: &Layout) -> PathBuf {
    layout.scratch.canonicalize().unwrap_or_else(|_| layout.scratch.clone())
}

/// What the job's own container sees.
pub(crate) fn of_job(layout: &Layout) -> (Vec<Mount>, PathMap) {
    let name = |path: &Path| path.file_name().map_or_else(|| "work".into(), OsStr::to_owned);
    let repository = name(&layout.workspace);
    let workspace = Path::new("/__w").join(&repository).join(&repository);
    // One mount does where the folders lie together.
    let work = layout.temp.parent().filter(|work| {
        layout.temp == work.join("_temp")
            && layout.actions == work.join("_actions")
            && layout.workspace == work.join(&repository).join(&repository)
    });
    let mut mounts = match work {
        Some(work) => vec![Mount::new(work, "/__w")],
        None => vec![
            Mount::new(&layout.workspace, &workspace),
            Mount::new(&layout.temp, "/__w/_temp"),
            Mount::new(&layout.actions, "/__w/_actions"),
        ],
    };
    mounts.extend([
        Mount::new(&layout.tool_cache, "/__t"),
        Mount::new(layout.temp.join(HOME), "/github/home"),
        Mount::new(layout.temp.join(WORKFLOW), "/github/workflow"),
    ]);
    let mut pairs = vec![
        (layout.workspace.clone(), workspace.clone()),
        (layout.temp.clone(), "/__w/_temp".into()),
        (layout.actions.clone(), "/__w/_actions".into()),
        (layout.tool_cache.clone(), "/__t".into()),
        (layout.temp.join(HOME), "/github/home".into()),
        (layout.temp.join(WORKFLOW), "/github/workflow".into()),
    ];
    // `RUNNER_WORKSPACE`; only where it is a folder of the job's own.
    if let (Some(host), Some(inside), Some(_)) = (layout.workspace.parent(), workspace.parent(), work) {
        pairs.push((host.into(), inside.into()));
    }
    let scratch = real_scratch(layout);
    if !scratch.starts_with(&layout.temp) {
        // The link in the temporary folder leads there in the container too.
        mounts.push(Mount::new(&scratch, &scratch));
        if !layout.scratch.starts_with(&layout.temp) {
            pairs.push((layout.scratch.clone(), scratch));
        }
    }
    (mounts, PathMap::new(pairs))
}

/// What the container of a Docker action sees.
pub(crate) fn of_action(layout: &Layout) -> (Vec<Mount>, PathMap) {
    let scratch = real_scratch(layout);
    let pairs: Vec<(PathBuf, PathBuf)> = [
        (layout.workspace.clone(), "/github/workspace"),
        (layout.temp.clone(), "/github/runner_temp"),
        (layout.temp.join(HOME), "/github/home"),
        (layout.temp.join(WORKFLOW), "/github/workflow"),
        (scratch, "/github/file_commands"),
    ]
    .map(|(host, inside)| (host, inside.into()))
    .into();
    let mounts = pairs.iter().map(|(host, inside)| Mount::new(host, inside)).collect();
    let mut pairs = pairs;
    pairs.push((layout.scratch.clone(), "/github/file_commands".into()));
    (mounts, PathMap::new(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(work: &str) -> Layout {
        let at = |name: &str| PathBuf::from(format!("{work}/{name}"));
        Layout {
            workspace: at("app/app"),
            temp: at("_temp"),
            scratch: at("_temp/_runner_file_commands"),
            actions: at("_actions"),
            tool_cache: "/tools".into(),
        }
    }

    #[test]
    fn trap_12_paths_of_the_job_are_called_as_on_the_hosted_runner() {
        let (mounts, map) = of_job(&layout("/work/1/job"));
        assert_eq!(mounts[0], Mount::new("/work/1/job", "/__w"));
        let cases = [
            ("/work/1/job/app/app", "/__w/app/app"),
            ("/work/1/job/app", "/__w/app"),
            ("/work/1/job/app/app/src/x", "/__w/app/app/src/x"),
            ("/work/1/job/_temp/_runner_file_commands/set_env", "/__w/_temp/_runner_file_commands/set_env"),
            ("/work/1/job/_temp/_github_workflow/event.json", "/github/workflow/event.json"),
            ("/work/1/job/_temp/_github_home", "/github/home"),
            ("/tools/node/20", "/__t/node/20"),
            ("/work/1/job/application", "/work/1/job/application"),
            ("/usr/bin/env", "/usr/bin/env"),
        ];
        for (host, inside) in cases {
            assert_eq!(map.seen(Path::new(host)), Path::new(inside));
        }
        assert_eq!(map.on_host(Path::new("/__w/app/app/x")), Some("/work/1/job/app/app/x".into()));
        assert_eq!(map.on_host(Path::new("/etc")), None);
    }

    #[test]
    fn values_are_translated_whole_and_those_of_path_entry_by_entry() {
        let (_, map) = of_job(&layout("/w"));
        let value = |name: &str, text: &str| map.value(OsStr::new(name), OsStr::new(text)).into_string().expect("text");
        assert_eq!(value("X", "/w/app/app"), "/__w/app/app");
        assert_eq!(value("X", "/w/app/app/a b"), "/__w/app/app/a b");
        assert_eq!(value("X", "/w/app/app-2"), "/__w/app/app-2", "as a path in the folder above it");
        assert_eq!(value("X", "see /w/app/app"), "see /w/app/app");
        assert_eq!(value("PATH", "/w/_temp/bin:/usr/bin:/tools/x"), "/__w/_temp/bin:/usr/bin:/__t/x");
    }

    #[test]
    fn trap_76_an_action_sees_the_workspace_and_the_command_files() {
        let (mounts, map) = of_action(&layout("/w"));
        assert_eq!(mounts.len(), 5);
        assert_eq!(map.seen(Path::new("/w/app/app/x")), Path::new("/github/workspace/x"));
        let output = Path::new("/w/_temp/_runner_file_commands/set_output_1");
        assert_eq!(map.seen(output), Path::new("/github/file_commands/set_output_1"));
        assert_eq!(map.seen(Path::new("/w/_temp/x")), Path::new("/github/runner_temp/x"));
    }
}
