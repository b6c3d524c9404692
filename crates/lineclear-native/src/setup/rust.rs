//! The Rust toolchain actions: `dtolnay/rust-toolchain`, `actions-rust-lang/setup-rust-toolchain`, `actions-rs/toolchain`.
//!
//! They use the rustup of this machine. A toolchain that is installed already is used as it is; rustup is asked to install one
//! only when it is missing.
//!
//! # Source
//! `action.yml` of the three actions: inputs, outputs, variables.

use std::path::PathBuf;

use lineclear_runner::native::{Call, NativeAction, NativeError, RunOptions};

use super::rust_cache::{self, RustCache, RustCacheAction};
use super::tool::{home_folder, on_path};

/// One of the actions: they differ in names of inputs and in where the default toolchain comes from.
#[derive(Debug)]
struct RustToolchain {
    name: &'static str,
    metadata: &'static str,
    /// Whether the action's own ref names the toolchain: `dtolnay/rust-toolchain@1.80`.
    reference_is_toolchain: bool,
}

/// The Rust toolchain actions.
pub(crate) fn all() -> Vec<Box<dyn NativeAction>> {
    vec![
        Box::new(RustCacheAction),
        Box::new(RustToolchain {
            name: "dtolnay/rust-toolchain",
            metadata: "
name: rustup toolchain install
inputs:
  toolchain: {}
  targets: {}
  target: {}
  components: {}
outputs:
  cachekey: { description: a short hash of the toolchain }
  name: { description: the toolchain's name }
",
            reference_is_toolchain: true,
        }),
        Box::new(RustToolchain {
            name: SETUP,
            metadata: "
name: Setup Rust Toolchain
inputs:
  toolchain: {}
  target: {}
  components: {}
  cache: { default: 'true' }
  cache-directories: {}
  cache-workspaces: {}
  cache-on-failure: { default: 'true' }
  cache-key: {}
  cache-shared-key: {}
  cache-bin: { default: 'true' }
  cache-provider: { default: github }
  cache-all-crates: { default: 'false' }
  cache-save-if: { default: 'true' }
  matcher: { default: 'true' }
  rustflags: { default: '-D warnings' }
  override: { default: 'true' }
  rust-src-dir: {}
outputs:
  rustc-version: { description: version of rustc }
  cargo-version: { description: version of cargo }
  rustup-version: { description: version of rustup }
  cachekey: { description: a short hash of the toolchain }
",
            reference_is_toolchain: false,
        }),
        Box::new(RustToolchain {
            name: "actions-rs/toolchain",
            metadata: "
name: rust-toolchain
inputs:
  toolchain: {}
  target: {}
  default: { default: 'false' }
  override: { default: 'false' }
  profile: { default: default }
  components: {}
outputs:
  rustc: { description: version of rustc }
  rustc_hash: { description: its commit }
  cargo: { description: version of cargo }
  rustup: { description: version of rustup }
",
            reference_is_toolchain: false,
        }),
    ]
}

impl NativeAction for RustToolchain {
    fn name(&self) -> &'static str {
        self.name
    }

    fn metadata(&self) -> &'static str {
        self.metadata
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let cargo_home = home_folder(call, "CARGO_HOME", ".cargo");
        let rustup = on_path(&call.env, "rustup").unwrap_or_else(|| cargo_home.join("bin/rustup"));
        let toolchain = self.toolchain(call)?;
        if !rustup.is_file() {
            return without_rustup(call, &toolchain);
        }
        let rustup = rustup.to_string_lossy().into_owned();
        let targets = words(call, &["targets", "target"]);
        let components = words(call, &["components"]);
        if !is_complete(call, &rustup, &toolchain, &targets, &components) {
            let mut args = vec!["toolchain", "install", &toolchain, "--profile", "minimal", "--no-self-update"];
            targets.iter().for_each(|target| args.extend(["--target", target]));
            components.iter().for_each(|component| args.extend(["--component", component]));
            let code = call.effects.run(&rustup, &args, RunOptions::default())?;
            if code != 0 {
                let message = "rustup could not install it: is the name right, and is this machine connected?";
                return Err(NativeError(format!(
                    "There is no Rust toolchain `{toolchain}` on this machine, and {message}"
                )));
            }
        }
        // A variable of the job, not rustup's default: the user's own setting stays.
        call.effects.export("RUSTUP_TOOLCHAIN", &toolchain);
        call.effects.add_path(&cargo_home.join("bin"));
        self.environment(call);
        self.outputs(call, &rustup, &toolchain)?;
        self.cache(call)
    }

    fn has_post(&self) -> bool {
        self.name == SETUP
    }

    fn post_if(&self) -> &'static str {
        "success() || failure()"
    }

    fn post(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        if call.input("cache-save-if") != "false" {
            rust_cache::save(call);
        }
        Ok(())
    }
}

/// The one that caches.
const SETUP: &str = "actions-rust-lang/setup-rust-toolchain";

impl RustToolchain {
    /// The `cache` input, which is on unless it is turned off.
    fn cache(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        if self.name != SETUP || !call.flag("cache")? {
            return Ok(());
        }
        let inputs = call.inputs.clone();
        let of = |name: &str| inputs.get(name).map_or("", |value| value.trim());
        let cache = RustCache {
            prefix: "v0-rust",
            shared_key: of("cache-shared-key"),
            key: of("cache-key"),
            workspaces: of("cache-workspaces").lines().map(str::trim).filter(|line| !line.is_empty()).collect(),
            lookup_only: false,
        };
        rust_cache::restore(call, &cache).map(drop)
    }

    fn toolchain(&self, call: &Call<'_>) -> Result<String, NativeError> {
        let named = call.input("toolchain").to_owned();
        if !named.is_empty() {
            return Ok(named);
        }
        let reference = call.env.get("GITHUB_ACTION_REF").map_or("", String::as_str);
        let is_commit = reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
        if self.reference_is_toolchain && !matches!(reference, "" | "master" | "main" | "v1") && !is_commit {
            return Ok(reference.to_owned());
        }
        if self.reference_is_toolchain {
            return Err(NativeError("'toolchain' is a required input".into()));
        }
        let file = ["rust-toolchain.toml", "rust-toolchain"]
            .iter()
            .map(|name| call.workspace().join(name))
            .find(|file| file.is_file());
        let channel = file.and_then(|file| std::fs::read_to_string(file).ok()).and_then(|text| channel(&text));
        Ok(channel.unwrap_or_else(|| "stable".to_owned()))
    }

    fn environment(&self, call: &mut Call<'_>) {
        let unset = |call: &Call<'_>, name: &str| !call.env.contains_key(name);
        for (name, value) in
            [("CARGO_INCREMENTAL", "0"), ("CARGO_TERM_COLOR", "always"), ("CARGO_PROFILE_DEV_DEBUG", "0")]
        {
            let is_of_this_action = name != "CARGO_PROFILE_DEV_DEBUG" || self.name == SETUP;
            if is_of_this_action && unset(call, name) {
                call.effects.export(name, value);
            }
        }
        let flags = call.input("rustflags").to_owned();
        if !flags.is_empty() && unset(call, "RUSTFLAGS") {
            call.effects.export("RUSTFLAGS", &flags);
        }
        if self.name != "dtolnay/rust-toolchain" && call.input("matcher") != "false" {
            call.effects.add_matcher(MATCHER);
        }
    }

    fn outputs(&self, call: &mut Call<'_>, rustup: &str, toolchain: &str) -> Result<(), NativeError> {
        let quiet = RunOptions { quiet: true, ..RunOptions::default() };
        let rustc = call.effects.capture(rustup, &["run", toolchain, "rustc", "--version", "--verbose"], quiet)?;
        let cargo = call.effects.capture(rustup, &["run", toolchain, "cargo", "--version"], quiet)?;
        let field =
            |name: &str| rustc.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        let (release, commit) = (field("release:"), field("commit-hash:"));
        let date = field("commit-date:").replace('-', "");
        call.effects.log(rustc.lines().next().unwrap_or_default());
        let cargo_version = cargo.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let short: String = commit.chars().take(12).collect();
        call.effects.output("cachekey", &format!("{date}{short}"));
        match self.name {
            "dtolnay/rust-toolchain" => call.effects.output("name", toolchain),
            "actions-rs/toolchain" => {
                call.effects.output("rustc", &release);
                call.effects.output("rustc_hash", &commit);
                call.effects.output("cargo", &cargo_version);
            }
            _ => {
                call.effects.output("rustc-version", &release);
                call.effects.output("cargo-version", &cargo_version);
            }
        }
        Ok(())
    }
}

/// Whether the toolchain is there with everything asked for, so that rustup need not reach out.
fn is_complete(call: &mut Call<'_>, rustup: &str, toolchain: &str, targets: &[String], components: &[String]) -> bool {
    let quiet = RunOptions { quiet: true, ..RunOptions::default() };
    let Ok(installed) =
        call.effects.capture(rustup, &["component", "list", "--installed", "--toolchain", toolchain], quiet)
    else {
        return false;
    };
    let has = |name: &str| installed.lines().any(|line| line == name || line.starts_with(&format!("{name}-")));
    let has_target = |target: &String| installed.lines().any(|line| line == format!("rust-std-{target}"));
    components.iter().all(|component| has(component.trim_end_matches("-preview"))) && targets.iter().all(has_target)
}

/// Without rustup, a Rust that is installed by other means will do for `stable`.
fn without_rustup(call: &mut Call<'_>, toolchain: &str) -> Result<(), NativeError> {
    let Some(cargo) = on_path(&call.env, "cargo") else {
        return Err(NativeError("This machine has neither rustup nor cargo: install Rust with rustup".into()));
    };
    if toolchain != "stable" {
        let message =
            format!("This machine has no rustup to choose the toolchain `{toolchain}` with, only {}", cargo.display());
        return Err(NativeError(message));
    }
    call.effects.log(&format!("There is no rustup; using {}", cargo.display()));
    call.effects.output("name", toolchain);
    let folder: PathBuf = cargo.parent().map(PathBuf::from).unwrap_or_default();
    call.effects.add_path(&folder);
    Ok(())
}

fn words(call: &Call<'_>, inputs: &[&str]) -> Vec<String> {
    let texts = inputs.iter().map(|input| call.input(input));
    texts.flat_map(|text| text.split([',', ' ', '\n'])).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The channel of a `rust-toolchain(.toml)` file.
fn channel(text: &str) -> Option<String> {
    let keyed = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "channel").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    keyed.or_else(|| {
        let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
        (!first.starts_with('[')).then(|| first.to_owned())
    })
}

const MATCHER: &str = r#"{"problemMatcher":[{"owner":"rust","pattern":[
  {"regexp":"^(warning|warn|error)(?:\\[(\\S*)\\])?: (.*)$","severity":1,"code":2,"message":3},
  {"regexp":"^\\s*-->\\s(.*):(\\d+):(\\d+)$","file":1,"line":2,"column":3}]}]}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_is_read_from_both_forms_of_the_file() {
        assert_eq!(channel("[toolchain]\nchannel = \"1.80\"\n").as_deref(), Some("1.80"));
        assert_eq!(channel("nightly\n").as_deref(), Some("nightly"));
        assert_eq!(channel("[toolchain]\n"), None);
    }
}
