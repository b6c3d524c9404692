//! `actions/setup-node`.
//!
//! # Source
//! `action.yml` and the documentation of `actions/setup-node`: inputs, outputs, the `.npmrc` of `registry-url`, keys of its cache.

use std::path::PathBuf;

use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, NativeAction, NativeError, RunOptions};

use super::dependency_cache::{self, DependencyCache, dependency_files, own_folder, platform};
use super::tool::{self, Search, VersionsFolder, folder_of, home_folder};
use super::version::{Prereleases, Wanted};
use super::version_file;

/// Finds Node and puts it on the PATH.
#[derive(Debug)]
pub(crate) struct SetupNode;

impl NativeAction for SetupNode {
    fn name(&self) -> &'static str {
        "actions/setup-node"
    }

    fn metadata(&self) -> &'static str {
        "
name: Setup Node.js environment
inputs:
  always-auth: { default: 'false' }
  node-version: {}
  node-version-file: {}
  architecture: {}
  check-latest: { default: 'false' }
  registry-url: {}
  scope: {}
  token: {}
  cache: {}
  cache-dependency-path: {}
  package-manager-cache: { default: 'true' }
  mirror: {}
  mirror-token: {}
outputs:
  cache-hit: { description: whether the cache was found under its very key }
  node-version: { description: the version that was found }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let asked = match (call.input("node-version").to_owned(), call.input("node-version-file").to_owned()) {
            (version, file) if !version.is_empty() => {
                if !file.is_empty() {
                    let message =
                        "Both node-version and node-version-file inputs are specified, only node-version will be used";
                    call.effects.annotate(AnnotationLevel::Warning, message);
                }
                Some(version)
            }
            (_, file) if !file.is_empty() => {
                version_file::read(call, "node-version-file", &file, &["node", "nodejs"])?.pop()
            }
            // As the real action: whatever is on the PATH.
            _ => None,
        };
        if let Some(asked) = asked {
            let wanted = Wanted::parse(&long_term(&asked)?).map_err(|error| NativeError(error.to_string()))?;
            let search = search(call);
            let found = tool::find(call, &search, &wanted, Prereleases::Never)?;
            call.effects.log(&format!(
                "Found Node {} in {} ({})",
                found.version,
                found.source,
                found.program.display()
            ));
            call.effects.add_path(folder_of(&found.program));
        }
        tell_versions(call)?;
        registry(call)?;
        call.effects.add_matcher(MATCHERS);
        match manager(call)? {
            Some(manager) => restore_cache(call, &manager),
            None => Ok(()),
        }
    }

    fn has_post(&self) -> bool {
        true
    }

    fn post_if(&self) -> &'static str {
        "success()"
    }

    fn post(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        dependency_cache::save(call)
    }
}

/// Majors with long-term support and the names of their lines.
///
/// # Source
/// The release schedule of Node.js.
const LONG_TERM: [(&str, &str); 8] = [
    ("dubnium", "10"),
    ("erbium", "12"),
    ("fermium", "14"),
    ("gallium", "16"),
    ("hydrogen", "18"),
    ("iron", "20"),
    ("jod", "22"),
    ("krypton", "24"),
];

/// What `lts/*`, `lts/-1` and `lts/iron` stand for; other texts as they are.
fn long_term(asked: &str) -> Result<String, NativeError> {
    let lower = asked.trim().to_ascii_lowercase();
    let Some(name) = lower.strip_prefix("lts/") else { return Ok(asked.to_owned()) };
    let majors = || LONG_TERM.iter().map(|(_, major)| *major);
    if name == "*" {
        return Ok(majors().collect::<Vec<_>>().join(" || "));
    }
    let back = name.strip_prefix('-').and_then(|back| back.parse::<usize>().ok());
    let found = match back {
        Some(back) => majors().rev().nth(back),
        None => LONG_TERM.iter().find(|(line, _)| *line == name).map(|(_, major)| *major),
    };
    found.map(str::to_owned).ok_or_else(|| {
        let known: Vec<&str> = LONG_TERM.iter().map(|(line, _)| *line).collect();
        NativeError(format!(
            "`{asked}` is no long-term version of Node that is known here; known are {}",
            known.join(", ")
        ))
    })
}

/// Shows the versions that steps will have, and sets the output.
fn tell_versions(call: &mut Call<'_>) -> Result<(), NativeError> {
    let quiet = RunOptions { quiet: true, ..RunOptions::default() };
    let node = call.effects.capture("node", &["--version"], quiet).map_err(|error| {
        NativeError(format!("There is no Node on the PATH: {error}. Ask for a version with `node-version`"))
    })?;
    call.effects.log(&format!("node: {}", node.trim()));
    for tool in ["npm", "yarn"] {
        // They need not be there.
        if let Some(version) =
            tool::on_path(&call.env, tool).and_then(|_| call.effects.capture(tool, &["--version"], quiet).ok())
        {
            call.effects.log(&format!("{tool}: {}", version.trim()));
        }
    }
    call.effects.output("node-version", node.trim());
    tool::used(call, "node", node.trim().trim_start_matches('v'));
    Ok(())
}

/// The package manager whose downloads are to be cached.
fn manager(call: &Call<'_>) -> Result<Option<String>, NativeError> {
    let named = call.input("cache").to_owned();
    if !named.is_empty() {
        return Ok(Some(named));
    }
    // Newer versions cache by themselves for a package that says that it is managed by npm.
    let reference = call.env.get("GITHUB_ACTION_REF").map_or("", String::as_str).trim_start_matches('v');
    let major = reference.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major < 5) || !call.flag("package-manager-cache")? {
        return Ok(None);
    }
    let text = std::fs::read_to_string(call.workspace().join("package.json")).unwrap_or_default();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let own = [&json["devEngines"]["packageManager"]["name"], &json["packageManager"]];
    let name = own.into_iter().find_map(serde_json::Value::as_str).unwrap_or_default();
    let is_npm = name.trim_start_matches('^').split('@').next() == Some("npm");
    let has_lock = LOCK_FILES.iter().any(|file| call.workspace().join(file).is_file());
    Ok((is_npm && has_lock).then(|| "npm".to_owned()))
}

fn search(call: &Call<'_>) -> Search {
    let versions = |source, folder: PathBuf, program| VersionsFolder { source, folder, program };
    let tool_cache = call.room.layout().tool_cache.join("node");
    Search {
        tool: "Node",
        folders: vec![
            versions("tool cache", tool_cache.clone(), "x64/bin/node"),
            versions("tool cache", tool_cache, "arm64/bin/node"),
            versions("nvm", home_folder(call, "NVM_DIR", ".nvm").join("versions/node"), "bin/node"),
            versions("fnm", home_folder(call, "FNM_DIR", ".local/share/fnm").join("node-versions"), "installation/bin/node"),
            versions("asdf", home_folder(call, "ASDF_DATA_DIR", ".asdf").join("installs/nodejs"), "bin/node"),
            versions("mise", home_folder(call, "MISE_DATA_DIR", ".local/share/mise").join("installs/node"), "bin/node"),
            versions("volta", home_folder(call, "VOLTA_HOME", ".volta").join("tools/image/node"), "bin/node"),
            versions("n", home_folder(call, "N_PREFIX", ".n").join("n/versions/node"), "bin/node"),
        ],
        on_path: vec!["node".into(), "nodejs".into()],
        version_argument: "--version",
        version_file: None,
        how_to_get: "Install it (with nvm: `nvm install VERSION`; with fnm: `fnm install VERSION`), or ask for one that is there.".into(),
    }
}

/// `registry-url`: an `.npmrc` of the job, as the real action writes it.
fn registry(call: &mut Call<'_>) -> Result<(), NativeError> {
    let url = call.input("registry-url").to_owned();
    if url.is_empty() {
        return Ok(());
    }
    let mut url = if url.ends_with('/') { url } else { format!("{url}/") };
    let Some((_, host)) = url.clone().split_once("//").map(|(scheme, rest)| (scheme.to_owned(), rest.to_owned()))
    else {
        return Err(NativeError(format!(
            "registry-url `{url}` is no address: expected something like `https://npm.example.org`"
        )));
    };
    let scope = call.input("scope").to_owned();
    if !scope.is_empty() {
        let scope = if scope.starts_with('@') { scope } else { format!("@{scope}") };
        url = format!("{}:registry={url}", scope.to_lowercase());
    } else {
        url = format!("registry={url}");
    }
    let file = call.reached("the settings of npm", call.room.layout().temp.join(".npmrc"))?;
    let text = format!("//{host}:_authToken=${{NODE_AUTH_TOKEN}}\n{url}\n");
    std::fs::write(&file, text).map_err(|error| NativeError(format!("cannot write `{}`: {error}", file.display())))?;
    call.effects.export("NPM_CONFIG_USERCONFIG", &file.to_string_lossy());
    if !call.env.contains_key("NODE_AUTH_TOKEN") {
        call.effects.export("NODE_AUTH_TOKEN", "XXXXX-XXXXX-XXXXX-XXXXX");
    }
    Ok(())
}

/// The files that stand for a package's dependencies, in the order in which they are looked for.
const LOCK_FILES: [&str; 4] = ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock"];

fn restore_cache(call: &mut Call<'_>, manager: &str) -> Result<(), NativeError> {
    let (variable, name): (&str, &'static str) = match manager {
        "npm" => ("npm_config_cache", "npm"),
        "pnpm" => ("npm_config_store_dir", "pnpm"),
        // The first is read by Yarn 1, the second by later ones.
        "yarn" => ("YARN_CACHE_FOLDER", "yarn"),
        other => {
            return Err(NativeError(format!("Caching for '{other}' is not supported; expected npm, pnpm or yarn")));
        }
    };
    let folder = own_folder(call, name).to_string_lossy().into_owned();
    call.effects.export(variable, &folder);
    if manager == "yarn" {
        call.effects.export("YARN_ENABLE_GLOBAL_CACHE", "true");
        call.effects.export("YARN_GLOBAL_FOLDER", &folder);
    }
    let files = match call.input("cache-dependency-path") {
        "" => {
            let workspace = call.workspace();
            let first = LOCK_FILES.iter().find(|file| workspace.join(file).is_file()).ok_or_else(|| {
                let (folder, known) = (workspace.display(), LOCK_FILES.join(","));
                NativeError(format!(
                    "Dependencies lock file is not found in {folder}. Supported file patterns: {known}"
                ))
            })?;
            vec![(*first).to_owned()]
        }
        _ => dependency_files(call, &[]),
    };
    let prefix = format!("node-cache-{}-{manager}", platform(call));
    dependency_cache::restore(
        call,
        &DependencyCache { prefix, folders: vec![name], dependency_files: files, falls_back: false },
    )
}

/// The problem matchers that the real action turns on: tsc, and both formats of eslint.
const MATCHERS: &str = r#"{"problemMatcher":[
  {"owner":"tsc","pattern":[{"regexp":"^([^\\s].*)[\\(:](\\d+)[,:](\\d+)(?:\\):\\s+|\\s+-\\s+)(error|warning|info)\\s+TS(\\d+)\\s*:\\s*(.*)$",
    "file":1,"line":2,"column":3,"severity":4,"code":5,"message":6}]},
  {"owner":"eslint-stylish","pattern":[{"regexp":"^([^\\s].*)$","file":1},
    {"regexp":"^\\s+(\\d+):(\\d+)\\s+(error|warning|info)\\s+(.*)\\s\\s+(.*)$","line":1,"column":2,"severity":3,"message":4,"code":5,"loop":true}]},
  {"owner":"eslint-compact","pattern":[{"regexp":"^(.+):\\sline\\s(\\d+),\\scol\\s(\\d+),\\s(Error|Warning|Info)\\s-\\s(.+)\\s\\((.+)\\)$",
    "file":1,"line":2,"column":3,"severity":4,"message":5,"code":6}]}
]}"#;
