//! `lineclear policy`, `status` and `init`.

use std::process::Command;

use lineclear_testkit::{Repository, Said};

const CI: &str = "\
name: CI
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
concurrency:
  group: ci-${{ github.ref }}
jobs:
  quality: { runs-on: ubuntu-latest, timeout-minutes: 5, steps: [{ run: 'true' }] }
  smoke-e2e: { runs-on: ubuntu-latest, timeout-minutes: 5, steps: [{ run: 'true' }] }
  docker-build-check: { runs-on: ubuntu-latest, timeout-minutes: 5, steps: [{ run: 'true' }] }
";

fn with_policy(name: &str, policy: &str) -> Repository {
    let repository = Repository::with(name, CI);
    repository.write("lineclear.toml", policy);
    repository.commit("policy");
    repository
}

fn all(said: &Said) -> String {
    format!("{}{}", said.stdout, said.stderr)
}

fn json(said: &Said) -> serde_json::Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}\n{}\n{}", said.stdout, said.stderr))
}

// S0-3
#[test]
fn s0_3_balanced_asks_for_exactly_quality_smoke_and_docker_build() {
    let repository = with_policy("policy-balanced", "preset = 'balanced'\n");
    let said = repository.say(&["policy", "explain", "main"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let asked: Vec<&str> = said.stdout.lines().filter(|line| line.starts_with("  - ")).collect();
    assert_eq!(
        asked,
        [
            "  - the check `CI / quality` has succeeded",
            "  - the check `CI / smoke-e2e` has succeeded",
            "  - the check `CI / docker-build-check` has succeeded"
        ]
    );
    for gone in ["quality", "smoke-e2e", "docker-build-check"] {
        repository
            .write(".github/workflows/w.yml", &CI.replace(&format!("  {gone}:"), &format!("  other-{}:", &gone[..1])));
        let said = repository.say(&["check"]);
        assert!(said.exit == 1 && all(&said).contains("preset-without-check"), "{gone}: {}", all(&said));
    }
}

// S0-6, S0-57, S0-58, S0-59
#[test]
fn s0_6_status_says_publish_only_where_nothing_is_deployed() {
    let repository =
        with_policy("policy-status", "preset = 'balanced'\n[image.app]\nrepository = 'ghcr.io/${owner}/app'\n");
    let said = repository.say(&["status"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(
        said.stdout.starts_with("publish only: no environments are configured, nothing is deployed\n"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("blocked") && said.stdout.contains("main: "), "{}", said.stdout);
    let status = json(&repository.say(&["status", "--format", "json"]));
    assert_eq!(status["mode"], "publish_only");
    assert_eq!(status["gates"][0]["gate"], "main");
    assert_eq!(status["gates"][0]["clear"], false);
    assert_eq!(status["images"][0]["gate"], "main");
    let off = status["off"].to_string();
    for what in ["deployment", "rollback", "signatures", "attestations"] {
        assert!(off.contains(what), "{off}");
    }
}

// S0-18, S0-59
#[test]
fn s0_18_what_blocks_is_changed_by_the_policy_alone() {
    let supplementary = "[gate.main]\nrequire = ['CI / quality']\nsupplementary = ['CI / smoke-e2e']\n";
    let repository = with_policy("policy-flip", supplementary);
    let said = repository.say(&["policy", "explain"]);
    assert!(said.stdout.contains("never blocking: `CI / smoke-e2e`"), "{}", said.stdout);
    repository.write("lineclear.toml", "[gate.main]\nrequire = ['CI / quality', 'CI / smoke-e2e']\nsignature = true\n");
    let said = repository.say(&["policy", "explain"]);
    assert!(said.stdout.contains("the check `CI / smoke-e2e` has succeeded"), "{}", said.stdout);
    assert!(said.stdout.contains("signed by a key that counts"), "{}", said.stdout);
}

#[test]
fn a_budget_is_said_to_be_of_the_source_and_of_the_image_each() {
    let gate = "[gate.main]\nrequire = ['CI / quality']\nscan = { block = ['critical'], budget = 1 }\n";
    let said = with_policy("policy-budget", gate).say(&["policy", "explain", "main"]);
    let asked = "scanners know of at most 1 critical vulnerabilities in the source, and of at most 1 in the image";
    assert!(said.stdout.contains(asked), "{}", said.stdout);
}

#[test]
fn the_formats_in_which_an_image_is_listed_are_explained() {
    let image =
        "[gate.main]\nrequire = ['CI / quality']\n[image.app]\nrepository = 'ghcr.io/octo/app'\ngate = 'main'\n";
    let repository = with_policy("policy-sbom", &format!("{image}sbom = ['spdx', 'cyclonedx']\n"));
    let said = repository.say(&["policy", "explain"]);
    assert!(said.stdout.contains("its contents are listed as SPDX and CycloneDX"), "{}", said.stdout);
}

#[test]
fn a_gate_that_there_is_not_is_said_with_a_near_one() {
    let repository = with_policy("policy-near", "[gate.main]\nrequire = ['CI / quality']\n");
    let said = repository.say(&["policy", "explain", "mian"]);
    assert!(said.exit == 2 && said.stderr.contains("did you mean `main`?"), "{}", said.stderr);
}

#[test]
fn the_schema_takes_what_the_manual_shows_and_no_other_key() {
    let repository = with_policy("policy-schema", "");
    let schema = repository.say(&["policy", "schema"]);
    assert_eq!(schema.exit, 0);
    repository.write("schema.json", &schema.stdout);
    repository.write("manual.md", include_str!("../../../../docs/policy.md"));
    repository.write(
        "validate.py",
        "import json, re, tomllib, jsonschema
schema = json.load(open('schema.json'))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
plain = lambda text: json.loads(json.dumps(tomllib.loads(text), default=str))
examples = re.findall(r'```toml\\n(.*?)```', open('manual.md').read(), re.S)
assert len(examples) >= 9, len(examples)
for example in examples:
    faults = [fault.message for fault in validator.iter_errors(plain(example))]
    assert not faults, (example, faults)
for wrong in ['gates = 1', \"preset = 'loose'\", '[gate.main]\\nrequre = []', '[image.a]\\ngate = \"main\"', '[scan]\\nignores = []',
              '[[scan.ignore]]\\nid = \"a\"', '[environment.a.deploy]\\nkind = \"ftp\"', '[gate.a]\\nfresh-for = \"7 days\"']:
    assert not validator.is_valid(plain(wrong)), wrong
",
    );
    repository.sh("python3 validate.py");
}

/// What `init` writes is found right, is planned as it says, and runs.
fn begin_and_run(repository: &Repository, job: &str) {
    repository.commit("code");
    let dry = repository.say(&["init", "--dry-run"]);
    assert_eq!(dry.exit, 0, "{}", dry.stderr);
    assert!(dry.stdout.contains("+name: CI") && dry.stdout.contains("+preset = \"publish-only\""), "{}", dry.stdout);
    assert!(!repository.root().join("lineclear.toml").exists(), "--dry-run wrote");
    let said = repository.say(&["init"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let check = repository.say(&["check", "--deny", "info"]);
    assert_eq!(check.exit, 0, "{}", all(&check));
    repository.commit("begin");
    let (code, plan, errors) = repository.plan(&[]);
    assert_eq!(code, 0, "{errors}");
    assert!(plan.to_string().contains(job), "{plan}");
    let run = repository.run(&[]);
    assert_eq!(run.conclusion(job), "success", "{}", run.transcript());
    let explained = repository.say(&["policy", "explain", "main"]);
    assert!(explained.stdout.contains(&format!("`CI / {job}`")), "{}", explained.stdout);
    // S0-57, S0-58, S0-59: what ran is enough, and nothing is deployed, rolled back or signed.
    let gate = repository.say(&["gate"]);
    assert_eq!(gate.exit, 0, "{}", all(&gate));
    let status = repository.say(&["status"]);
    assert!(status.exit == 0 && status.stdout.contains("publish"), "{}", all(&status));
}

#[test]
fn init_begins_a_python_repository() {
    let repository = Repository::new("init-python");
    repository.write("pyproject.toml", "[project]\nname = 'counter'\nversion = '1'\n");
    repository.write("counter.py", "def next_of(number):\n    return number + 1\n");
    repository.write(
        "tests/test_counter.py",
        "import unittest\n\nimport counter\n\n\nclass Counts(unittest.TestCase):\n    def test_next(self):\n        self.assertEqual(counter.next_of(1), 2)\n",
    );
    begin_and_run(&repository, "python-quality");
}

#[test]
fn init_begins_a_node_repository() {
    let repository = Repository::new("init-node");
    repository.write(
        "package.json",
        "{ \"name\": \"counter\", \"version\": \"1.0.0\", \"scripts\": { \"test\": \"node --test\" } }\n",
    );
    repository
        .write("counter.test.js", "require('node:test')('counts', () => require('node:assert').equal(1 + 1, 2));\n");
    begin_and_run(&repository, "node-quality");
}

#[test]
fn init_overwrites_nothing_unless_it_is_forced() {
    let repository = Repository::new("init-force");
    repository.write("go.mod", "module example.org/counter\n\ngo 1.21\n");
    repository.write("lineclear.toml", "# mine\n");
    repository.commit("code");
    let said = repository.say(&["init"]);
    assert!(
        said.exit == 0 && said.stdout.contains("lineclear.toml is there and stays as it is"),
        "{}{}",
        said.stdout,
        said.stderr
    );
    assert_eq!(repository.read("lineclear.toml"), "# mine\n");
    assert!(repository.read(".github/workflows/ci.yml").contains("go-quality"));
    let said = repository.say(&["init", "--force", "--only", "policy"]);
    assert!(said.exit == 0 && said.stdout.contains("-# mine"), "{}{}", said.stdout, said.stderr);
    assert!(repository.read("lineclear.toml").contains("preset = \"publish-only\""));
}

#[test]
fn init_writes_for_containers_what_check_finds_right() {
    let repository = Repository::new("init-containers");
    repository.write("requirements.txt", "");
    repository.write("app.py", "print('up')\n");
    repository.write("Dockerfile", "FROM scratch\nCOPY app.py /\n");
    repository.write("compose.yml", "services:\n  app:\n    build: .\n");
    repository.commit("code");
    let said = repository.say(&["init"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(said.stdout.contains("The preset is `balanced`"), "{}", said.stdout);
    let check = repository.say(&["check", "--deny", "warning", ".github", "lineclear.toml"]);
    assert_eq!(check.exit, 0, "{}", all(&check));
    let explained = repository.say(&["policy", "explain"]);
    assert!(
        explained.stdout.contains("`CI / docker-build-check`") && explained.stdout.contains("`CI / smoke-e2e`"),
        "{}{}",
        explained.stdout,
        explained.stderr
    );
}

#[test]
fn init_leaves_code_of_another_language_to_the_workflow_that_tests_it() {
    let repository = Repository::with("init-other-language", CI);
    let said = repository.say(&["init", "--dry-run"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(said.stdout.contains("the workflows that are there say what is tested"), "{}", said.stdout);
}

#[test]
fn init_says_what_a_preset_lacks() {
    let repository = Repository::new("init-lacks");
    repository.write("Cargo.toml", "[package]\nname = 'a'\n");
    let said = repository.say(&["init", "--preset", "balanced"]);
    assert!(said.exit == 2 && said.stderr.contains("`--preset publish-only`"), "{}", said.stderr);
}

/// What is published under `strict` has to be proven first: what `init` writes pushes no name that a gate would refuse.
#[test]
fn init_writes_for_strict_what_pushes_candidates_and_changes_its_own_workflow_with_the_preset() {
    let repository = Repository::new("init-strict");
    repository.write("requirements.txt", "");
    repository.write("app.py", "print('up')\n");
    repository.write("Dockerfile", "FROM scratch\nCOPY app.py /\n");
    repository.write("compose.yml", "services:\n  app:\n    build: .\n");
    repository.commit("code");
    assert_eq!(repository.say(&["init"]).exit, 0);
    let publish = ".github/workflows/publish.yml";
    assert!(repository.read(publish).contains("TAG=sha-"), "{}", repository.read(publish));
    let said = repository.say(&["init", "--preset", "strict"]);
    assert!(said.stdout.contains("publish.yml is there and stays as it is"), "{}", all(&said));
    let said = repository.say(&["init", "--preset", "strict", "--force"]);
    assert!(said.exit == 0 && said.stdout.contains("lineclear image scan"), "{}", all(&said));
    let (workflow, policy) = (repository.read(publish), repository.read("lineclear.toml"));
    assert!(workflow.contains("TAG=build-") && !workflow.contains("TAG=sha-"), "{workflow}");
    assert!(policy.contains("candidates = [\"build-*\"]"), "{policy}");
    let check = repository.say(&["check", "--deny", "warning", ".github", "lineclear.toml"]);
    assert_eq!(check.exit, 0, "{}", all(&check));
    // What somebody changed is theirs.
    repository.write(publish, &format!("{workflow}# ours\n"));
    assert_eq!(repository.say(&["init", "--preset", "balanced", "--force"]).exit, 0);
    assert!(repository.read(publish).ends_with("# ours\n"));
}

/// What jobs of a test left in the engine, by a word of their names; it goes with the test.
struct Images(&'static str);

impl Drop for Images {
    fn drop(&mut self) {
        let listed = Command::new("docker").args(["images", "--format", "{{.Repository}}:{{.Tag}}"]).output();
        let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        for name in listed.lines().filter(|name| name.contains(self.0)) {
            let _ = Command::new("docker").args(["image", "rm", "--force", name]).output();
        }
    }
}

/// S0-3, S0-59: `balanced` and `strict` from the first file to the published image, with what `init` writes and what gates say is missing.
#[test]
fn what_init_writes_runs_and_is_clear_and_published_under_balanced_and_strict() {
    let _images = Images("init-whole-backend");
    let repository = Repository::new("init-whole");
    repository.write("init-whole-backend/requirements.txt", "");
    repository.write("init-whole-backend/app.py", "print('up')\n");
    repository
        .write("init-whole-backend/node_modules/left/package.json", "{ \"name\": \"left\", \"version\": \"1.0.0\" }");
    repository.write(
        "init-whole-backend/Dockerfile",
        "FROM scratch\nCOPY busybox /bin/busybox\nCOPY node_modules /srv/node_modules\nUSER 1000\n\
         HEALTHCHECK --interval=1s CMD [\"/bin/busybox\", \"true\"]\nCMD [\"/bin/busybox\", \"sleep\", \"600\"]\n",
    );
    repository.write("compose.yml", "services:\n  init-whole-backend:\n    build: init-whole-backend\n");
    std::fs::copy("/bin/busybox", repository.root().join("init-whole-backend/busybox"))
        .expect("busybox is here: `busybox-static`");
    repository.commit("code");
    let done = |args: &[&str]| {
        let said = repository.say(args);
        assert_eq!(said.exit, 0, "{args:?}: {}", all(&said));
        said
    };
    assert!(done(&["init"]).stdout.contains("The preset is `balanced`"));
    repository.commit("balanced");
    done(&["check", "--deny", "warning", ".github", "lineclear.toml"]);
    done(&["run"]);
    done(&["gate"]);
    let said = done(&["publish"]);
    assert!(said.stdout.contains("  latest  "), "{}", all(&said));

    done(&["init", "--preset", "strict", "--force"]);
    done(&["key", "generate", "release"]);
    repository.write("keys/release.pub", &done(&["key", "public", "release"]).stdout);
    let policy = repository.read("lineclear.toml");
    repository.write("lineclear.toml", &policy.replace("# [signing]", "[signing]").replace("# key", "key"));
    repository.commit("strict");
    done(&["check", "--deny", "warning", ".github", "lineclear.toml"]);
    done(&["run"]);
    done(&["gate"]);
    let refused = repository.say(&["publish"]);
    assert_eq!(refused.exit, 1, "{}", all(&refused));
    // What is missing is named with the command that supplies it.
    let command = refused.stdout.lines().find_map(|line| line.trim().strip_prefix("lineclear image scan "));
    let digest = command.unwrap_or_else(|| panic!("no scan is asked for: {}", all(&refused))).to_owned();
    let record = "{\"id\":\"GHSA-1\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"right\"},\"versions\":[\"1.0.0\"]}]}";
    let records = repository.beside("records.json");
    std::fs::write(&records, record).expect("a file");
    done(&["vulnerabilities", "import", &records.to_string_lossy()]);
    let scanned = done(&["image", "scan", &digest]);
    assert!(scanned.stdout.contains("1 package looked up: nothing found"), "{}", all(&scanned));
    let published = done(&["publish"]);
    for said in ["signed with", "a provenance was attached", "  latest  "] {
        assert!(published.stdout.contains(said), "{said}: {}", all(&published));
    }
    done(&["gate", &digest]);
}
