//! The environment that this machine gives to steps: layer 0.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Variables that begin so are left out: Lineclear's own settings, and those in which GitHub Actions speaks to steps. The
/// latter are there when Lineclear itself runs in a job, and speak of that one.
const LEFT_OUT_PREFIXES: [&str; 6] = ["LINECLEAR_", "GITHUB_", "RUNNER_", "ACTIONS_", "INPUT_", "STATE_"];

/// Settings of this machine's owner that are kept although they begin like something left out: scripts to run around every job.
const KEPT_PREFIX: &str = "ACTIONS_RUNNER_HOOK_";

/// Variables that are left out: those that make git use another repository than the folder it is started in, which are set
/// when Lineclear is started by a git hook or alias (`git rev-parse --local-env-vars`); and what a shell notes about itself.
const LEFT_OUT: [&str; 19] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INDEX_VERSION",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_REPLACE_REF_BASE",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
];

/// What of `environment`, that of this process, steps inherit, in order of names.
///
/// Everything but what speaks of something else than the step: see the constants of this file, which the manual repeats.
pub(crate) fn base_env(environment: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
    let mut kept: Vec<_> = environment.filter(|(name, _)| is_inherited(name)).collect();
    kept.sort();
    kept
}

pub(crate) fn is_inherited(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    !bytes.is_empty()
        && !LEFT_OUT.iter().any(|left_out| name == *left_out)
        && (bytes.starts_with(KEPT_PREFIX.as_bytes())
            || !LEFT_OUT_PREFIXES.iter().any(|prefix| bytes.starts_with(prefix.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_inherit_what_does_not_speak_of_something_else() {
        let given = [
            "PATH",
            "HOME",
            "CI",
            "GIT_AUTHOR_NAME",
            "GIT_CONFIG_COUNT",
            "GIT_SSH_COMMAND",
            "GIT_DIR",
            "GITHUB_TOKEN",
            "ACTIONS_RUNTIME_TOKEN",
            "ACTIONS_RUNNER_HOOK_JOB_STARTED",
            "RUNNER_TRACKING_ID",
            "LINECLEAR_STORE",
            "PWD",
            "_",
            "INPUT_NAME",
        ];
        let kept = base_env(given.iter().map(|name| (OsString::from(name), OsString::from("x"))));
        let names: Vec<_> = kept.iter().filter_map(|(name, _)| name.to_str()).collect();
        assert_eq!(
            names,
            [
                "ACTIONS_RUNNER_HOOK_JOB_STARTED",
                "CI",
                "GIT_AUTHOR_NAME",
                "GIT_CONFIG_COUNT",
                "GIT_SSH_COMMAND",
                "HOME",
                "PATH"
            ]
        );
    }
}
