//! `actions/github-script`: a script with a client of the forge, on the machine's Node.
//!
//! The scripts beside this file are the client and the toolkit's packages, written anew, so that nothing is downloaded. Node runs
//! them as it runs a JavaScript action: with its environment, its command files and its commands.
//!
//! # Source
//! `src/main.ts` of `actions/github-script`; the documentation of Octokit and of the packages of `actions/toolkit`.

use std::fs;
use std::path::Path;

use lineclear_runner::native::{Call, InContainer, NativeAction, NativeError};

const FILES: [(&str, &str); 10] = [
    ("main.js", include_str!("main.js")),
    ("client.js", include_str!("client.js")),
    ("request.js", include_str!("request.js")),
    ("endpoints.txt", include_str!("endpoints.txt")),
    ("context.js", include_str!("context.js")),
    ("core.js", include_str!("core.js")),
    ("summary.js", include_str!("summary.js")),
    ("exec.js", include_str!("exec.js")),
    ("io.js", include_str!("io.js")),
    ("glob.js", include_str!("glob.js")),
];

/// Runs a script.
#[derive(Debug)]
pub(crate) struct GithubScript;

impl NativeAction for GithubScript {
    fn name(&self) -> &'static str {
        "actions/github-script"
    }

    fn in_container(&self) -> InContainer {
        InContainer::BuiltIn
    }

    fn metadata(&self) -> &'static str {
        "
name: GitHub Script
inputs:
  script: { required: true }
  github-token: { default: '${{ github.token }}' }
  debug: { default: \"${{ runner.debug == '1' }}\" }
  user-agent: { default: actions/github-script }
  previews: {}
  result-encoding: { default: json }
  retries: { default: '0' }
  retry-exempt-status-codes: { default: '400,401,403,404,422' }
  base-url: {}
outputs:
  result: { description: what the script returns }
"
    }

    /// Scripts of versions before 6 see another client.
    fn stands_for(&self, reference: &str) -> bool {
        let major = reference.strip_prefix('v').unwrap_or_default().split('.').next().unwrap_or_default();
        !major.parse::<u32>().is_ok_and(|major| major < 6)
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let folder = tempfile::Builder::new()
            .prefix("_github_script_")
            .tempdir_in(&call.room.layout().temp)
            .map_err(|error| cannot_write(&call.room.layout().temp, &error))?;
        for (name, text) in FILES {
            let file = folder.path().join(name);
            fs::write(&file, text).map_err(|error| cannot_write(&file, &error))?;
        }
        match call.effects.node(&folder.path().join("main.js"))? {
            0 => Ok(()),
            // The script's error is in the log, with its stack.
            _ => Err(NativeError::told()),
        }
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> NativeError {
    NativeError(format!("cannot write the client of github-script to `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_a_route() {
        let (_, table) = FILES[3];
        let methods: Vec<&str> = table.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(methods.len() > 1000, "{}", methods.len());
        for line in methods {
            let mut words = line.split(' ');
            let (name, verb, path) = (words.next(), words.next(), words.next());
            assert!(name.is_some_and(|name| name.split('.').count() == 2), "{line}");
            assert!(verb.is_some_and(|verb| ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&verb)), "{line}");
            assert!(path.is_some_and(|path| path.starts_with('/')), "{line}");
        }
    }

    #[test]
    fn old_versions_are_left_to_the_real_action() {
        let stands = |reference| GithubScript.stands_for(reference);
        assert!(stands("v6") && stands("v7.0.1") && stands("v8") && stands("main"));
        assert!(!stands("v5") && !stands("v3.1"));
        assert!(stands("60a0d83039c74a4aee543508d2ffcb1c3799cdea"));
    }
}
