//! Actions around images, with the container engine of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use lineclear_event::{AnnotationLevel, Fact, ImageDeed, ImageFact};

use crate::bench::{Bench, Done};
use crate::registry::Registry;

/// Every image that this test names; taken away with it.
pub(crate) struct Names(Vec<String>);

impl Names {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// A name that nobody else has.
    pub(crate) fn make(&mut self, what: &str) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lineclear-test-{what}-{}-{number}:1", std::process::id());
        self.0.push(name.clone());
        name
    }
}

impl Names {
    /// Takes another name away, too.
    pub(crate) fn keep(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        for name in &self.0 {
            let _ = Command::new("docker").args(["image", "rm", "--force", name]).output();
        }
    }
}

pub(crate) fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().expect("docker is here: the package `docker.io`, started");
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// A statically linked busybox, which an image can be made of without any other image.
pub(crate) fn busybox() -> PathBuf {
    let found = ["/bin/busybox", "/usr/bin/busybox"].map(PathBuf::from).into_iter().find(|path| path.is_file());
    found.expect("busybox is here: the package `busybox-static`")
}

/// What every Dockerfile of these tests begins with.
pub(crate) const BASE: &str =
    "FROM scratch AS base\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n";

/// A repository with a Dockerfile and busybox. Two of them have no layers in common: nobody else's cache helps.
pub(crate) fn bench(dockerfile: &str) -> Bench {
    let unique = format!("{}-{:?}", std::process::id(), std::time::SystemTime::now());
    let text = format!("{BASE}COPY unique /unique\n{dockerfile}");
    let bench = Bench::new(&[("Dockerfile", &text), ("unique", &unique)]);
    std::fs::copy(busybox(), bench.root.join("busybox")).expect("it is copied");
    bench
}

pub(crate) fn build(inputs: &str) -> String {
    let inputs: String = inputs.lines().map(|line| format!("    {line}\n")).collect();
    let show =
        "- run: 'echo \"digest=${{ steps.b.outputs.digest }}\"; echo \"imageid=${{ steps.b.outputs.imageid }}\"'";
    format!("- id: b\n  uses: docker/build-push-action@v6\n  with:\n    context: .\n{inputs}{show}")
}

pub(crate) fn images(done: &Done) -> Vec<&ImageFact> {
    done.facts.iter().filter_map(|fact| if let Fact::Image(image) = fact { Some(&**image) } else { None }).collect()
}

/// S1-37, S4-15: stages, a target, build arguments, labels; the second build takes its steps from the cache.
#[test]
fn stages_are_built_and_the_second_build_takes_them_from_the_cache() {
    let bench = bench(
        "ARG WHAT=nothing\nFROM base AS build\nARG WHAT\nRUN echo \"made $WHAT\" > /made\nFROM base AS production\nCOPY --from=build /made /made\nUSER 1000\nEXPOSE 8000\nHEALTHCHECK --interval=5s CMD cat /made\nFROM base AS later\nRUN exit 7\n",
    );
    let mut names = Names::new();
    let name = names.make("stages");
    let steps =
        build(&format!("tags: {name}\ntarget: production\nbuild-args: WHAT=it\nlabels: a.b=c\nprovenance: false"));
    let first = bench.job(&steps).succeeded();
    assert_eq!(docker(&["run", "--rm", "--network", "none", &name, "cat", "/made"]), "made it");
    let [image] = images(&first)[..] else { panic!("one image: {:?}", first.facts) };
    assert_eq!((image.deed, image.names.as_slice()), (ImageDeed::Built, std::slice::from_ref(&name)));
    let config = image.config.as_ref().expect("it was looked at");
    assert_eq!((config.user.as_str(), config.ports.as_slice()), ("1000", &["8000/tcp".to_owned()][..]));
    assert_eq!(config.health_check.as_deref(), Some("cat /made"));
    assert_eq!(config.labels.get("a.b").map(String::as_str), Some("c"));
    assert!(first.summary.contains("| user | `1000` |"), "{}", first.summary);
    assert!(first.value("imageid").starts_with("sha256:"));
    let second = bench.job(&steps).succeeded().says(&["CACHED"]);
    assert_eq!(first.value("imageid"), second.value("imageid"));
}

/// S1-38: an image that runs as root, or has no health check, is told.
#[test]
fn an_image_that_runs_as_root_is_told() {
    let mut names = Names::new();
    let name = names.make("root");
    let done = bench("").job(&build(&format!("tags: {name}"))).succeeded();
    let done = done.says(&["the image runs as root", "the image has no HEALTHCHECK"]);
    assert!(done.summary.contains("⚠️ root"), "{}", done.summary);
}

#[test]
fn a_failure_names_the_line_of_the_dockerfile() {
    let done = bench("RUN echo before\nRUN echo now \\\n  && exit 7\n").job(&build("")).failed();
    let errors: Vec<_> = done.annotations.iter().filter(|(level, _)| *level == AnnotationLevel::Error).collect();
    let [(_, error)] = errors[..] else { panic!("{errors:?}\n{}", done.log) };
    assert!(error.starts_with("Dockerfile:6: the build failed:") && error.contains('7'), "{error}");
}

/// A secret is there while it is used, and neither in the image nor in the log nor on a command line.
#[test]
fn secrets_are_used_and_are_nowhere_afterwards() {
    let bench = bench(
        "RUN --mount=type=secret,id=token --mount=type=secret,id=file --mount=type=secret,id=variable \\\n  cat /run/secrets/token /run/secrets/file /run/secrets/variable | sha256sum > /sum && cat /run/secrets/token\n",
    );
    let mut names = Names::new();
    let name = names.make("secret");
    let value = "very-s3cret-value-of-a-build";
    bench.write(&[("secret.txt", "from-a-file")]);
    let steps = build(&format!(
        "tags: {name}\nsecrets: token={value}\nsecret-files: file=./secret.txt\nsecret-envs: variable=FROM_ENV"
    ));
    // Masked as a secret of the run is, which a bench has none of.
    let mask = "- run: 'v=of-a-build; echo \"::add-mask::very-s3cret-value-$v\"'\n";
    let done = bench.job_with("env: { FROM_ENV: from-the-environment }", &format!("{mask}{steps}")).succeeded();
    let expected = Command::new("sh")
        .args(["-c", &format!("printf %s '{value}from-a-filefrom-the-environment' | sha256sum")])
        .output()
        .expect("a shell");
    let sum = docker(&["run", "--rm", "--network", "none", &name, "cat", "/sum"]);
    assert_eq!(sum, String::from_utf8_lossy(&expected.stdout).trim());
    let done = done.never_says(&[value]);
    assert!(done.log.contains("***"), "what the build printed is masked: {}", done.log);
    let archive = bench.folder().join("image.tar");
    docker(&["save", "--output", &archive.to_string_lossy(), &name]);
    let saved = std::fs::read(&archive).expect("an archive");
    assert!(!saved.windows(value.len()).any(|window| window == value.as_bytes()));
}

/// S1-44, S1-48, S2-3, S2-25, S3-9: a login, then a push to a registry that asks for it. Without one, the push is refused.
#[test]
fn an_image_is_pushed_with_the_login_of_the_job() {
    let registry = Registry::with_login("me", "p4ssword-of-the-registry");
    let bench = bench("RUN echo hello > /hello\n");
    let image = format!("{}/octo/app", registry.address());
    let login = |password: &str| {
        format!(
            "- uses: docker/login-action@v3\n  with:\n    registry: {}\n    username: me\n    password: {password}\n",
            registry.address()
        )
    };
    let push = build(&format!("push: true\ntags: |\n  {image}:1\n  {image}:latest\nprovenance: false"));
    let mut names = Names::new();
    names.0.extend([format!("{image}:1"), format!("{image}:latest")]);
    let refused = bench.job(&push).failed();
    assert!(refused.log.contains("docker/login-action") && refused.log.contains("cannot push"), "{}", refused.log);
    let wrong = bench.job(&login("wrong")).failed();
    assert!(wrong.log.contains("does not take the password of `me`"), "{}", wrong.log);

    let mask = "- run: 'r=registry; echo \"::add-mask::p4ssword-of-the-$r\"'\n";
    let done = bench.job(&format!("{mask}{}{push}", login("p4ssword-of-the-registry"))).succeeded();
    let digest = done.value("digest").to_owned();
    assert_eq!(registry.digest("octo/app", "1"), digest);
    assert_eq!(registry.digest("octo/app", "latest"), digest);
    let done = done.says(&["Login Succeeded!", "Removed the login at"]).never_says(&["p4ssword-of-the-registry"]);
    let deeds: Vec<ImageDeed> = images(&done).iter().map(|image| image.deed).collect();
    assert_eq!(deeds, [ImageDeed::Built, ImageDeed::Pushed]);
    assert!(done.summary.contains(&digest), "{}", done.summary);
    // What is there does not travel again.
    let again = bench.job(&format!("{}{push}", login("p4ssword-of-the-registry"))).succeeded();
    assert_eq!(again.log.matches(": 0 blobs, 0 bytes").count(), 2, "{}", again.log);
    assert_eq!(again.value("digest"), digest);
    // And what is there runs.
    docker(&["login", "--username", "me", "--password", "p4ssword-of-the-registry", registry.address()]);
    let pulled = format!("{image}@{digest}");
    assert_eq!(docker(&["run", "--rm", "--network", "none", &pulled, "cat", "/hello"]), "hello");
    docker(&["logout", registry.address()]);
    names.0.push(pulled);
}

/// S1-47: one index for two platforms, with annotations, also where the builder makes one image at a time.
#[test]
fn several_platforms_become_one_index() {
    let registry = Registry::open();
    let text = "FROM scratch\nARG TARGETARCH\nCOPY unique-$TARGETARCH /which\nUSER 7\n";
    let bench = Bench::new(&[("Dockerfile", text), ("unique-amd64", "amd64"), ("unique-arm64", "arm64")]);
    let image = format!("{}/octo/many:1", registry.address());
    let inputs = format!(
        "push: true\nplatforms: linux/amd64,linux/arm64\ntags: {image}\nprovenance: false\nannotations: |\n  index:a.b=index\n  c.d=manifest"
    );
    let done = bench.job(&build(&inputs)).succeeded();
    let (index, raw) = registry.manifest("octo/many", "1");
    assert_eq!(lineclear_oci::Digest::of(&raw).to_string(), done.value("digest"));
    assert_eq!(index["annotations"]["a.b"], "index");
    let platforms: Vec<String> = index["manifests"]
        .as_array()
        .expect("an index")
        .iter()
        .map(|one| {
            format!("{}/{}", one["platform"]["os"].as_str().unwrap(), one["platform"]["architecture"].as_str().unwrap())
        })
        .collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    let (manifest, _) = registry.manifest("octo/many", index["manifests"][1]["digest"].as_str().unwrap());
    assert_eq!(manifest["annotations"]["c.d"], "manifest");
    assert_eq!(images(&done)[0].platforms, ["linux/amd64", "linux/arm64"]);
    let refused = bench.job(&build("platforms: linux/amd64,linux/arm64\nload: true")).failed();
    assert!(refused.log.contains("`load` takes an image for one platform"), "{}", refused.log);
}

/// S1-50: provenance lies beside the image, where other tools look for it.
#[test]
fn provenance_is_attached_to_the_image() {
    let registry = Registry::open();
    let bench = bench("");
    let image = format!("{}/octo/proven:1", registry.address());
    let mut names = Names::new();
    names.0.push(image.clone());
    bench
        .job(&build(&format!("push: true\ntags: {image}\nprovenance: mode=max\nbuild-args: A_NAME=a-value")))
        .succeeded();
    let (index, _) = registry.manifest("octo/proven", "1");
    let entries = index["manifests"].as_array().expect("an index");
    let [subject, attestation] = entries.as_slice() else { panic!("{index}") };
    assert_eq!(attestation["annotations"]["vnd.docker.reference.type"], "attestation-manifest");
    assert_eq!(attestation["annotations"]["vnd.docker.reference.digest"], subject["digest"]);
    let (manifest, _) = registry.manifest("octo/proven", attestation["digest"].as_str().unwrap());
    let layer = &manifest["layers"][0];
    assert_eq!(layer["annotations"]["in-toto.io/predicate-type"], "https://slsa.dev/provenance/v0.2");
    let statement = registry.blob("octo/proven", layer["digest"].as_str().unwrap());
    assert_eq!(format!("sha256:{}", statement["subject"][0]["digest"]["sha256"].as_str().unwrap()), subject["digest"]);
    let args = &statement["predicate"]["invocation"]["parameters"]["args"];
    assert_eq!(args["build-arg:A_NAME"], "a-value");
    assert!(statement["predicate"]["builder"]["id"].as_str().unwrap().contains("/octo/App/actions/runs/42/"));
}

#[test]
fn results_are_written_where_outputs_say() {
    let bench = bench("RUN echo hello > /hello\n");
    let mut names = Names::new();
    let name = names.make("outputs");
    let inputs = format!(
        "tags: {name}\noutputs: |\n  type=local,dest=out/files\n  type=tar,dest=out/files.tar\n  type=oci,dest=out/image.tar\n  type=docker,dest=out/docker.tar"
    );
    let look = "\n- run: 'cat out/files/hello; tar -xOf out/files.tar hello; tar -tf out/image.tar; tar -xOf out/image.tar index.json; docker load --input out/docker.tar'";
    let done = bench.job(&format!("{}{look}", build(&inputs))).succeeded();
    assert_eq!(done.log.lines().filter(|line| *line == "hello").count(), 2, "{}", done.log);
    done.says(&["oci-layout", "blobs/sha256/", &name, &format!("Loaded image: {name}")]);
}

/// S1-49, S4-9: the cache of `type=gha` is kept by the run's cache service, and the engine takes it from there.
#[test]
fn the_cache_service_keeps_the_builders_cache() {
    let bench = bench(
        "FROM base AS deps\nRUN echo deps > /deps\nFROM base\nCOPY --from=deps /deps /deps\nRUN echo app > /app\n",
    );
    let inputs = "provenance: false\ncache-from: type=gha,scope=web\ncache-to: type=gha,mode=max,scope=web";
    let first = bench.job(&build(inputs)).succeeded();
    let first = first.says(&["Cache miss", "Build cache saved with key: image-cache-"]);
    let second = bench.job(&build(inputs)).succeeded();
    assert_eq!(first.value("imageid"), second.value("imageid"));
    let second = second.says(&["Cache hit for restore-key: image-cache-", "CACHED"]);
    assert!(second.facts.iter().any(|fact| matches!(fact, Fact::Cache { matched: Some(_), .. })));
    let left = docker(&["image", "ls", "--quiet", "lineclear-cache/web"]);
    assert_eq!(left, "", "names of caches are taken away again");
    // Another scope is another cache.
    bench.job(&build("cache-from: type=gha,scope=other")).succeeded().says(&["Cache miss"]);
}

/// Without any engine, buildah builds: no daemon, no privileges of one.
#[test]
fn buildah_builds_where_no_engine_answers() {
    let registry = Registry::open();
    let bench = bench("RUN echo hello > /hello\nUSER 7\nHEALTHCHECK CMD cat /hello\n");
    let image = format!("{}/octo/rootless:1", registry.address());
    let store = bench.folder().join("containers");
    let keys = format!(
        "env:\n  DOCKER_HOST: unix:///nowhere.sock\n  STORAGE_DRIVER: vfs\n  CONTAINERS_STORAGE_CONF: {}",
        storage_configuration(&store).display()
    );
    let steps = build(&format!("push: true\ntags: {image}\nlabels: a=b"));
    let done = bench.job_with(&keys, &steps).succeeded().says(&["Builder: buildah"]);
    assert_eq!(registry.digest("octo/rootless", "1"), done.value("digest"));
    let config = images(&done)[0].config.as_ref().expect("it was looked at");
    assert_eq!((config.user.as_str(), config.health_check.as_deref()), ("7", Some("cat /hello")));
    let said = bench.job_with(&keys, &build("cache-to: type=gha")).succeeded();
    assert!(said.log.contains("is not kept: with buildah"), "{}", said.log);
    let failed = bench.job_with(&keys, &build("call: check")).failed();
    assert!(failed.log.contains("`call` is not possible with buildah"), "{}", failed.log);
}

/// Images in a folder of the test's own.
fn storage_configuration(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder");
    let file = folder.join("storage.conf");
    let (root, run) = (folder.join("root"), folder.join("run"));
    let text = format!("[storage]\ndriver = \"vfs\"\ngraphroot = {root:?}\nrunroot = {run:?}\n");
    std::fs::write(&file, text).expect("a file");
    file
}

/// S1-43: the builder is set up, and its outputs say what it is.
#[test]
fn buildx_and_qemu_are_set_up_with_what_the_machine_has() {
    let steps = "- id: q\n  uses: docker/setup-qemu-action@v3\n- id: x\n  uses: docker/setup-buildx-action@v3\n  with: { driver: docker }\n- run: |\n    echo \"driver=${{ steps.x.outputs.driver }}\"\n    echo \"name=${{ steps.x.outputs.name }}\"\n    echo \"platforms=${{ steps.x.outputs.platforms }}\"\n    echo \"qemu=${{ steps.q.outputs.platforms }}\"\n    echo \"node=${{ fromJSON(steps.x.outputs.nodes)[0].name }}\"";
    let done = Bench::new(&[]).job(steps).succeeded();
    assert_eq!(done.value("driver"), "docker");
    assert!(!done.value("name").is_empty() && !done.value("node").is_empty());
    for name in ["platforms", "qemu"] {
        let own = lineclear_oci::Platform::of_this_machine().to_string();
        assert!(done.value(name).split(',').any(|platform| platform == own), "{name}: {}", done.log);
    }
    let refused = Bench::new(&[]).job("- uses: docker/setup-qemu-action@v3\n  with: { platforms: linux/vax }").failed();
    assert!(refused.log.contains("there is no emulator for `linux/vax`"), "{}", refused.log);
    let wanted = "- uses: docker/setup-buildx-action@v3\n  with: { version: v99.0.0, driver: docker }";
    let refused = Bench::new(&[]).job(wanted).failed();
    assert!(refused.log.contains("`version: v99.0.0` is not here"), "{}", refused.log);
}

/// S2-12, S2-13: tags of a branch with a slash, through the runner.
#[test]
fn tags_come_from_the_event() {
    let mut bench = Bench::new(&[]);
    bench.about("refs/heads/feature/x");
    let steps = "- id: m\n  uses: docker/metadata-action@v5\n  with:\n    images: ghcr.io/Octo/App\n    tags: |\n      type=ref,event=branch,prefix=branch-\n      type=sha,format=long\n      type=raw,value=latest,enable={{is_default_branch}}\n- run: |\n    echo \"tags=${{ join(fromJSON(steps.m.outputs.json).tags, ' ') }}\"\n    echo \"version=$DOCKER_METADATA_OUTPUT_VERSION\"\n    cat \"${{ steps.m.outputs.bake-file }}\"";
    let done = bench.job(steps).succeeded();
    let sha = bench.github["sha"].as_str().expect("a commit").to_owned();
    assert_eq!(done.value("tags"), format!("ghcr.io/octo/app:branch-feature-x ghcr.io/octo/app:sha-{sha}"));
    assert_eq!(done.value("version"), "branch-feature-x");
    done.says(&["\"docker-metadata-action\": {"]);
    bench.about("refs/heads/main");
    let done = bench.job(steps).succeeded();
    assert_eq!(
        done.value("tags"),
        format!("ghcr.io/octo/app:branch-main ghcr.io/octo/app:latest ghcr.io/octo/app:sha-{sha}")
    );
}

/// A build that is cancelled ends, and nothing of it goes on.
#[test]
fn a_cancelled_build_ends() {
    let bench = bench("RUN printf 'started-%s\\n' it && sleep 611\n");
    let done = bench.job_until(Some("started-it"), "", &build(""));
    assert_eq!(done.conclusion, lineclear_event::Conclusion::Cancelled, "{}", done.log);
    let began = std::time::Instant::now();
    while is_running("sleep 611") {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "the build goes on");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// S2-24, S2-29, S4-51: a name that the run has a registry for is kept there, if the job may; base images come from there too.
#[test]
fn names_that_are_routed_go_to_the_runs_own_registry() {
    let registry = Registry::with_login("job", "token-of-the-job");
    let mut bench = bench("RUN echo hello > /hello\n");
    let address = registry.address().to_owned();
    bench.settings.image_route = Some(std::sync::Arc::new(move |name: &str| {
        let credentials =
            lineclear_backend::Credentials { username: "job".into(), password: "token-of-the-job".into() };
        let is_mapped = name.starts_with("ghcr.io/");
        is_mapped.then(|| lineclear_backend::RoutedImage {
            image: format!("{address}/{name}"),
            credentials: Some(credentials),
        })
    }));
    let image = format!("ghcr.io/octo/app-{}:1", std::process::id());
    let mut names = Names::new();
    names.0.push(image.clone());
    let steps = build(&format!("push: true\ntags: {image}"));
    bench.permissions = [("packages".to_owned(), "read".to_owned())].into();
    let refused = bench.job(&steps).failed();
    let needed = "needs `permissions: packages: write`, and this job has `packages: read`";
    assert!(refused.log.contains(needed) && !refused.log.contains("[command]"), "{}", refused.log);
    bench.permissions = [("packages".to_owned(), "write".to_owned())].into();
    let done = bench.job(&steps).succeeded().says(&[&format!("kept at {}/{image}", registry.address())]);
    let (repository, tag) = image.rsplit_once(':').expect("a tag");
    assert_eq!(registry.digest(repository, tag), done.value("digest"));

    // What is there is a base that no other registry is asked for.
    docker(&["image", "rm", "--force", &image]);
    bench.write(&[("Dockerfile", &format!("FROM {image}\nRUN grep hello /hello && echo found-it\n"))]);
    let own = format!("{}/{image}", registry.address());
    names.0.push(own);
    bench.job(&build("")).succeeded().says(&["is taken from the run's own registry", "found-it"]);
}

fn is_running(command: &str) -> bool {
    let output = Command::new("pgrep").args(["-f", &format!("^{command}$")]).output().expect("pgrep is here");
    output.status.success()
}
