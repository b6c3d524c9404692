//! `actions/setup-go`.

use std::path::PathBuf;

use lineclear_runner::native::{Call, NativeAction, NativeError};

use super::dependency_cache::{self, DependencyCache, dependency_files, own_folder, platform};
use super::tool::{self, Search, VersionsFolder, folder_of, home_folder};
use super::version::Wanted;

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
            (version, _) if !version.is_empty() => version,
            (_, file) if !file.is_empty() => tool::from_file(call, &file, &["golang", "go"])?,
            _ => "latest".to_owned(),
        };
        let wanted = Wanted::parse(&asked).map_err(|error| NativeError(error.to_string()))?;
        let search = search(call);
        let found = tool::find(call, &search, &wanted)?;
        call.effects.log(&format!("Found Go {} in {} ({})", found.version, found.source, found.program.display()));
        let bin = folder_of(&found.program).to_path_buf();
        // A toolchain that go.mod asks for is not fetched behind the workflow's back.
        call.effects.export("GOTOOLCHAIN", "local");
        call.effects.add_path(&bin);
        let own_bin = home_folder(call, "GOPATH", "go").join("bin");
        call.effects.add_path(&own_bin);
        call.effects.output("go-version", &found.version.to_string());
        if !call.flag("cache")? {
            return Ok(());
        }
        let files = dependency_files(call, &["go.sum"]);
        if call.input("cache-dependency-path").is_empty() && !call.workspace().join("go.sum").is_file() {
            call.effects
                .log("Restore cache failed: Dependencies file is not found: there is no go.sum, so nothing is cached");
            return Ok(());
        }
        let folders = vec![own_folder(call, "go-mod"), own_folder(call, "go-build")];
        call.effects.export("GOMODCACHE", &folders[0].to_string_lossy());
        call.effects.export("GOCACHE", &folders[1].to_string_lossy());
        let prefix = format!("setup-go-{}-go-{}", platform(call), found.version);
        dependency_cache::restore(call, &DependencyCache { prefix, folders, dependency_files: files })
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
        ],
        on_path: vec!["go".into()],
        version_argument: "version",
        how_to_get: "Install it (`go install golang.org/dl/goVERSION@latest && goVERSION download`), or ask for one that is there.".into(),
    }
}
