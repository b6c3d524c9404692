//! `actions/setup-node`.

use std::path::PathBuf;

use lineclear_runner::native::{Call, NativeAction, NativeError};

use super::dependency_cache::{self, DependencyCache, dependency_files, own_folder, platform};
use super::tool::{self, Search, VersionsFolder, folder_of, home_folder};
use super::version::Wanted;

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
            (version, _) if !version.is_empty() => version,
            (_, file) if !file.is_empty() => tool::from_file(call, &file, &["node", "nodejs"])?,
            _ => "latest".to_owned(),
        };
        let wanted = match lts(&asked) {
            Some(major) => Wanted::parse(major),
            None => Wanted::parse(&asked),
        };
        let wanted = wanted.map_err(|error| NativeError(error.to_string()))?;
        let search = search(call);
        let found = tool::find(call, &search, &wanted)?;
        call.effects.log(&format!("Found Node {} in {} ({})", found.version, found.source, found.program.display()));
        call.effects.add_path(folder_of(&found.program));
        call.effects.output("node-version", &format!("v{}", found.version));
        registry(call)?;
        call.effects.add_matcher(MATCHERS);
        let manager = call.input("cache").to_owned();
        if manager.is_empty() { Ok(()) } else { restore_cache(call, &manager) }
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

/// The major version behind the name of a long-term release: `lts/iron`.
fn lts(asked: &str) -> Option<&'static str> {
    Some(match asked.trim().to_ascii_lowercase().strip_prefix("lts/")? {
        "hydrogen" => "18",
        "iron" => "20",
        "jod" => "22",
        "krypton" => "24",
        _ => return None,
    })
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
    let file = call.room.layout().temp.join(".npmrc");
    let text = format!("//{host}:_authToken=${{NODE_AUTH_TOKEN}}\n{url}\n");
    std::fs::write(&file, text).map_err(|error| NativeError(format!("cannot write `{}`: {error}", file.display())))?;
    call.effects.export("NPM_CONFIG_USERCONFIG", &file.to_string_lossy());
    if !call.env.contains_key("NODE_AUTH_TOKEN") {
        call.effects.export("NODE_AUTH_TOKEN", "XXXXX-XXXXX-XXXXX-XXXXX");
    }
    Ok(())
}

fn restore_cache(call: &mut Call<'_>, manager: &str) -> Result<(), NativeError> {
    let (variable, files): (&str, &[&str]) = match manager {
        "npm" => ("npm_config_cache", &["package-lock.json", "npm-shrinkwrap.json"]),
        "pnpm" => ("npm_config_store_dir", &["pnpm-lock.yaml"]),
        "yarn" => ("YARN_CACHE_FOLDER", &["yarn.lock"]),
        other => {
            return Err(NativeError(format!("Caching for '{other}' is not supported; expected npm, pnpm or yarn")));
        }
    };
    let folder = own_folder(call, manager);
    call.effects.export(variable, &folder.to_string_lossy());
    let cache = DependencyCache {
        prefix: format!("node-cache-{}-{manager}", platform(call)),
        folders: vec![folder],
        dependency_files: dependency_files(call, files),
    };
    dependency_cache::restore(call, &cache)
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
