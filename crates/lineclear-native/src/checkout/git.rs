//! Running git for a checkout.

use std::path::Path;

use lineclear_runner::native::{Call, NativeError, RunOptions};

use crate::setup::on_path;

/// Asks nobody for passwords, gives up on a connection over which nothing comes for 30 seconds, and leaves files of LFS as the
/// texts that point to them.
const ENVIRONMENT: [(&str, &str); 7] = [
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GCM_INTERACTIVE", "Never"),
    ("GIT_ASKPASS", ""),
    ("SSH_ASKPASS", ""),
    ("GIT_HTTP_LOW_SPEED_LIMIT", "1"),
    ("GIT_HTTP_LOW_SPEED_TIME", "30"),
    ("GIT_LFS_SKIP_SMUDGE", "1"),
];

/// Keeps programs of the user's own configuration out of a checkout. Who owns a folder does not matter: the user named it.
const SETTINGS: [(&str, &str); 4] = [
    ("safe.directory", "*"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("advice.detachedHead", "false"),
];

/// git in one folder.
#[derive(Clone, Debug)]
pub(super) struct Git<'a> {
    folder: &'a Path,
    env: Vec<(String, String)>,
    settings: Vec<(String, String)>,
}

impl<'a> Git<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        let own = |pair: &(&str, &str)| (pair.0.to_owned(), pair.1.to_owned());
        Self { folder, env: ENVIRONMENT.iter().map(own).collect(), settings: SETTINGS.iter().map(own).collect() }
    }

    pub(super) fn folder(&self) -> &'a Path {
        self.folder
    }

    /// The same in another folder.
    pub(super) fn in_folder<'b>(&self, folder: &'b Path) -> Git<'b> {
        Git { folder, env: self.env.clone(), settings: self.settings.clone() }
    }

    pub(super) fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn with_setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs a command that the log shows, with its output.
    ///
    /// # Errors
    /// git is not there, or ends with another code than 0.
    pub(super) fn run(&self, call: &mut Call<'_>, args: &[&str]) -> Result<(), NativeError> {
        match self.start(call, false, |call, options| call.effects.run("git", args, options))? {
            0 => Ok(()),
            code => Err(NativeError(format!("`git {}` failed with exit code {code}", args.join(" ")))),
        }
    }

    /// What a command prints. The log shows nothing of it.
    ///
    /// # Errors
    /// git is not there, or ends with another code than 0.
    pub(super) fn ask(&self, call: &mut Call<'_>, args: &[&str]) -> Result<String, NativeError> {
        let said = self.start(call, true, |call, options| call.effects.capture("git", args, options))?;
        Ok(said.trim_end_matches('\n').to_owned())
    }

    /// The same as [`Git::ask`], for what should be answered within a minute: where the machine has the program `timeout`, it is.
    ///
    /// # Errors
    /// As [`Git::ask`], and when the time is over.
    pub(super) fn ask_soon(&self, call: &mut Call<'_>, args: &[&str]) -> Result<String, NativeError> {
        if on_path(&call.env, "timeout").is_none() {
            return self.ask(call, args);
        }
        let limited: Vec<&str> = ["60", "git"].into_iter().chain(args.iter().copied()).collect();
        let said = self.start(call, true, |call, options| call.effects.capture("timeout", &limited, options));
        match said {
            Ok(said) => Ok(said.trim_end_matches('\n').to_owned()),
            Err(error) if error.0.contains("exit code 124") => {
                Err(NativeError("it did not answer within a minute".into()))
            }
            Err(error) => Err(error),
        }
    }

    fn start<T>(
        &self,
        call: &mut Call<'_>,
        quiet: bool,
        start: impl FnOnce(&mut Call<'_>, RunOptions<'_>) -> Result<T, NativeError>,
    ) -> Result<T, NativeError> {
        let mut env = self.env.clone();
        // After what the environment sets already, as later settings count.
        let before = call.env.get("GIT_CONFIG_COUNT").and_then(|count| count.parse::<usize>().ok()).unwrap_or(0);
        for (number, (name, value)) in (before..).zip(&self.settings) {
            env.push((format!("GIT_CONFIG_KEY_{number}"), name.clone()));
            env.push((format!("GIT_CONFIG_VALUE_{number}"), value.clone()));
        }
        env.push(("GIT_CONFIG_COUNT".into(), (before + self.settings.len()).to_string()));
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        start(call, RunOptions { folder: Some(self.folder), env: &env, quiet }).map_err(|error| {
            if error.0.contains("there is no program") {
                NativeError(format!("{error}: install git to check repositories out"))
            } else {
                error
            }
        })
    }
}
