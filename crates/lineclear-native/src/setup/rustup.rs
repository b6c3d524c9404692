//! rustup: what it has, and what it is asked to install.
//!
//! # Source
//! The rustup book: toolchain names, the `rust-toolchain` file, `rustup component list`.

use std::path::PathBuf;

use lineclear_runner::native::{Call, NativeError, RunOptions};

/// rustup as it works in one folder.
#[derive(Clone, Debug)]
pub(super) struct Rustup {
    pub(super) program: String,
    pub(super) folder: PathBuf,
}

impl Rustup {
    /// Nothing is installed by asking.
    pub(super) fn ask(&self, call: &mut Call<'_>, args: &[&str]) -> Result<String, NativeError> {
        let env = [("RUSTUP_AUTO_INSTALL", "0")];
        call.effects.capture(&self.program, args, RunOptions { quiet: true, env: &env, folder: Some(&self.folder) })
    }

    /// What a program of the toolchain says, or of the one that the folder has.
    pub(super) fn run(
        &self,
        call: &mut Call<'_>,
        toolchain: Option<&str>,
        command: &[&str],
    ) -> Result<String, NativeError> {
        let toolchain = match toolchain {
            Some(toolchain) => toolchain.to_owned(),
            None => {
                let active = self.ask(call, &["show", "active-toolchain"])?;
                active.split_whitespace().next().unwrap_or_default().to_owned()
            }
        };
        let args: Vec<&str> = ["run", &toolchain].into_iter().chain(command.iter().copied()).collect();
        self.ask(call, &args)
    }

    /// Installs what the folder's `rust-toolchain` file asks for, as far as it is missing.
    pub(super) fn use_file(
        &self,
        call: &mut Call<'_>,
        targets: &[String],
        components: &[String],
    ) -> Result<(), NativeError> {
        if self
            .ask(call, &["show", "active-toolchain"])
            .and_then(|_| self.run(call, None, &["rustc", "--version"]))
            .is_err()
        {
            let options = RunOptions { folder: Some(&self.folder), ..RunOptions::default() };
            if call.effects.run(&self.program, &["toolchain", "install"], options)? != 0 {
                return Err(missing("that the rust-toolchain file asks for"));
            }
        }
        for (kind, wanted) in [("component", components), ("target", targets)] {
            if wanted.is_empty() || self.has(call, None, targets, components) {
                continue;
            }
            let args: Vec<&str> = [kind, "add"].into_iter().chain(wanted.iter().map(String::as_str)).collect();
            let options = RunOptions { folder: Some(&self.folder), ..RunOptions::default() };
            if call.effects.run(&self.program, &args, options)? != 0 {
                return Err(missing(&format!("with {}", wanted.join(", "))));
            }
        }
        Ok(())
    }

    /// Gives the name of the installed toolchain for `name`, which is installed first if it is missing.
    pub(super) fn ensure(
        &self,
        call: &mut Call<'_>,
        name: &str,
        targets: &[String],
        components: &[String],
    ) -> Result<String, NativeError> {
        let installed = self.ask(call, &["toolchain", "list"]).unwrap_or_default();
        let name = installed_patch(name, &installed).unwrap_or_else(|| name.to_owned());
        if self.has(call, Some(&name), targets, components) {
            return Ok(name);
        }
        let mut args = vec!["toolchain", "install", &name, "--profile", "minimal", "--no-self-update"];
        targets.iter().for_each(|target| args.extend(["--target", target]));
        components.iter().for_each(|component| args.extend(["--component", component]));
        if name.starts_with("nightly") && !components.is_empty() {
            args.push("--allow-downgrade");
        }
        match call.effects.run(&self.program, &args, RunOptions::default())? {
            0 => Ok(name),
            _ => Err(missing(&format!("`{name}`"))),
        }
    }

    /// Whether the toolchain is there with everything asked for, so that rustup need not reach out.
    fn has(&self, call: &mut Call<'_>, toolchain: Option<&str>, targets: &[String], components: &[String]) -> bool {
        let mut args = vec!["component", "list", "--installed"];
        args.extend(toolchain.iter().flat_map(|toolchain| ["--toolchain", toolchain]));
        let Ok(installed) = self.ask(call, &args) else { return false };
        let has = |name: &str| installed.lines().any(|line| line == name || line.starts_with(&format!("{name}-")));
        let has_target = |target: &String| installed.lines().any(|line| line == format!("rust-std-{target}"));
        components.iter().all(|component| has(component.trim_end_matches("-preview"))) && targets.iter().all(has_target)
    }
}

fn missing(what: &str) -> NativeError {
    let why = "rustup could not install it: is the name right, and is this machine connected?";
    NativeError(format!("There is no Rust toolchain {what} on this machine, and {why}"))
}

/// The newest installed `1.80.x` for `1.80`, which means just that.
fn installed_patch(name: &str, installed: &str) -> Option<String> {
    let is_minor = name.split('.').count() == 2 && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let toolchains = || installed.lines().filter_map(|line| line.split_whitespace().next());
    if !is_minor || toolchains().any(|toolchain| toolchain.strip_prefix(name).is_some_and(|rest| rest.starts_with('-')))
    {
        return None;
    }
    let patches = toolchains().filter_map(|toolchain| {
        let version = toolchain.split('-').next()?;
        let patch = version.strip_prefix(name)?.strip_prefix('.')?.parse::<u32>().ok()?;
        Some((patch, version))
    });
    patches.max().map(|(_, version)| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minor_version_means_its_newest_installed_patch() {
        let installed =
            "stable-x86_64-unknown-linux-gnu (active)\n1.80.0-x86_64\n1.80.1-x86_64\n1.8.0-x\n1.81-x86_64\n1.81.1-x\n";
        let found = |name: &str| installed_patch(name, installed);
        assert_eq!(found("1.80").as_deref(), Some("1.80.1"));
        assert_eq!(found("1.8").as_deref(), Some("1.8.0"));
        assert_eq!(found("1.81"), None, "it is installed by that very name");
        assert_eq!(found("1.82"), None);
        assert_eq!(found("stable"), None);
    }
}
