//! `actions/setup-go`.
//!
//! # Source
//! `action.yml` and the documentation of `actions/setup-go`: inputs, outputs, what is cached and under which keys.

use std::path::PathBuf;

use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, NativeAction, NativeError};

use super::dependency_cache::{self, DependencyCache, dependency_files, own_folder, platform};
use super::tool::{self, Search, VersionsFolder, folder_of, home_folder};
use super::version::{Prereleases, Wanted};
use super::version_file;

/// Finds Go and puts it on the PATH.
#[derive(Debug)]
pub(crate) struct SetupGo;

impl NativeAction for SetupGo {
    fn name(&self) -> &'static str {
        "actions/setup-go"
    }

    fn metadata(&self) -> &'static str {
        "
name: Setup Go environment
inputs:
  go-version: {}
  go-version-file: {}
  check-latest: { default: 'false' }
  token: {}
  cache: { default: 'true' }
  cache-dependency-path: {}
  architecture: {}
  go-download-base-url: {}
outputs:
  go-version: { description: the version that was found }
  cache-hit: { description: whether the cache was found under its very key }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        let asked = match (call.input("go-version").to_owned(), call.input("go-version-file").to_owned()) {
            (version, file) if !version.is_empty() => {
                if !file.is_empty() {
                    let message =
                        "Both go-version and go-version-file inputs are specified, only go-version will be used";
                    call.effects.annotate(AnnotationLevel::Warning, message);
                }
                Some(version)
            }
            (_, file) if !file.is_empty() => {
                version_file::read(call, "go-version-file", &file, &["golang", "go"])?.pop()
            }
            // As the real action: whatever is on the PATH.
            _ => None,
        };
        let text = asked.as_deref().unwrap_or("latest");
        let wanted = Wanted::parse(text.trim_start_matches("go")).map_err(|error| NativeError(error.to_string()))?;
        let search = search(call);
        let found = tool::find(call, &search, &wanted, Prereleases::IfNeeded)?;
        call.effects.log(&format!("Found Go {} in {} ({})", found.version, found.source, found.program.display()));
        tool::used(call, "go", &found.version.to_string());
        // A toolchain that go.mod asks for is not fetched behind the workflow's back.
        call.effects.export("GOTOOLCHAIN", "local");
        let own_bin = home_folder(call, "GOPATH", "go").join("bin");
        call.effects.add_path(&own_bin);
        call.effects.add_path(folder_of(&found.program));
        call.effects.output("go-version", &found.version.to_string());
        call.effects.add_matcher(MATCHER);
        if !call.flag("cache")? {
            return Ok(());
        }
        let files = if call.input("cache-dependency-path").is_empty() {
            let own = ["go.sum", "go.mod"].into_iter().find(|file| call.workspace().join(file).is_file());
            let Some(own) = own else {
                let folder = call.workspace().display().to_string();
                let message = format!(
                    "Restore cache failed: Dependencies file is not found in {folder}. Supported file pattern: go.sum, go.mod"
                );
                call.effects.annotate(AnnotationLevel::Warning, &message);
                return Ok(());
            };
            vec![own.to_owned()]
        } else {
            dependency_files(call, &[])
        };
        for (variable, name) in [("GOMODCACHE", MODULES), ("GOCACHE", BUILD)] {
            let folder = own_folder(call, name);
            call.effects.export(variable, &folder.to_string_lossy());
        }
        let prefix = format!("setup-go-{}-go-{}", platform(call), found.version);
        let cache =
            DependencyCache { prefix, folders: vec![MODULES, BUILD], dependency_files: files, falls_back: false };
        // Trouble with the cache is no reason to fail.
        if let Err(error) = dependency_cache::restore(call, &cache) {
            call.effects.annotate(AnnotationLevel::Warning, &format!("Restore cache failed: {error}"));
        }
        Ok(())
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

const MODULES: &str = "go-mod";
const BUILD: &str = "go-build";

/// The problem matcher that the real action turns on.
const MATCHER: &str = r#"{"problemMatcher":[{"owner":"go","pattern":[
  {"regexp":"^\\s*(\\.{0,2}[\\/\\\\].+\\.go):(?:(\\d+):(\\d+):)? (.*)","file":1,"line":2,"column":3,"message":4}]}]}"#;

fn search(call: &Call<'_>) -> Search {
    let versions = |source, folder: PathBuf, program| VersionsFolder { source, folder, program };
    let tool_cache = call.room.layout().tool_cache.join("go");
    let home = home_folder(call, "", "");
    Search {
        tool: "Go",
        folders: vec![
            versions("tool cache", tool_cache.clone(), "x64/bin/go"),
            versions("tool cache", tool_cache, "arm64/bin/go"),
            versions("go sdk", home.join("sdk"), "bin/go"),
            versions("goenv", home_folder(call, "GOENV_ROOT", ".goenv").join("versions"), "bin/go"),
            versions("asdf", home_folder(call, "ASDF_DATA_DIR", ".asdf").join("installs/golang"), "go/bin/go"),
            versions("mise", home_folder(call, "MISE_DATA_DIR", ".local/share/mise").join("installs/go"), "bin/go"),
            versions("/usr/lib", PathBuf::from("/usr/lib"), "bin/go"),
            // The folder `go` in it is where Go's own installer unpacks to.
            versions("/usr/local", PathBuf::from("/usr/local"), "bin/go"),
        ],
        on_path: vec!["go".into()],
        version_argument: "version",
        version_file: Some(("VERSION", "go")),
        how_to_get: "Install it (`go install golang.org/dl/goVERSION@latest && goVERSION download`), or ask for one that is there.".into(),
    }
}
