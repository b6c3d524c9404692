//! `actions/setup-java`.
//!
//! # Source
//! `action.yml` and the documentation of `actions/setup-java`: inputs, outputs, variables, keys of its cache.

use std::path::{Path, PathBuf};

use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, NativeAction, NativeError};
use semver::Version;

use super::dependency_cache::{self, DependencyCache, dependency_files, own_folder, platform};
use super::maven_settings;
use super::tool::{self, Search, VersionsFolder, folder_of, home_folder};
use super::version::{Prereleases, Wanted};
use super::version_file;

/// Finds a JDK, puts it on the PATH and names it in JAVA_HOME.
#[derive(Debug)]
pub(crate) struct SetupJava;

impl NativeAction for SetupJava {
    fn name(&self) -> &'static str {
        "actions/setup-java"
    }

    fn metadata(&self) -> &'static str {
        "
name: Setup Java JDK
inputs:
  java-version: {}
  java-version-file: {}
  distribution: { required: true }
  java-package: { default: jdk }
  architecture: {}
  jdkFile: {}
  check-latest: { default: 'false' }
  server-id: { default: github }
  server-username: { default: GITHUB_ACTOR }
  server-password: { default: GITHUB_TOKEN }
  settings-path: {}
  overwrite-settings: { default: 'true' }
  gpg-private-key: {}
  gpg-passphrase: {}
  cache: {}
  cache-dependency-path: {}
  job-status: { default: '${{ job.status }}' }
  token: {}
  mvn-toolchain-id: {}
  mvn-toolchain-vendor: {}
outputs:
  distribution: { description: distribution of the JDK }
  version: { description: the version that was found }
  path: { description: home of the JDK }
  cache-hit: { description: whether the cache was found under its very key }
"
    }

    fn main(&self, call: &mut Call<'_>) -> Result<(), NativeError> {
        for input in ["jdkFile", "gpg-private-key", "mvn-toolchain-id", "mvn-toolchain-vendor"] {
            if !call.input(&input.to_ascii_lowercase()).is_empty() {
                let message = format!(
                    "The built-in setup-java does not know the input `{input}`; use --no-native-actions for the real one"
                );
                return Err(NativeError(message));
            }
        }
        if call.input("java-package").contains("jre") {
            call.effects.log("A JDK is used for the JRE that is asked for: it has all of it");
        }
        let distribution = call.input("distribution").to_owned();
        if distribution.is_empty() {
            return Err(NativeError("Input required and not supplied: distribution".into()));
        }
        let mut chosen = None;
        // Of several versions asked for, one a line, the last is the one that `java` means.
        for asked in asked(call)? {
            chosen = Some(set_up(call, &asked, &distribution)?);
        }
        let Some((home, version)) = chosen else { return Err(NativeError("no version of Java is asked for".into())) };
        let home = home.to_string_lossy().into_owned();
        call.effects.export("JAVA_HOME", &home);
        call.effects.output("distribution", &distribution);
        call.effects.output("path", &home);
        call.effects.output("version", &version.to_string());
        call.effects.add_matcher(MATCHER);
        if let Some(argument) = maven_settings::write(call)? {
            export_added(call, "MAVEN_ARGS", &argument);
        }
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

/// Exports a variable with what it has already and something more.
fn export_added(call: &mut Call<'_>, variable: &str, more: &str) {
    let before = call.env.get(variable).map(|before| format!("{before} ")).unwrap_or_default();
    call.effects.export(variable, &format!("{before}{more}"));
}

/// The versions asked for.
fn asked(call: &Call<'_>) -> Result<Vec<String>, NativeError> {
    let named: Vec<String> = call.lines("java-version").into_iter().map(str::to_owned).collect();
    let file = call.input("java-version-file").to_owned();
    match (named.is_empty(), file.is_empty()) {
        (false, _) => Ok(named),
        (true, false) => version_file::read(call, "java-version-file", &file, &["java"]),
        (true, true) => Err(NativeError("java-version or java-version-file input expected".into())),
    }
}

/// Finds one JDK, names it in its variable and puts it on the PATH.
fn set_up(call: &mut Call<'_>, asked: &str, distribution: &str) -> Result<(PathBuf, Version), NativeError> {
    // `temurin-17.0.9+9` of version managers, and the old `1.8`.
    let text = asked.trim().trim_start_matches(|character: char| character.is_ascii_alphabetic() || character == '-');
    let text = text.strip_prefix("1.").unwrap_or(text);
    let (text, prereleases) = match text.strip_suffix("-ea") {
        Some(text) => (text, Prereleases::IfNeeded),
        None => (text, Prereleases::Never),
    };
    // What stands behind `+` is the build, which versions are not told apart by.
    let text = text.split('+').next().unwrap_or(text);
    let wanted = Wanted::parse(text).map_err(|error| NativeError(error.to_string()))?;
    let mut search = search(call);
    // One of the distribution that is asked for comes before the others, whatever its version.
    let all = std::mem::take(&mut search.folders);
    let every = Search { folders: all, ..search.clone() };
    let named = tool::in_folders(&every)
        .into_iter()
        .filter(|one| wanted.matches(&one.version) && is_named_so(folder_of(folder_of(&one.program)), distribution));
    let found = match named.max_by(|a, b| a.version.cmp(&b.version)) {
        Some(found) => found,
        None => tool::find(call, &every, &wanted, prereleases)?,
    };
    // A link in /usr/bin leads to the JDK itself.
    let program = std::fs::canonicalize(&found.program).unwrap_or_else(|_| found.program.clone());
    let home = folder_of(folder_of(&program)).to_path_buf();
    call.effects.log(&format!("Found Java {} in {} ({})", found.version, found.source, home.display()));
    tool::used(call, "java", &found.version.to_string());
    if !is_named_so(&home, distribution) {
        let message = format!("The JDK in `{}` may be of another distribution than `{distribution}`", home.display());
        call.effects.annotate(AnnotationLevel::Notice, &message);
    }
    let architecture = call.env.get("RUNNER_ARCH").cloned().unwrap_or_else(|| "X64".into());
    call.effects.export(&format!("JAVA_HOME_{}_{architecture}", found.version.major), &home.to_string_lossy());
    call.effects.add_path(&home.join("bin"));
    Ok((home, found.version))
}

/// Whether the folder's name speaks for the distribution.
fn is_named_so(home: &Path, distribution: &str) -> bool {
    let name = home.to_string_lossy().to_lowercase();
    let words: &[&str] = match distribution {
        "temurin" => &["temurin"],
        "adopt" | "adopt-hotspot" | "adopt-openj9" => &["temurin", "adopt", "semeru"],
        "microsoft" => &["microsoft", "msopenjdk"],
        "liberica" => &["liberica", "bellsoft"],
        "oracle" => &["oracle", "jdk-"],
        "jdkfile" => return true,
        other => return name.contains(other),
    };
    words.iter().any(|word| name.contains(word))
}

fn search(call: &Call<'_>) -> Search {
    let versions = |source, folder: PathBuf| VersionsFolder { source, folder, program: "bin/javac" };
    let mut folders = Vec::new();
    // The tool cache holds a folder for each distribution: Java_Temurin-Hotspot_jdk/17.0.9-9/x64.
    for entry in std::fs::read_dir(&call.room.layout().tool_cache).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("Java_") {
            for program in ["x64/bin/javac", "arm64/bin/javac"] {
                folders.push(VersionsFolder { source: "tool cache", folder: entry.path(), program });
            }
        }
    }
    folders.extend([
        versions("sdkman", home_folder(call, "SDKMAN_DIR", ".sdkman").join("candidates/java")),
        versions("asdf", home_folder(call, "ASDF_DATA_DIR", ".asdf").join("installs/java")),
        versions("mise", home_folder(call, "MISE_DATA_DIR", ".local/share/mise").join("installs/java")),
        versions("jdks", home_folder(call, "", "").join(".jdks")),
        versions("/usr/lib/jvm", PathBuf::from("/usr/lib/jvm")),
        versions("/opt", PathBuf::from("/opt")),
        versions("/opt/java", PathBuf::from("/opt/java")),
    ]);
    Search {
        tool: "Java",
        folders,
        version_file: Some(("release", "JAVA_VERSION=\"")),
        on_path: vec!["javac".into()],
        version_argument: "-version",
        how_to_get: "Install it (on Debian: openjdk-VERSION-jdk; with sdkman: `sdk install java VERSION`), or ask for one that is there.".into(),
    }
}

/// The problem matcher that the real action turns on.
const MATCHER: &str = r#"{"problemMatcher":[{"owner":"javac","pattern":[
  {"regexp":"^([^\\s].*):(\\d+):\\s(error|warning):\\s(.*)$","file":1,"line":2,"severity":3,"message":4}]}]}"#;

fn restore_cache(call: &mut Call<'_>, manager: &str) -> Result<(), NativeError> {
    let (variable, name, files): (&str, &'static str, &[&str]) = match manager {
        "maven" => (
            "MAVEN_ARGS",
            "maven",
            &["**/pom.xml", "**/.mvn/wrapper/maven-wrapper.properties", "**/.mvn/extensions.xml"],
        ),
        "gradle" => (
            "GRADLE_USER_HOME",
            "gradle",
            &["**/*.gradle*", "**/gradle-wrapper.properties", "buildSrc/**/Versions.kt", "gradle/*.versions.toml"],
        ),
        "sbt" => (
            "COURSIER_CACHE",
            "sbt",
            &["**/*.sbt", "**/project/build.properties", "**/project/**.scala", "**/project/**.sbt"],
        ),
        other => {
            return Err(NativeError(format!(
                "The cache type `{other}` is not supported; expected maven, gradle or sbt"
            )));
        }
    };
    let folder = own_folder(call, name);
    match manager {
        "maven" => export_added(call, variable, &format!("-Dmaven.repo.local={}", folder.display())),
        _ => call.effects.export(variable, &folder.to_string_lossy()),
    }
    let cache = DependencyCache {
        falls_back: false,
        prefix: format!("setup-java-{}-{manager}", platform(call)),
        folders: vec![name],
        dependency_files: dependency_files(call, files),
    };
    dependency_cache::restore(call, &cache)
}
