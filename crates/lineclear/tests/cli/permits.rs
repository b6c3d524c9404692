//! Release repositories are held: a tag is set for a commit whose gate is clear, and for no other, whoever sets it and with whatever.

use std::process::{Command, Stdio};

use lineclear_testkit::{Repository, Run, Started};
use serde_json::json;

const POLICY: &str = "\
[gate.main]
require = [\"CI / test\"]

[image.app]
repository = \"ghcr.io/${owner}/app\"
gate = \"main\"
tags.\"refs/heads/main\" = [\"latest\", \"sha-${short-sha}\"]
tags.\"refs/tags/v*\" = [\"${tag}\"]
candidates = [\"ci-*\"]
";

/// CI, whose one job ends as the file `verdict` says.
const CI: &str = "\
name: CI
on: { push: { branches: ['**'] }, pull_request: {} }
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: test \"$(cat verdict)\" = green
";

/// Pushes an image of one file with nothing but curl: `bash push.sh TAG [CONTENT]`. Prints the status and what the registry says.
const PUSH: &str = r#"
repo=${REPO:-ghcr.io/octo/app} api=http://$LINECLEAR_REGISTRY/v2 auth="x:$TOKEN"
printf '{"architecture":"amd64","os":"linux","config":{"Labels":{"of":"%s"}},"rootfs":{"type":"layers","diff_ids":[]}}' "${2:-$(git rev-parse HEAD 2>/dev/null)}" > config.json
digest=sha256:$(sha256sum < config.json | cut -c1-64)
curl -sS -o /dev/null -u "$auth" -X POST -H 'content-type: application/octet-stream' --data-binary @config.json "$api/$repo/blobs/uploads/?digest=$digest"
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%s},"layers":[]}' "$digest" "$(wc -c < config.json)" > manifest.json
tag=$1
[ "$tag" = digest ] && tag=sha256:$(sha256sum < manifest.json | cut -c1-64)
echo "push of $tag: $(curl -sS -w ' %{http_code}' -u "$auth" -X PUT -H 'content-type: application/vnd.oci.image.manifest.v1+json' --data-binary @manifest.json "$api/$repo/manifests/$tag")"
rm config.json manifest.json
"#;

/// A job that runs `script` with the right to push packages.
fn job(on: &str, script: &str) -> String {
    let script = script.trim().lines().map(|line| format!("          {line}\n")).collect::<String>();
    format!(
        "name: Publish\non: {on}\npermissions: {{ contents: read, packages: write }}\njobs:\n  publish:\n    runs-on: ubuntu-latest\n    steps:\n      \
         - uses: actions/checkout@v4\n        with: {{ ref: '${{{{ github.event.workflow_run.head_sha || github.sha }}}}' }}\n      \
         - env: {{ TOKEN: '${{{{ github.token }}}}' }}\n        run: |\n{script}"
    )
}

const FOLLOW: &str = "{ workflow_run: { workflows: [CI], types: [completed] }, push: { tags: ['v*'] } }";

fn repository(name: &str, verdict: &str, publish: &str) -> Repository {
    let repository = Repository::new(name);
    repository.write(".github/workflows/ci.yml", CI);
    repository.write(".github/workflows/publish.yml", publish);
    repository.write("lineclear.toml", POLICY);
    repository.write("push.sh", PUSH);
    repository.write("verdict", verdict);
    repository.sh("git remote add origin https://example.org/octo/app.git");
    repository.commit("first");
    repository
}

fn head(repository: &Repository) -> String {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(repository.root()).output();
    String::from_utf8(output.expect("git runs").stdout).expect("a commit").trim().to_owned()
}

fn log(run: &Run) -> String {
    run.log("publish").join("\n")
}

fn notices(run: &Run) -> String {
    run.events("notice").filter_map(|event| event["message"].as_str()).collect::<Vec<_>>().join("\n")
}

/// The tags of a repository of the embedded registry, with what they stand for.
fn tags(repository: &Repository) -> String {
    let said = repository.say(&["registry", "list", "--format", "json"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    // What was uploaded and has no name is no release.
    let listed: serde_json::Value = serde_json::from_str(&said.stdout).expect("a list");
    listed["images"].to_string()
}

#[test]
fn a_stray_push_from_a_red_commit_finds_no_right_and_says_so() {
    let script = "bash push.sh latest || true\nbash push.sh ci-1\nbash push.sh digest";
    let repository = repository("permit-red", "red", &job(FOLLOW, script));
    let run = repository.run(&[]);
    let log = log(&run);
    assert!(log.contains("DENIED") && log.contains(" 403"), "{}", run.transcript());
    assert!(log.contains("ended: failure"), "a run that failed gives no right: {log}");
    assert!(log.contains("push of ci-1:  201"), "candidates are free: {log}");
    assert!(
        log.contains("push of sha256:") && log.matches(" 201").count() == 2,
        "by digest nothing is released: {log}"
    );
    assert!(notices(&run).contains("`latest` of ghcr.io/octo/app was not set"), "{}", notices(&run));
    let tags = tags(&repository);
    assert!(!tags.contains("latest") && tags.contains("ci-1"), "{tags}");
    let why = repository.say(&["why"]).stdout;
    assert!(why.contains("was not set"), "{why}");
}

#[test]
fn a_push_beside_ci_names_the_gate_and_what_is_missing() {
    // The stray workflow does not wait for CI.
    let repository = repository("permit-beside", "red", &job("push", "bash push.sh latest"));
    let run = repository.run(&["-W", ".github/workflows/publish.yml"]);
    let log = log(&run);
    let commit = &head(&repository)[..7];
    for expected in [
        "gate `main` is blocked",
        "CI / test",
        &format!("commit {commit} of refs/heads/main"),
        "lineclear gate",
        " 403",
    ] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
}

#[test]
fn a_publish_that_follows_a_green_ci_sets_its_tags_and_the_ledger_knows() {
    let script = "bash push.sh sha-$(git rev-parse --short=7 HEAD)\nbash push.sh latest\nbash push.sh other";
    let repository = repository("permit-green", "green", &job(FOLLOW, script));
    let run = repository.run(&[]);
    let log = log(&run);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert!(log.contains("push of latest:  201"), "{}", run.transcript());
    assert!(log.contains("the policy gives") && log.contains("`latest`"), "another tag is refused by its name: {log}");
    let (tags, commit) = (tags(&repository), head(&repository));
    assert!(
        tags.contains("latest") && tags.contains(&format!("sha-{}", &commit[..7])) && !tags.contains("other"),
        "{tags}"
    );
    let ledger = repository.home_files_with("\"phase\":\"done\"");
    assert_eq!(ledger.len(), 1, "the move is in the ledger");
}

#[test]
fn pull_requests_forks_and_forged_events_publish_nothing() {
    // S0-34: a workflow that lets everything through.
    let repository = repository(
        "permit-forged",
        "green",
        &job(
            "{ workflow_run: { workflows: [CI], types: [completed] }, pull_request: {}, push: { tags: ['v*'] } }",
            "bash push.sh latest",
        ),
    );
    let publish = repository.read(".github/workflows/publish.yml");
    repository.write(
        ".github/workflows/publish.yml",
        &publish.replace("with: { ref:", "with: { allow-unsafe-pr-checkout: true, ref:"),
    );
    repository.commit("whoever comes");
    let sha = head(&repository);
    let base = json!({ "full_name": "octo/app", "name": "app", "id": 1, "owner": { "login": "octo" }, "default_branch": "main" });
    let fork = json!({ "full_name": "evil/app", "name": "app", "id": 2, "fork": true });
    let payload = |name: &str, value: serde_json::Value| {
        let file = repository.beside(name);
        std::fs::write(&file, value.to_string()).expect("a file");
        file.to_str().expect("text").to_owned()
    };
    let request = |head: &serde_json::Value| {
        json!({
            "action": "opened", "number": 7, "repository": base,
            "pull_request": {
                "number": 7, "title": "t", "id": 70,
                "head": { "ref": "main", "sha": sha, "repo": head }, "base": { "ref": "main", "sha": sha, "repo": base },
            },
        })
    };
    let own = payload("own.json", request(&base));
    let run = repository.run(&["--event", "pull_request", "--payload", &own]);
    let all = notices(&run);
    assert_eq!(
        all.matches("publishes nothing").count(),
        2,
        "the job itself, and what follows its CI: {}",
        run.transcript()
    );
    let forks = payload("fork.json", request(&fork));
    let run = repository.run(&["--event", "pull_request", "--payload", &forks]);
    let all = notices(&run);
    assert!(all.contains("publishes nothing"), "{}", run.transcript());
    // A run that nobody has seen.
    let forged = payload(
        "forged.json",
        json!({
            "action": "completed", "repository": base,
            "workflow_run": {
                "id": 4711, "name": "CI", "conclusion": "success", "event": "push", "head_branch": "main", "head_sha": sha,
                "head_repository": base,
            },
        }),
    );
    let run = repository.run(&["--event", "workflow_run", "--payload", &forged]);
    assert!(
        log(&run).contains("run 4711, which the event claims to follow, is not known here"),
        "{}",
        run.transcript()
    );
    // A tag that is not there, at a commit that is.
    let run = repository.run(&["--event", "push", "--ref", "refs/tags/v9"]);
    assert!(log(&run).contains("is not that of `refs/tags/v9` here"), "{}", run.transcript());
    assert!(!tags(&repository).contains("latest"));
}

#[test]
fn what_is_not_the_commit_that_was_tested_is_not_published_for_it() {
    let script = "git checkout -q HEAD^\nbash push.sh latest x";
    let mut publish = job(FOLLOW, script);
    publish = publish.replace("with: { ref:", "with: { fetch-depth: 0, ref:");
    let repository = repository("permit-tree", "green", &publish);
    repository.write("app.txt", "of the second commit");
    repository.commit("second");
    let run = repository.run(&[]);
    assert!(log(&run).contains("the job has checked out"), "{}", run.transcript());
    // Changes that no commit has.
    repository.write(".github/workflows/publish.yml", &job(FOLLOW, "bash push.sh latest"));
    repository.commit("third");
    repository.write("more.txt", "not committed");
    let run = repository.run(&[]);
    let log = log(&run);
    assert!(log.contains(" 403") && !log.contains(" 201"), "{}", run.transcript());
    assert!(!tags(&repository).contains("latest"));
}

#[test]
fn a_checkout_whose_commit_cannot_be_read_is_not_taken_for_the_right_one() {
    let script =
        "git init -q beside\ngit -C beside remote add origin https://example.org/octo/app.git\nbash push.sh latest x";
    let repository = repository("permit-unborn", "green", &job(FOLLOW, script));
    let run = repository.run(&[]);
    let said = "the job has a repository of `octo/app` in `beside` whose commit cannot be read";
    assert!(log(&run).contains(said), "{}", run.transcript());
    assert!(!tags(&repository).contains("latest"));
}

#[test]
fn an_index_around_an_index_around_another_commits_image_sets_no_tag() {
    let repository = repository("permit-nested", "red", &job("push", "bash push.sh ci-red"));
    let red = repository.run(&[]);
    assert!(log(&red).contains("push of ci-red:  201"), "{}", red.transcript());
    let script = r#"
api=http://$LINECLEAR_REGISTRY/v2/ghcr.io/octo/app/manifests kind=application/vnd.oci.image type=manifest
cd "$RUNNER_TEMP"
curl -sS -u "x:$TOKEN" -H "accept: $kind.manifest.v1+json" $api/ci-red > part
for level in inner outer; do
  printf '{"schemaVersion":2,"mediaType":"%s.index.v1+json","manifests":[{"mediaType":"%s.%s.v1+json","digest":"sha256:%s","size":%s}]}' \
    $kind $kind $type $(sha256sum < part | cut -c1-64) $(wc -c < part) > whole
  mv whole part
  type=index name=latest
  if [ $level = inner ]; then name=sha256:$(sha256sum < part | cut -c1-64); fi
  echo "push of $level: $(curl -sS -w ' %{http_code}' -u "x:$TOKEN" -X PUT -H "content-type: $kind.index.v1+json" --data-binary @part $api/$name)"
done
"#;
    repository.write(".github/workflows/publish.yml", &job(FOLLOW, script));
    repository.write("verdict", "green");
    repository.commit("second");
    let run = repository.run(&[]);
    let log = log(&run);
    assert!(log.contains("push of inner:  201"), "{}", run.transcript());
    assert!(
        log.contains("it leads to sha256:") && log.contains("and gate `main` is not clear for that"),
        "{}",
        run.transcript()
    );
    assert!(!tags(&repository).contains("latest"));
}

#[test]
fn latest_never_moves_backwards_and_version_tags_stay() {
    // S0-38: the older build ends last.
    let repository = repository("permit-order", "green", &job(FOLLOW, "bash push.sh latest $(git rev-parse HEAD)"));
    let old = head(&repository);
    repository.commit("second");
    let run = repository.run(&[]);
    assert!(log(&run).contains("push of latest:  201"), "{}", run.transcript());
    let payload = json!({
        "ref": "refs/heads/main", "after": old, "before": "0".repeat(40), "head_commit": { "id": old, "message": "first" },
        "repository": { "full_name": "octo/app", "name": "app", "id": 1, "owner": { "login": "octo" }, "default_branch": "main" },
    });
    let file = repository.beside("old.json");
    std::fs::write(&file, payload.to_string()).expect("a file");
    let before = tags(&repository);
    let run = repository.run(&["--event", "push", "--payload", file.to_str().expect("text")]);
    assert!(
        log(&run).contains("was not set: it stands for") && log(&run).contains("which is newer"),
        "{}",
        run.transcript()
    );
    assert_eq!(tags(&repository), before);
    // A version is one image for ever.
    repository.write(".github/workflows/publish.yml", &job(FOLLOW, "bash push.sh v1.0.0 one\nbash push.sh v1.0.0 two"));
    repository.commit("third");
    assert_eq!(repository.run(&["--no-chain"]).exit, 0);
    repository.sh("git tag v1.0.0");
    let run = repository.run(&["--event", "tag"]);
    let log = log(&run);
    assert!(log.contains("push of v1.0.0:  201") && log.contains("it is immutable"), "{}", run.transcript());
}

#[test]
fn nobody_takes_anything_away_from_a_release_repository() {
    let delete = "bash push.sh latest\nfor what in manifests/latest manifests/$(curl -sSI -u \"x:$TOKEN\" \"http://$LINECLEAR_REGISTRY/v2/ghcr.io/octo/app/manifests/latest\" \
                  -H 'accept: */*' | tr -d '\\r' | awk 'tolower($1)==\"docker-content-digest:\"{print $2}'); do\n  \
                  curl -sS -w ' %{http_code}\\n' -X DELETE -u \"x:$TOKEN\" \"http://$LINECLEAR_REGISTRY/v2/ghcr.io/octo/app/$what\"\ndone";
    let repository = repository("permit-delete", "green", &job(FOLLOW, delete));
    let run = repository.run(&[]);
    let log = log(&run);
    assert_eq!(log.matches("DENIED").count(), 2, "{}", run.transcript());
    assert!(tags(&repository).contains("latest"));
}

#[test]
fn a_branch_that_drops_the_image_from_the_policy_publishes_nothing() {
    let repository = repository("permit-policy", "green", &job("push", "bash push.sh latest"));
    repository.sh("git checkout -q -b next");
    repository.write("lineclear.toml", "");
    repository.commit("without a policy");
    let run = repository.run(&["-W", ".github/workflows/publish.yml"]);
    assert!(log(&run).contains(" 403"), "{}", run.transcript());
    assert!(!tags(&repository).contains("latest"));
}

#[test]
fn while_the_default_branchs_policy_is_wrong_no_tag_is_set() {
    let script = "bash push.sh latest\nbash push.sh ci-1";
    let repository = repository("permit-wrong", "green", &job("push", script));
    repository.write("lineclear.toml", "[image.app]\nrepository = 3\n");
    repository.commit("wrong");
    repository.sh("git checkout -q -b mended");
    repository.write("lineclear.toml", POLICY);
    repository.commit("mended");
    let run = repository.run(&["-W", ".github/workflows/publish.yml"]);
    let log = log(&run);
    assert!(log.contains("`lineclear.toml` of `main` is wrong") && !log.contains(" 201"), "{}", run.transcript());
}

#[test]
fn a_token_of_a_job_that_has_ended_opens_nothing() {
    let repository = repository("permit-ended", "green", &job("push", "echo $TOKEN > \"$OUT\""));
    let out = repository.beside("token");
    repository.run(&["-W", ".github/workflows/publish.yml", "--env", &format!("OUT={}", out.display())]);
    repository.write(".github/workflows/publish.yml", &job(FOLLOW, "TOKEN=$(cat \"$OUT\") bash push.sh latest"));
    repository.commit("second");
    let run = repository.run(&["--env", &format!("OUT={}", out.display())]);
    assert!(log(&run).contains(" 401"), "{}", run.transcript());
}

#[test]
fn of_two_pushes_at_once_the_newer_commit_has_latest_whichever_ends_last() {
    // S0-38
    let repository = repository("permit-race", "green", &job(FOLLOW, "bash push.sh latest $(git rev-parse HEAD)"));
    let old = head(&repository);
    repository.commit("second");
    let payload = json!({
        "ref": "refs/heads/main", "after": old, "before": "0".repeat(40), "head_commit": { "id": old, "message": "first" },
        "repository": { "full_name": "octo/app", "name": "app", "id": 1, "owner": { "login": "octo" }, "default_branch": "main" },
    });
    let file = repository.beside("old.json");
    std::fs::write(&file, payload.to_string()).expect("a file");
    let start = |args: &[&str]| Started::new(repository.lineclear(&[&["run", "--format", "json"], args].concat()));
    let older = start(&["--event", "push", "--payload", file.to_str().expect("text")]);
    let newer = start(&[]);
    let (older, newer) = (Run::from(older.finish()), Run::from(newer.finish()));
    assert!(log(&newer).contains("push of latest:  201"), "{}", newer.transcript());
    let said = log(&older);
    assert!(said.contains("push of latest:  201") || said.contains("which is newer"), "{}", older.transcript());
    let shown = tags(&repository);
    let newest = repository.home_files_with(&format!("\"of\":\"{}\"", head(&repository)));
    assert!(!newest.is_empty() && shown.contains("latest"), "{shown}");
}

/// Whether a program is there: these tests need each of them.
fn needs(program: &str) {
    let found = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let alone =
        Command::new(program).arg("version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(found.is_ok() || alone.is_ok(), "the tests need `{program}`: install it");
}

#[test]
fn every_client_is_refused_and_shows_why() {
    ["skopeo", "oras", "podman", "docker"].iter().for_each(|program| needs(program));
    lineclear_testkit::images::ensure_engine();
    let script = r#"
set +e
echo hello > hello.txt
printf 'FROM scratch\nCOPY hello.txt /\n' > Dockerfile
docker build -q -t ghcr.io/octo/app:latest . > /dev/null
echo "$TOKEN" | docker login ghcr.io -u x --password-stdin > /dev/null 2>&1 || true
docker push ghcr.io/octo/app:latest > docker.txt 2>&1; echo "docker: $? $(tail -1 docker.txt)"
docker save ghcr.io/octo/app:latest -o image.tar
skopeo copy --dest-tls-verify=false --dest-creds "x:$TOKEN" docker-archive:image.tar "docker://$LINECLEAR_REGISTRY/ghcr.io/octo/app:latest" > skopeo.txt 2>&1; echo "skopeo: $? $(tail -1 skopeo.txt)"
oras push --plain-http -u x -p "$TOKEN" "$LINECLEAR_REGISTRY/ghcr.io/octo/app:latest" hello.txt > oras.txt 2>&1; echo "oras: $? $(tail -1 oras.txt)"
p=$(mktemp -d /tmp/p.XXXX); pod="podman --root $p/r --runroot $p/s --storage-driver vfs"
$pod load -q -i image.tar > /dev/null 2>&1
$pod push --tls-verify=false --creds "x:$TOKEN" ghcr.io/octo/app:latest "docker://$LINECLEAR_REGISTRY/ghcr.io/octo/app:latest" > podman.txt 2>&1; echo "podman: $? $(tail -1 podman.txt)"
rm -rf "$p"
"#;
    let repository = repository("permit-clients", "red", &job("push", script));
    let run = repository.run(&["-W", ".github/workflows/publish.yml"]);
    let log = log(&run);
    for client in ["docker", "skopeo", "oras", "podman"] {
        let line = log.lines().find(|line| line.starts_with(&format!("{client}: "))).unwrap_or_default();
        assert!(
            !line.starts_with(&format!("{client}: 0")) && line.contains("gate `main` is blocked"),
            "{client}: {line}\n{}",
            run.transcript()
        );
    }
    assert!(!tags(&repository).contains("latest"));
}

#[test]
fn a_publish_job_as_teams_have_it_runs_unchanged() {
    lineclear_testkit::images::ensure_engine();
    let publish = "\
name: Publish
on:
  workflow_run: { workflows: [CI], types: [completed], branches: [main] }
  push: { tags: ['v*'] }
permissions: { contents: read, packages: write }
jobs:
  publish:
    if: github.event_name == 'push' || github.event.workflow_run.conclusion == 'success'
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: { ref: '${{ github.event.workflow_run.head_sha || github.sha }}' }
      - uses: docker/setup-buildx-action@v3
      - uses: docker/login-action@v3
        with: { registry: ghcr.io, username: '${{ github.actor }}', password: '${{ github.token }}' }
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: ghcr.io/${{ github.repository_owner }}/app
          tags: |
            type=raw,value=latest,enable=${{ github.event_name != 'push' }}
            type=ref,event=tag
          flavor: latest=false
      - id: push
        uses: docker/build-push-action@v6
        with: { context: ., push: true, tags: '${{ steps.meta.outputs.tags }}', provenance: false }
      - run: echo \"pushed ${{ steps.push.outputs.digest }}\"
";
    let repository = repository("permit-teams", "green", publish);
    repository.write("Dockerfile", "FROM scratch\nCOPY verdict /\n");
    repository.commit("an image");
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert!(log(&run).contains("pushed sha256:"), "{}", run.transcript());
    assert!(tags(&repository).contains("latest"));
    // S0-35
    repository.sh("git tag v1.2.3");
    let run = repository.run(&["--event", "tag"]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert!(tags(&repository).contains("v1.2.3"));
    // The next commit is red: its publish is skipped, and with another `if:` it would be refused.
    repository.write("verdict", "red");
    repository.write(
        ".github/workflows/publish.yml",
        &publish.replace("github.event.workflow_run.conclusion == 'success'", "true"),
    );
    repository.commit("red");
    let before = tags(&repository);
    let run = repository.run(&[]);
    assert_eq!(run.conclusion("publish"), "failure", "{}", run.transcript());
    assert!(notices(&run).contains("was not set"), "{}", notices(&run));
    assert_eq!(tags(&repository).matches("latest").count(), before.matches("latest").count());
}
