//! The Rust toolchain actions: `dtolnay/rust-toolchain`, `actions-rust-lang/setup-rust-toolchain`, `actions-rs/toolchain`.
//!
//! They use the rustup of this machine. A toolchain that is installed already is used as it is; rustup is asked to install one
//! only when it is missing. What the actions make rustup's default or override is a variable of the job here: the user's own
//! settings stay.
//!
//! # Source
//! `action.yml` of the three actions: inputs, outputs, variables, when a `rust-toolchain` file counts.

use std::path::{Path, PathBuf};

use lineclear_runner::native::{Call, NativeAction, NativeError};

use super::rust_cache::{self, RustCache, RustCacheAction};
use super::rust_release;
use super::rustup::Rustup;
use super::tool::{self, home_folder, on_path};

/// The Rust toolchain actions, and the one that keeps what cargo builds.
pub(crate) fn all() -> Vec<Box<dyn NativeAction>> {
    vec![
        Box::new(RustToolchain(Flavour::Dtolnay)),
        Box::new(RustToolchain(Flavour::RustLang)),
        Box::new(RustToolchain(Flavour::Rs)),
        Box::new(RustCacheAction),
    ]
}

/// One of the actions.
#[derive(Debug)]
struct RustToolchain(Flavour);

/// Which of them: they differ in names, in where the toolchain comes from, and in what they set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavour {
    Dtolnay,
    RustLang,
    Rs,
}

impl NativeAction for RustToolchain {
    fn name(&self) -> &'static str {
        match self.0 {
            Flavour::Dtolnay => "dtolnay/rust-toolchain",
            Flavour::RustLang => "actions-rust-lang/setup-rust-toolchain",
            Flavour::Rs => "actions-rs/toolchain",
        }
    }

    fn metadata(&self) -> &'static str {
        match self.0 {
            Flavour::Dtolnay => {
                "
name: rustup toolchain install
inputs:
  toolchain: {}
  targets: {}
  target: {}
  components: {}
outputs:
  cachekey: { description: a short hash of the toolchain }
  name: { description: the toolchain's name }
"
            }
            Flavour::RustLang => {
                "
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
  cache-workspace-crates: { default: 'false' }
  cache-save-if: { default: 'true' }
  cache-targets: { default: 'true' }
  matcher: { default: 'true' }
  rustflags: { default: '-D warnings' }
  override: { default: 'true' }
  rust-src-dir: {}
outputs:
  rustc-version: { description: what rustc says of its version }
  cargo-version: { description: what cargo says of its version }
  rustup-version: { description: what rustup says of its version }
  cachekey: { description: a short hash of the toolchain }
"
            }
            Flavour::Rs => {
                "
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
"
            }
        }
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let folder = source_folder(call)?;
        let cargo_home = home_folder(call, "CARGO_HOME", ".cargo");
        let rustup = on_path(&call.env, "rustup").unwrap_or_else(|| cargo_home.join("bin/rustup"));
        let asked = self.asked(call, &folder)?;
        if !rustup.is_file() {
            return without_rustup(call, &asked);
        }
        call.effects.add_path(&cargo_home.join("bin"));
        let rustup = Rustup { program: rustup.to_string_lossy().into_owned(), folder };
        let (targets, components) = (words(call, &["targets", "target"]), words(call, &["components"]));
        let chosen = match &asked {
            Asked::File => {
                rustup.use_file(call, &targets, &components)?;
                None
            }
            Asked::Named(names) => {
                let mut last = None;
                for name in names {
                    last = Some(rustup.ensure(call, name, &targets, &components)?);
                }
                last
            }
        };
        if let Some(toolchain) = chosen.as_deref().filter(|_| self.makes_default(call, &rustup.folder)) {
            call.effects.export("RUSTUP_TOOLCHAIN", toolchain);
        }
        self.environment(call);
        self.tell(call, &rustup, chosen.as_deref())?;
        self.cache(call)
    }

    fn has_post(&self) -> bool {
        self.0 == Flavour::RustLang
    }

    fn post_if(&self) -> &'static str {
        rust_cache::POST_IF
    }

    fn post(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        if call.input("cache-save-if") != "false" {
            rust_cache::save(call);
        }
        Ok(())
    }
}

/// Which toolchain is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    /// What the `rust-toolchain` file says.
    File,
    /// All of these, of which the last is the one that counts.
    Named(Vec<String>),
}

impl RustToolchain {
    fn asked(&self, call: &Call<'_>, folder: &Path) -> Result<Asked, NativeError> {
        let named = call.input("toolchain");
        if !named.is_empty() {
            return Ok(Asked::Named(match self.0 {
                Flavour::Dtolnay => vec![rust_release::resolve(named, call.now)],
                Flavour::RustLang => {
                    named.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
                }
                Flavour::Rs => vec![named.to_owned()],
            }));
        }
        if self.0 == Flavour::Dtolnay {
            // The action's own ref names the toolchain: `dtolnay/rust-toolchain@1.80`.
            let reference = call.env.get("GITHUB_ACTION_REF").map_or("", String::as_str);
            let is_commit = reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
            if matches!(reference, "" | "master" | "v1") || is_commit {
                return Err(NativeError("'toolchain' is a required input".into()));
            }
            return Ok(Asked::Named(vec![reference.to_owned()]));
        }
        match has_file(folder) {
            true => Ok(Asked::File),
            false if self.0 == Flavour::Rs => Err(NativeError(
                "toolchain input was not given and repository does not have a rust-toolchain file".into(),
            )),
            false => Ok(Asked::Named(vec!["stable".to_owned()])),
        }
    }

    /// Whether the action makes the toolchain the one that is used: one of the repository's own file counts more than a default,
    /// and less than an override.
    fn makes_default(&self, call: &mut Call<'_>, folder: &Path) -> bool {
        let is = |input: &str| call.input(input) == "true";
        let (as_override, as_default) = match self.0 {
            Flavour::Dtolnay => (false, true),
            Flavour::RustLang => (is("override"), false),
            Flavour::Rs => (is("override"), is("default")),
        };
        if as_default && !as_override && has_file(folder) {
            call.effects.log("The rust-toolchain file of the repository counts more than this toolchain");
            return false;
        }
        as_override || as_default
    }

    fn environment(&self, call: &mut Call<'_>) {
        let variables: &[(&str, &str)] = match self.0 {
            Flavour::Dtolnay => &[("CARGO_INCREMENTAL", "0"), ("CARGO_TERM_COLOR", "always")],
            Flavour::RustLang => &[
                ("CARGO_INCREMENTAL", "0"),
                ("CARGO_PROFILE_DEV_DEBUG", "0"),
                ("CARGO_TERM_COLOR", "always"),
                ("RUST_BACKTRACE", "short"),
                ("CARGO_UNSTABLE_SPARSE_REGISTRY", "true"),
                ("CARGO_REGISTRIES_CRATES_IO_PROTOCOL", "sparse"),
            ],
            Flavour::Rs => &[],
        };
        let flags = call.input("rustflags").to_owned();
        let own = Some(("RUSTFLAGS", flags.as_str())).filter(|(_, flags)| !flags.is_empty());
        for (name, value) in variables.iter().copied().chain(own) {
            if !call.env.contains_key(name) {
                call.effects.export(name, value);
            }
        }
        let has_matcher = match self.0 {
            Flavour::Dtolnay => false,
            Flavour::RustLang => call.input("matcher") == "true",
            Flavour::Rs => true,
        };
        if has_matcher {
            call.effects.add_matcher(MATCHER);
        }
    }

    /// Shows the versions and sets the outputs.
    fn tell(&self, call: &mut Call<'_>, rustup: &Rustup, toolchain: Option<&str>) -> Result<(), NativeError> {
        let rustc = rustup.run(call, toolchain, &["rustc", "--version", "--verbose"])?;
        let cargo = rustup.run(call, toolchain, &["cargo", "--version"])?;
        let field =
            |name: &str| rustc.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        let (release, commit) = (field("release:"), field("commit-hash:"));
        let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        call.effects.log(&first(&rustc));
        call.effects.log(&first(&cargo));
        tool::used(call, "rust", &release);
        let date = field("commit-date:").replace('-', "");
        let key: String = format!("{date}{commit}").chars().take(12).collect();
        match self.0 {
            Flavour::Dtolnay => {
                call.effects.output("cachekey", &key);
                call.effects.output("name", toolchain.unwrap_or_default());
            }
            Flavour::RustLang => {
                let version = rustup.ask(call, &["--version"])?;
                call.effects.output("cachekey", &key);
                call.effects.output("rustc-version", &first(&rustc));
                call.effects.output("cargo-version", &first(&cargo));
                call.effects.output("rustup-version", &first(&version));
            }
            Flavour::Rs => {
                let second = |text: &str| text.split_whitespace().nth(1).unwrap_or_default().to_owned();
                let version = rustup.ask(call, &["--version"])?;
                call.effects.output("rustc", &release);
                call.effects.output("rustc_hash", &commit);
                call.effects.output("cargo", &second(&cargo));
                call.effects.output("rustup", &second(&version));
            }
        }
        Ok(())
    }

    /// The `cache` input, which is on unless it is turned off.
    fn cache(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        if self.0 != Flavour::RustLang || call.input("cache") != "true" {
            return Ok(());
        }
        let of = |input: &str| call.input(input).to_owned();
        let workspaces = match of("cache-workspaces").as_str() {
            "" => of("rust-src-dir"),
            named => named.to_owned(),
        };
        let cache = RustCache {
            prefix: "v0-rust".into(),
            shared_key: of("cache-shared-key"),
            key: of("cache-key"),
            with_job: true,
            env: String::new(),
            workspaces,
            targets: of("cache-targets") != "false",
            folders: of("cache-directories"),
            on_failure: of("cache-on-failure"),
            lookup_only: false,
        };
        rust_cache::restore(call, &cache).map(drop)
    }
}

fn has_file(folder: &Path) -> bool {
    ["rust-toolchain.toml", "rust-toolchain"].iter().any(|name| folder.join(name).is_file())
}

fn source_folder(call: &Call<'_>) -> Result<PathBuf, NativeError> {
    let folder = call.reached("input `rust-src-dir`", call.workspace().join(call.input("rust-src-dir")))?;
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(NativeError(format!(
        "'rust-src-dir' does not point to an existing directory: `{}`",
        call.input("rust-src-dir")
    )))
}

/// Without rustup, a Rust that is installed by other means will do for `stable`.
fn without_rustup(call: &mut Call<'_>, asked: &Asked) -> Result<(), NativeError> {
    let Some(cargo) = on_path(&call.env, "cargo") else {
        return Err(NativeError(
            "This machine has neither rustup nor cargo: install Rust with rustup (https://rustup.rs)".into(),
        ));
    };
    let wanted = match asked {
        Asked::File => "of the rust-toolchain file".to_owned(),
        Asked::Named(names) if names.iter().any(|name| name != "stable") => format!("`{}`", names.join("`, `")),
        Asked::Named(_) => {
            call.effects.log(&format!("There is no rustup; using {}", cargo.display()));
            call.effects.output("name", "stable");
            return Ok(());
        }
    };
    Err(NativeError(format!(
        "This machine has no rustup to choose the toolchain {wanted} with, only {}",
        cargo.display()
    )))
}

fn words(call: &Call<'_>, inputs: &[&str]) -> Vec<String> {
    let texts = inputs.iter().map(|input| call.input(input));
    texts.flat_map(|text| text.split([',', ' ', '\n'])).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

const MATCHER: &str = r#"{"problemMatcher":[{"owner":"rust","pattern":[
  {"regexp":"^(warning|warn|error)(?:\\[(\\S*)\\])?: (.*)$","severity":1,"code":2,"message":3},
  {"regexp":"^\\s*-->\\s(.*):(\\d+):(\\d+)$","file":1,"line":2,"column":3}]}]}"#;
