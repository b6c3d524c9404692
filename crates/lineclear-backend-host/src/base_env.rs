//! The environment that this machine gives to steps: layer 0.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Variables that begin so are left out: Lineclear's own settings, and those in which GitHub Actions speaks to steps. The
/// latter are there when Lineclear itself runs in a job, and speak of that one.
/// And what cargo tells a program that it runs.
const LEFT_OUT_PREFIXES: [&str; 8] =
    ["LINECLEAR_", "GITHUB_", "RUNNER_", "ACTIONS_", "INPUT_", "STATE_", "CARGO_PKG_", "CARGO_MANIFEST_"];

/// Settings of this machine's owner that are kept although they begin like something left out: scripts to run around every job.
const KEPT_PREFIX: &str = "ACTIONS_RUNNER_HOOK_";

/// Variables that are left out: those that make git use another repository than the folder it is started in, which are set
/// when Lineclear is started by a git hook or alias (`git rev-parse --local-env-vars`); and what a shell notes about itself.
const LEFT_OUT: [&str; 21] = [
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
    "CARGO",
    RUSTUP_WAS_HERE,
];

/// Set by rustup's stand-ins for cargo and rustc. Where it is, the toolchain named beside it was chosen for the program that
/// they started, Lineclear, and would overrule the `rust-toolchain` file of a step's folder.
const RUSTUP_WAS_HERE: &str = "RUST_RECURSION_COUNT";
const CHOSEN_BY_RUSTUP: &str = "RUSTUP_TOOLCHAIN";

/// What of `environment`, that of this process, steps inherit, in order of names.
///
/// Everything but what speaks of something else than the step: see the constants of this file, which the manual repeats.
pub(crate) fn base_env(environment: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
    let all: Vec<_> = environment.collect();
    let under_rustup = all.iter().any(|(name, _)| name == RUSTUP_WAS_HERE);
    let is_chosen = |name: &OsStr| under_rustup && name == CHOSEN_BY_RUSTUP;
    let mut kept: Vec<_> = all.into_iter().filter(|(name, _)| is_inherited(name) && !is_chosen(name)).collect();
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

    #[test]
    fn what_rustup_chose_for_lineclear_itself_does_not_reach_steps() {
        let names = |given: &[&str]| {
            let kept = base_env(given.iter().map(|name| (OsString::from(name), OsString::from("x"))));
            kept.into_iter().filter_map(|(name, _)| name.into_string().ok()).collect::<Vec<_>>()
        };
        assert_eq!(names(&["RUSTUP_TOOLCHAIN", "CARGO_HOME"]), ["CARGO_HOME", "RUSTUP_TOOLCHAIN"]);
        let by_cargo = ["RUSTUP_TOOLCHAIN", "RUST_RECURSION_COUNT", "CARGO", "CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"];
        assert_eq!(names(&by_cargo), [""; 0]);
    }
}
