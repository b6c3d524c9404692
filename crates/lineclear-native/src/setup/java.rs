//! `actions/setup-java`.

use std::path::{Path, PathBuf};

use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, NativeAction, NativeError};

use super::dependency_cache::{self, DependencyCache, dependency_files, own_folder, platform};
use super::tool::{self, Search, VersionsFolder, folder_of, home_folder};
use super::version::Wanted;

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
        for input in ["jdkFile", "gpg-private-key", "mvn-toolchain-id"] {
            if !call.input(&input.to_ascii_lowercase()).is_empty() {
                let message = format!(
                    "The built-in setup-java does not know the input `{input}`; use --no-native-actions for the real one"
                );
                return Err(NativeError(message));
            }
        }
        let named: Vec<String> = call.lines("java-version").into_iter().map(str::to_owned).collect();
        let file = call.input("java-version-file").to_owned();
        let asked = match named.last() {
            Some(version) => version.clone(),
            None if !file.is_empty() => tool::from_file(call, &file, &["java"])?,
            None => return Err(NativeError("java-version or java-version-file input expected".into())),
        };
        let wanted = Wanted::parse(&asked).map_err(|error| NativeError(error.to_string()))?;
        let search = search(call);
        let found = tool::find(call, &search, &wanted)?;
        // A link in /usr/bin leads to the JDK itself.
        let program = std::fs::canonicalize(&found.program).unwrap_or_else(|_| found.program.clone());
        let home = folder_of(folder_of(&program)).to_path_buf();
        let distribution = call.input("distribution").to_owned();
        call.effects.log(&format!("Found Java {} in {} ({})", found.version, found.source, home.display()));
        if !named_so(&home, &distribution) {
            let message =
                format!("The JDK in `{}` may be of another distribution than `{distribution}`", home.display());
            call.effects.annotate(AnnotationLevel::Notice, &message);
        }
        let home_text = home.to_string_lossy().into_owned();
        call.effects.export("JAVA_HOME", &home_text);
        call.effects.export(&format!("JAVA_HOME_{}_X64", found.version.major), &home_text);
        call.effects.add_path(&home.join("bin"));
        call.effects.output("distribution", &distribution);
        call.effects.output("path", &home_text);
        call.effects.output("version", &found.version.to_string());
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

/// Whether the folder's name speaks for the distribution; Debian's own builds count as `temurin`-like OpenJDK.
fn named_so(home: &Path, distribution: &str) -> bool {
    let name = home.to_string_lossy().to_lowercase();
    match distribution {
        "temurin" | "adopt" | "adopt-hotspot" => {
            ["temurin", "adopt", "openjdk", "java-"].iter().any(|word| name.contains(word))
        }
        "" | "jdkfile" => true,
        other => name.contains(other),
    }
}

fn search(call: &Call<'_>) -> Search {
    let versions = |source, folder: PathBuf| VersionsFolder { source, folder, program: "bin/javac" };
    let mut folders = vec![
        versions("sdkman", home_folder(call, "SDKMAN_DIR", ".sdkman").join("candidates/java")),
        versions("asdf", home_folder(call, "ASDF_DATA_DIR", ".asdf").join("installs/java")),
        versions("mise", home_folder(call, "MISE_DATA_DIR", ".local/share/mise").join("installs/java")),
        versions("/usr/lib/jvm", PathBuf::from("/usr/lib/jvm")),
        versions("/opt", PathBuf::from("/opt")),
        versions("/opt/java", PathBuf::from("/opt/java")),
    ];
    // The tool cache holds a folder for each distribution: Java_Temurin-Hotspot_jdk/17.0.9-9/x64.
    for entry in std::fs::read_dir(&call.room.layout().tool_cache).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("Java_") {
            folders.insert(0, VersionsFolder { source: "tool cache", folder: entry.path(), program: "x64/bin/javac" });
        }
    }
    Search {
        tool: "Java",
        folders,
        on_path: vec!["javac".into()],
        version_argument: "-version",
        how_to_get: "Install it (on Debian: openjdk-VERSION-jdk; with sdkman: `sdk install java VERSION`), or ask for one that is there.".into(),
    }
}

fn restore_cache(call: &mut Call<'_>, manager: &str) -> Result<(), NativeError> {
    let (variable, files): (&str, &[&str]) = match manager {
        "maven" => {
            ("MAVEN_ARGS", &["**/pom.xml", "**/.mvn/wrapper/maven-wrapper.properties", "**/.mvn/extensions.xml"])
        }
        "gradle" => (
            "GRADLE_USER_HOME",
            &["**/*.gradle*", "**/gradle-wrapper.properties", "buildSrc/**/Versions.kt", "gradle/*.versions.toml"],
        ),
        "sbt" => {
            ("COURSIER_CACHE", &["**/*.sbt", "**/project/build.properties", "**/project/**.scala", "**/project/**.sbt"])
        }
        other => {
            return Err(NativeError(format!(
                "The cache type `{other}` is not supported; expected maven, gradle or sbt"
            )));
        }
    };
    let folder = own_folder(call, manager);
    let value = match manager {
        "maven" => {
            let before = call.env.get(variable).map(|before| format!("{before} ")).unwrap_or_default();
            format!("{before}-Dmaven.repo.local={}", folder.display())
        }
        _ => folder.to_string_lossy().into_owned(),
    };
    call.effects.export(variable, &value);
    let cache = DependencyCache {
        prefix: format!("setup-java-{}-{manager}", platform(call)),
        folders: vec![folder],
        dependency_files: dependency_files(call, files),
    };
    dependency_cache::restore(call, &cache)
}
