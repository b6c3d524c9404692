//! The setup actions, with the interpreters and compilers that this machine has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use lineclear_event::AnnotationLevel;

use crate::bench::{Bench, write};

/// A package index of the test's own, served until it is dropped.
struct Index {
    server: Child,
    address: String,
    log: PathBuf,
}

impl Index {
    fn serve(folder: &Path) -> Self {
        let beside = folder.parent().unwrap();
        let (script, port, log) = (beside.join("index.py"), beside.join("port"), beside.join("log"));
        fs::write(&script, include_str!("index.py")).unwrap();
        let server = Command::new("python3").arg(&script).args([folder, &port, &log]).spawn().expect("python3 is here");
        let began = Instant::now();
        while !port.exists() {
            assert!(began.elapsed() < Duration::from_secs(60), "the index does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        let address = format!("http://127.0.0.1:{}", fs::read_to_string(&port).unwrap());
        Self { server, address, log }
    }

    /// What was asked for since the last time, as far as it ends like this.
    fn asked_for(&self, ending: &str) -> usize {
        let asked = fs::read_to_string(&self.log).unwrap_or_default();
        fs::write(&self.log, "").unwrap();
        asked.lines().filter(|line| line.ends_with(ending)).count()
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A wheel with a module and a program, as the smallest thing that pip installs.
fn make_wheel(folder: &Path) {
    let script = "import sys, zipfile
z = zipfile.ZipFile(sys.argv[1], 'w')
z.writestr('tinything.py', 'def main():\\n    print(\"tiny speaks\")\\n')
d = 'tinything-1.0.dist-info/'
z.writestr(d + 'METADATA', 'Metadata-Version: 2.1\\nName: tinything\\nVersion: 1.0\\n')
z.writestr(d + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
z.writestr(d + 'entry_points.txt', '[console_scripts]\\ntiny = tinything:main\\n')
z.writestr(d + 'RECORD', '')
z.close()
";
    fs::create_dir_all(folder).unwrap();
    let file = folder.join("tinything-1.0-py3-none-any.whl");
    let status = Command::new("python3").args(["-c", script]).arg(&file).status().expect("python3 is here");
    assert!(status.success());
}

fn python_index(folder: &Path) -> Index {
    let root = folder.join("index");
    make_wheel(&root.join("tinything"));
    let link = "<!DOCTYPE html><html><body><a href=\"tinything-1.0-py3-none-any.whl\">tinything-1.0-py3-none-any.whl</a></body></html>";
    write(&root, &[("tinything/index.html", link)]);
    Index::serve(&root)
}

/// Versions of Python that this machine has, newest last: `3.12`.
fn pythons() -> Vec<String> {
    let home = std::env::var("HOME").unwrap();
    let root = std::env::var("PYENV_ROOT").unwrap_or_else(|_| format!("{home}/.pyenv"));
    let Ok(versions) = fs::read_dir(format!("{root}/versions")) else { return Vec::new() };
    let mut minors: Vec<u32> = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix("3.")?.split('.').next()?.parse().ok())
        .filter(|minor| *minor >= 8)
        .collect();
    minors.sort_unstable();
    minors.dedup();
    minors.into_iter().map(|minor| format!("3.{minor}")).collect()
}

#[test]
fn steps_get_a_python_of_their_own() {
    let bench = Bench::new(&[]).with_shared_tools();
    make_wheel(&bench.folder().join("wheels"));
    let wheels = bench.folder().join("wheels");
    let done = bench
        .job(&format!(
            "- id: py
  uses: actions/setup-python@v5
  with: {{ python-version: 3.x }}
- run: |
    echo \"out=${{{{ steps.py.outputs.python-version }}}} ${{{{ steps.py.outputs.python-path }}}}\"
    echo \"which=$(command -v python) $(command -v pip)\"
    echo \"location=$pythonLocation\"
    pip install --no-index --find-links {} tinything
    tiny
    python -m tinything && python3 -c 'import tinything; print(tinything.__file__)'
    python -m venv inner && inner/bin/python -m pip --version
    python -m pip --version",
            wheels.display()
        ))
        .succeeded()
        .says(&["tiny speaks", "/_temp/_python/", "Found Python 3."]);
    let which: Vec<&str> = done.value("which").split(' ').collect();
    assert!(which.iter().all(|path| path.starts_with(done.value("location"))), "{which:?}");
    assert!(done.value("out").starts_with("3."));
    // The next job knows nothing of it.
    bench
        .job(
            "- uses: actions/setup-python@v5\n  with: { python-version: 3.x }\n- run: 'python -c \"import tinything\"'",
        )
        .failed()
        .says(&["No module named"]);
}

#[test]
fn the_oldest_and_the_newest_version_of_this_machine_can_be_had() {
    let bench = Bench::new(&[]).with_shared_tools();
    let all = pythons();
    for version in all.first().into_iter().chain(all.last()) {
        // S1-81: a quoted version keeps its text.
        let done = bench.job(&format!("- uses: actions/setup-python@v5\n  with: {{ python-version: '{version}' }}\n- run: 'echo \"is=$(python --version)\"; pip --version; pip{version} --version'"));
        let done = done.succeeded();
        assert!(done.value("is").starts_with(&format!("Python {version}.")), "{version}: {}", done.value("is"));
    }
}

#[test]
fn two_jobs_that_are_first_at_the_same_time_both_get_pip() {
    let bench = Bench::new(&[]);
    let steps = "- uses: actions/setup-python@v5\n  with: { python-version: 3.x }\n- run: pip --version";
    std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..2).map(|_| scope.spawn(|| bench.job(steps))).collect();
        for job in jobs {
            job.join().expect("no panic").succeeded().says(&["pip "]);
        }
    });
}

#[test]
fn the_version_comes_from_a_file_or_is_the_newest() {
    let versions = pythons();
    let (Some(oldest), Some(newest)) = (versions.first(), versions.last()) else { return };
    let bench = Bench::new(&[
        (".python-version", &format!("{oldest}\n")),
        ("pyproject.toml", "[project]\nname = 'x'\nrequires-python = '>=3.8'\n"),
    ])
    .with_shared_tools();
    let version = |inputs: &str| {
        let done = bench
            .job(&format!(
                "- uses: actions/setup-python@v5\n  with: {{ {inputs} }}\n- run: 'echo \"is=$(python --version)\"'"
            ))
            .succeeded();
        done.value("is").trim_start_matches("Python ").to_owned()
    };
    assert!(version("check-latest: false").starts_with(&format!("{oldest}.")));
    assert!(version("python-version-file: .python-version").starts_with(&format!("{oldest}.")));
    assert!(version("python-version-file: pyproject.toml").starts_with(&format!("{newest}.")));
    fs::remove_file(bench.root.join(".python-version")).unwrap();
    let done = bench.job("- uses: actions/setup-python@v5").succeeded();
    assert_eq!(done.annotations[0].0, AnnotationLevel::Warning);
}

#[test]
fn several_versions_are_there_together() {
    let versions = pythons();
    let [first, .., last] = versions.as_slice() else { return };
    let bench = Bench::new(&[]).with_shared_tools();
    let done = bench.job(&format!("- uses: actions/setup-python@v5\n  with:\n    python-version: |\n      {first}\n      {last}\n- run: 'echo \"one=$(python{first} -c \"import sys; print(sys.prefix)\")\"; echo \"is=$(python --version)\"'")).succeeded();
    assert!(done.value("one").contains(&format!("_python/{first}.")));
    assert!(done.value("is").starts_with(&format!("Python {last}.")));
}

#[test]
fn a_python_that_is_missing_is_told_with_those_that_are_there() {
    let bench = Bench::new(&[]).with_shared_tools();
    let with = |version: &str| {
        bench.job(&format!("- uses: actions/setup-python@v5\n  with: {{ python-version: '{version}' }}")).failed()
    };
    let done = with("3.99").says(&["There is no Python that fits `3.99`: this machine has", "pyenv install"]);
    for version in pythons() {
        assert!(done.log.contains(&format!("{version}.")), "{version}");
    }
    with("pypy3.10").says(&["asks for pypy, which the built-in setup-python does not look for"]);
    with("3.13t").says(&["a free-threaded Python"]);
    with("three").says(&["`three` asks for no version"]);
}

/// S1-25, S1-76 and S2-26: what pip downloads is kept by the hash of the dependency file that is named.
#[test]
fn pip_finds_its_downloads_again() {
    let bench =
        Bench::new(&[("requirements-dev.txt", "tinything==1.0\n"), ("requirements.txt", "")]).with_shared_tools();
    let index = python_index(bench.folder());
    let steps = format!(
        "- id: py
  uses: actions/setup-python@v5
  with: {{ python-version: 3.x, cache: pip, cache-dependency-path: requirements-dev.txt }}
- run: pip install --trusted-host 127.0.0.1 --index-url {} -r requirements-dev.txt && tiny
- run: 'echo \"hit=${{{{ steps.py.outputs.cache-hit }}}}\"'",
        index.address
    );
    let first = bench.job(&steps).succeeded().says(&[
        "Cache is not found for key setup-python-Linux-",
        "tiny speaks",
        "Cache saved with the key: setup-python-Linux-",
    ]);
    assert_eq!((first.value("hit"), index.asked_for(".whl")), ("false", 1));
    let second = bench.job(&steps).succeeded().says(&[
        "Cache restored from key: setup-python-Linux-",
        "tiny speaks",
        "not saving cache",
    ]);
    assert_eq!((second.value("hit"), index.asked_for(".whl")), ("true", 0), "the wheel comes from the cache");
    // Another file's change changes nothing; this one's does, and the old downloads are a start.
    bench.write(&[("requirements.txt", "# changed")]);
    assert_eq!(bench.job(&steps).succeeded().value("hit"), "true");
    bench.write(&[("requirements-dev.txt", "tinything\n")]);
    let third = bench.job(&steps).succeeded().says(&["Cache hit for restore-key"]);
    assert_eq!((third.value("hit"), index.asked_for(".whl")), ("false", 0));
    bench
        .job("- uses: actions/setup-python@v5\n  with: { python-version: 3.x, cache: pip, cache-dependency-path: none.txt }")
        .failed()
        .says(&["matched to [none.txt], make sure you have checked out the target repository"]);
    bench
        .job("- uses: actions/setup-python@v5\n  with: { python-version: 3.x, cache: conda }")
        .failed()
        .says(&["Caching for 'conda' is not supported"]);
}

#[test]
fn pip_itself_and_packages_can_be_asked_for() {
    let bench = Bench::new(&[]).with_shared_tools();
    let index = python_index(bench.folder());
    let done = bench.job_with(
        &format!("env: {{ PIP_INDEX_URL: '{}' }}", index.address),
        "- uses: actions/setup-python@v6\n  with: { python-version: 3.x, pip-install: tinything }\n- run: tiny",
    );
    done.succeeded().says(&["tiny speaks"]);
}

/// A registry with one package.
fn node_registry(folder: &Path) -> (Index, String) {
    let root = folder.join("registry");
    write(
        &folder.join("pack/package"),
        &[("package.json", r#"{"name":"tinything","version":"1.0.0"}"#), ("index.js", "console.log('tiny speaks')")],
    );
    fs::create_dir_all(&root).unwrap();
    let status = Command::new("tar")
        .current_dir(folder.join("pack"))
        .args(["czf", "../registry/tinything-1.0.0.tgz", "package"])
        .status()
        .unwrap();
    assert!(status.success());
    let digest = Command::new("sh")
        .current_dir(&root)
        .args(["-c", "openssl dgst -sha512 -binary tinything-1.0.0.tgz | base64 -w0"])
        .output()
        .unwrap();
    let integrity = format!("sha512-{}", String::from_utf8(digest.stdout).unwrap());
    let index = Index::serve(&root);
    let dist = format!(r#"{{"tarball":"{}/tinything-1.0.0.tgz","integrity":"{integrity}"}}"#, index.address);
    write(
        &root,
        &[(
            "tinything.json",
            &format!(
                r#"{{"name":"tinything","dist-tags":{{"latest":"1.0.0"}},"versions":{{"1.0.0":{{"name":"tinything","version":"1.0.0","dist":{dist}}}}}}}"#
            ),
        )],
    );
    let lock = format!(
        r#"{{"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{{"":{{"name":"app","version":"1.0.0","dependencies":{{"tinything":"1.0.0"}}}},"node_modules/tinything":{{"version":"1.0.0","resolved":"{}/tinything-1.0.0.tgz","integrity":"{integrity}"}}}}}}"#,
        index.address
    );
    (index, lock)
}

const PACKAGE: &str =
    r#"{"name":"app","version":"1.0.0","dependencies":{"tinything":"1.0.0"},"packageManager":"npm@10.0.0"}"#;

/// S1-77: what npm downloads is kept.
#[test]
fn npm_finds_its_downloads_again() {
    let bench = Bench::new(&[("package.json", PACKAGE)]);
    let (index, lock) = node_registry(bench.folder());
    bench.write(&[("package-lock.json", &lock)]);
    let steps = |setup: &str, ci: &str| {
        format!(
            "- id: node\n  uses: {setup}\n- run: npm {ci} --registry={} && node -e 'require(\"tinything\")'\n- run: 'echo \"hit=${{{{ steps.node.outputs.cache-hit }}}}\"'",
            index.address
        )
    };
    let cached = "actions/setup-node@v4\n  with: { cache: npm }";
    let first = bench
        .job(&steps(cached, "ci"))
        .succeeded()
        .says(&["tiny speaks", "Cache saved with the key: node-cache-Linux-"]);
    assert_eq!((first.value("hit"), index.asked_for(".tgz")), ("false", 1));
    let second = bench.job(&steps(cached, "ci --offline")).succeeded().says(&["tiny speaks"]);
    assert_eq!((second.value("hit"), index.asked_for(".tgz")), ("true", 0));
    // Newer versions do so by themselves for packages that say that npm manages them.
    assert_eq!(bench.job(&steps("actions/setup-node@v5", "ci --offline")).succeeded().value("hit"), "true");
    assert_eq!(bench.job(&steps("actions/setup-node@v4", "ci")).succeeded().value("hit"), "");
    fs::remove_file(bench.root.join("package-lock.json")).unwrap();
    bench
        .job("- uses: actions/setup-node@v4\n  with: { cache: npm }")
        .failed()
        .says(&["Dependencies lock file is not found in"]);
}

#[test]
fn node_is_found_by_every_way_to_ask_for_it() {
    let version = Command::new("node").arg("--version").output().expect("node is here");
    let version = String::from_utf8(version.stdout).unwrap().trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next().unwrap().to_owned();
    let bench = Bench::new(&[
        (".nvmrc", &format!("v{major}\n")),
        ("package.json", &format!(r#"{{"engines":{{"node":">={major}"}}}}"#)),
    ]);
    for inputs in [
        format!("node-version: {major}"),
        format!("node-version: {major}.x"),
        "node-version-file: .nvmrc".into(),
        "node-version-file: package.json".into(),
        "check-latest: false".into(),
    ] {
        let done = bench.job(&format!("- id: node\n  uses: actions/setup-node@v4\n  with: {{ {inputs} }}\n- run: 'echo \"out=${{{{ steps.node.outputs.node-version }}}}\"'")).succeeded();
        assert!(done.value("out").starts_with(&format!("v{major}.")), "{inputs}");
    }
    let missing = bench.job("- uses: actions/setup-node@v4\n  with: { node-version: 7 }").failed();
    missing.says(&["There is no Node that fits `7`: this machine has", "nvm install"]);
    bench
        .job("- uses: actions/setup-node@v4\n  with: { node-version: lts/nothing }")
        .failed()
        .says(&["is no long-term version"]);
}

#[test]
fn a_registry_is_written_down_for_the_job_alone() {
    let bench = Bench::new(&[]).with_shared_tools();
    let done = bench
        .job("- uses: actions/setup-node@v4\n  with: { registry-url: 'https://npm.example.org', scope: '@Octo' }\n- run: cat \"$NPM_CONFIG_USERCONFIG\"")
        .succeeded()
        .says(&["//npm.example.org/:_authToken=${NODE_AUTH_TOKEN}", "@octo:registry=https://npm.example.org/"]);
    assert!(!done.log.contains("= "), "{}", done.log);
    bench.job("- uses: actions/setup-node@v4\n  with: { registry-url: nowhere }").failed().says(&["is no address"]);
}

#[test]
fn go_builds_and_finds_its_modules_again() {
    let bench = Bench::new(&[
        ("go.mod", "module example.org/app\n\ngo 1.20\n"),
        ("main.go", "package main\n\nfunc main() { println(\"go speaks\") }\n"),
        ("go.sum", "\n"),
    ]);
    let steps = "- id: go\n  uses: actions/setup-go@v5\n  with: { go-version: '>=1.20' }\n- run: go run . 2>&1; echo \"is=$(go env GOVERSION) $(go env GOTOOLCHAIN) $(go env GOCACHE)\"\n- run: 'echo \"hit=${{ steps.go.outputs.cache-hit }} ${{ steps.go.outputs.go-version }}\"'";
    let first = bench.job(steps).succeeded().says(&["go speaks", "Cache saved with the key: setup-go-Linux-"]);
    assert!(
        first.value("is").contains(" local ") && first.value("is").contains("_downloads/go-build"),
        "{}",
        first.value("is")
    );
    assert!(first.value("hit").starts_with("false 1."));
    let second = bench.job(steps).succeeded();
    assert!(second.value("hit").starts_with("true 1."));
    bench
        .job("- uses: actions/setup-go@v5\n  with: { go-version: '1.2' }")
        .failed()
        .says(&["There is no Go that fits `1.2`: this machine has"]);
    fs::remove_file(bench.root.join("go.sum")).unwrap();
    fs::remove_file(bench.root.join("go.mod")).unwrap();
    let none = bench.job("- uses: actions/setup-go@v5\n  with: { go-version: stable }").succeeded();
    assert!(none.annotations[0].1.contains("Dependencies file is not found"), "{:?}", none.annotations);
}

#[test]
fn java_compiles() {
    let Ok(jdks) = fs::read_dir("/usr/lib/jvm") else { return };
    let mut majors: Vec<u32> = jdks
        .filter_map(|jdk| {
            let release = fs::read_to_string(jdk.ok()?.path().join("release")).ok()?;
            let version = release.lines().find_map(|line| line.strip_prefix("JAVA_VERSION=\""))?.to_owned();
            version.split('.').next()?.parse().ok()
        })
        .collect();
    majors.sort_unstable();
    majors.dedup();
    let bench = Bench::new(&[(
        "Main.java",
        "class Main { public static void main(String[] a) { System.out.println(\"java speaks\"); } }",
    )]);
    for major in majors {
        let done = bench.job(&format!("- id: java\n  uses: actions/setup-java@v4\n  with: {{ distribution: temurin, java-version: '{major}' }}\n- run: 'javac Main.java && java Main; echo \"is=$(javac -version)\"; \"$JAVA_HOME/bin/java\" -version'\n- run: 'echo \"out=${{{{ steps.java.outputs.version }}}} ${{{{ steps.java.outputs.path }}}}\"'"));
        let done = done.succeeded().says(&["java speaks"]);
        assert!(done.value("is").starts_with(&format!("javac {major}.")), "{}", done.value("is"));
        assert!(done.value("out").starts_with(&format!("{major}.")));
    }
    bench
        .job("- uses: actions/setup-java@v4\n  with: { distribution: temurin, java-version: 7 }")
        .failed()
        .says(&["There is no Java that fits `7`"]);
    bench
        .job("- uses: actions/setup-java@v4\n  with: { distribution: temurin }")
        .failed()
        .says(&["java-version or java-version-file input expected"]);
    bench
        .job("- uses: actions/setup-java@v4\n  with: { java-version: 17 }")
        .failed()
        .says(&["Input required and not supplied: distribution"]);
}

/// Without the network: nothing is asked of a server for what is there.
#[test]
fn a_rust_toolchain_that_is_there_is_used() {
    let bench = Bench::new(&[]);
    let offline = "env: { RUSTUP_DIST_SERVER: 'http://127.0.0.1:9', RUSTUP_UPDATE_ROOT: 'http://127.0.0.1:9', RUSTUP_TOOLCHAIN: '' }";
    let with = |step: &str| {
        let show = "\n- run: 'echo \"is=$(rustc --version)\"; echo \"chosen=$RUSTUP_TOOLCHAIN\"; echo \"colour=$CARGO_TERM_COLOR\"'";
        bench.job_with(offline, &format!("- id: rust\n  uses: {step}{show}")).succeeded()
    };
    for (step, chosen) in [
        ("dtolnay/rust-toolchain@stable", "stable"),
        ("dtolnay/rust-toolchain@master\n  with: { toolchain: stable, components: rustfmt }", "stable"),
        ("actions-rust-lang/setup-rust-toolchain@v1\n  with: { cache: false }", "stable"),
        ("actions-rs/toolchain@v1\n  with: { toolchain: stable, override: true }", "stable"),
        ("actions-rs/toolchain@v1\n  with: { toolchain: stable }", ""),
    ] {
        let done = with(step);
        assert!(done.value("is").starts_with("rustc 1."), "{step}: {}", done.value("is"));
        assert_eq!(done.value("chosen"), chosen, "{step}");
    }
    bench.job("- uses: dtolnay/rust-toolchain@master").failed().says(&["'toolchain' is a required input"]);
    let missing = bench.job_with(offline, "- uses: dtolnay/rust-toolchain@1.2.3");
    missing.failed().says(&["There is no Rust toolchain `1.2.3` on this machine"]);
    // The repository's own file counts more than a default, and an override more than the file.
    bench.write(&[("rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\n")]);
    let default = with("dtolnay/rust-toolchain@stable").says(&["counts more than this toolchain"]);
    assert_eq!(default.value("chosen"), "");
    assert_eq!(with("actions-rust-lang/setup-rust-toolchain@v1\n  with: { cache: false }").value("chosen"), "");
    let chosen = with("actions-rust-lang/setup-rust-toolchain@v1\n  with: { cache: false, toolchain: stable }");
    assert_eq!(chosen.value("chosen"), "stable");
}

#[test]
fn cargo_finds_again_what_it_has_built() {
    let files = [
        ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("src/main.rs", "fn main() { println!(\"rust speaks\"); }\n"),
        ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n"),
        (".gitignore", "target\n"),
    ];
    let bench = Bench::new(&files);
    let steps = "- id: cache\n  uses: Swatinem/rust-cache@v2\n- run: env -u CARGO_TARGET_DIR cargo run --offline 2>&1\n- run: 'echo \"hit=${{ steps.cache.outputs.cache-hit }}\"'";
    let first = bench.job(steps).succeeded().says(&[
        "Compiling app",
        "rust speaks",
        "Cache saved with key: v0-rust-job-Linux-",
    ]);
    assert_eq!(first.value("hit"), "false");
    let second =
        bench.job(steps).succeeded().says(&["rust speaks", "Cache up-to-date."]).never_says(&["Compiling app v"]);
    assert_eq!(second.value("hit"), "true");
    bench.write(&[("Cargo.lock", &format!("# changed\n{}", files[2].1))]);
    bench.job(steps).succeeded().says(&["Cache hit for restore-key", "full match: false"]);
}
