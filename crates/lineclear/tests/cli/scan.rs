//! `lineclear vulnerabilities`, `image scan` and `security`, offline, against records and images of the tests' own.

use std::process::Command;

use lineclear_testkit::images::{docker, registry};
use lineclear_testkit::{Repository, Said, say};
use serde_json::Value;

const RECORDS: &str = r#"{"id":"GHSA-jf85-cpcp-j695","modified":"2026-01-02T00:00:00Z","aliases":["CVE-2019-10744"],"summary":"Prototype Pollution","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.12"}]}]}],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H"}]}
{"id":"GHSA-29mw-wpgm-hmr9","modified":"2026-01-03T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.21"}]}]}],"database_specific":{"severity":"MODERATE"}}
"#;

/// A name in the engine that goes with its test.
struct Name(String);

impl Drop for Name {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "-f", &self.0]).output();
    }
}

/// A repository with records imported, and a folder with one vulnerable package.
fn repository(name: &str) -> Repository {
    let repository = Repository::new(name);
    repository.write("app/node_modules/lodash/package.json", r#"{"name":"lodash","version":"4.17.4"}"#);
    repository.write("records.jsonl", RECORDS);
    repository.commit("first");
    let said = say(repository.lineclear(&["vulnerabilities", "import", "records.jsonl"]));
    assert_eq!(
        (said.exit, said.stdout.as_str()),
        (0, "2 records, 2 advisories for packages of npm\n"),
        "{}",
        said.stderr
    );
    repository
}

#[test]
fn what_is_known_is_said_for_programs_as_everywhere() {
    let repository = Repository::new("scan-status");
    repository.write("one.jsonl", RECORDS.lines().next().expect("there is one"));
    let said = say(repository.lineclear(&["vulnerabilities", "import", "one.jsonl"]));
    assert_eq!((said.exit, said.stdout.as_str()), (0, "1 record, 1 advisory for packages of npm\n"), "{}", said.stderr);
    let said = say(repository.lineclear(&["vulnerabilities", "status", "--format", "json"]));
    let known: Value = serde_json::from_str(&said.stdout).expect("JSON");
    assert_eq!(known["ecosystems"][0]["ecosystem"], "npm");
    let before = say(repository.lineclear(&["vulnerabilities", "status", "--json"]));
    assert_eq!((before.exit, before.stdout), (0, said.stdout));
    assert!(!say(repository.lineclear(&["vulnerabilities", "status", "--help"])).stdout.contains("--json"));
}

fn scan(repository: &Repository, args: &[&str]) -> Said {
    say(repository.lineclear(&[&["image", "scan"], args].concat()))
}

/// S0-42: the same scan shows, or blocks, by one setting; S1-63: up to a budget.
#[test]
fn a_scan_shows_or_blocks_by_one_setting_and_up_to_a_budget() {
    let repository = repository("scan-modes");
    let said = scan(&repository, &["app"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(said.stdout.contains("CVE-2019-10744") && said.stdout.contains("1 critical, 1 medium"), "{}", said.stdout);
    let said = scan(&repository, &["app", "--fail-on", "critical,high"]);
    assert_eq!(said.exit, 1);
    assert!(said.stderr.contains("1 finding of severity critical or high, and none is accepted"), "{}", said.stderr);
    assert_eq!(scan(&repository, &["app", "--fail-on", "critical,medium", "--budget", "2"]).exit, 0);
    assert_eq!(scan(&repository, &["app", "--fail-on", "critical,medium", "--budget", "1"]).exit, 1);
    repository.write("lineclear.toml", "[scan]\nblock = ['critical']\n");
    assert_eq!(scan(&repository, &["app"]).exit, 1);
}

/// Ignores end on their day, and say so.
#[test]
fn an_ignore_has_an_owner_and_an_end() {
    let repository = repository("scan-ignores");
    let ignore = |until: &str| {
        format!(
            "[scan]\nblock = ['critical']\n[[scan.ignore]]\nid = 'CVE-2019-10744'\nreason = 'not called'\nowner = 'ann'\nuntil = {until}\n"
        )
    };
    repository.write("lineclear.toml", &ignore("2999-12-31"));
    let said = scan(&repository, &["app"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(
        said.stdout.contains("ignored: CVE-2019-10744 in lodash: not called (ann, until 2999-12-31)"),
        "{}",
        said.stdout
    );
    repository.write("lineclear.toml", &ignore("2020-12-31"));
    let said = scan(&repository, &["app"]);
    assert_eq!(said.exit, 1);
    assert!(said.stderr.contains("the ignore of CVE-2019-10744 by ann ended on 2020-12-31"), "{}", said.stderr);
}

/// Nothing is imported, or not of this ecosystem: nobody knows, and that is no clean result.
#[test]
fn what_nobody_imported_is_not_clean() {
    let empty = Repository::new("scan-nothing");
    empty.write("app/node_modules/lodash/package.json", r#"{"name":"lodash","version":"4.17.4"}"#);
    let said = scan(&empty, &["app"]);
    assert_eq!(said.exit, 2);
    assert!(said.stderr.contains("`lineclear vulnerabilities import FILE…`"), "{}", said.stderr);
    empty.write(
        "records.json",
        r#"{"id":"X","affected":[{"package":{"ecosystem":"PyPI","name":"a"},"versions":["1"]}]}"#,
    );
    assert_eq!(say(empty.lineclear(&["vulnerabilities", "import", "records.json"])).exit, 0);
    let said = scan(&empty, &["app", "--fail-on", "critical"]);
    assert_eq!(said.exit, 1);
    assert!(said.stderr.contains("1 package of `npm`, of which nothing is imported"), "{}", said.stderr);
}

/// S1-54: a list of tags is refused with what to do.
#[test]
fn several_names_at_once_are_refused() {
    let repository = repository("scan-several");
    let said = scan(&repository, &["example.org/app:1\nexample.org/app:latest"]);
    assert_eq!(said.exit, 2);
    assert!(said.stderr.contains("one scan is of one image: give its digest"), "{}", said.stderr);
}

/// S1-52, S1-75, S1-53: by digest, into the ledger, and into the one list.
#[test]
fn an_image_is_scanned_by_digest_and_its_findings_are_in_the_list() {
    let repository = repository("scan-image");
    let registry = registry();
    let name = Name(format!("{}/team/app:1", registry.address()));
    repository.write("Dockerfile", "FROM scratch\nCOPY app /srv/app\n");
    docker(&["build", "--quiet", "--tag", &name.0, &repository.root().to_string_lossy()]);
    docker(&["push", "--quiet", &name.0]);
    let said = scan(&repository, &[&name.0, "--format", "sarif", "--output", "app.sarif"]);
    assert_eq!(said.exit, 0, "{}", said.stderr);
    assert!(said.stdout.contains("knows it of 1 digest"), "{}", said.stdout);
    let said = say(repository.lineclear(&["security", "--format", "json"]));
    assert_eq!(said.exit, 0, "{}", said.stderr);
    let list: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let first = &list["findings"][0];
    assert_eq!(
        (&first["id"], &first["severity"], &first["fixed"]),
        (&"CVE-2019-10744".into(), &"critical".into(), &"4.17.12".into())
    );
    let digest = say(repository.lineclear(&["image", "digest", &name.0])).stdout;
    assert!(digest.contains(first["since"].as_str().expect("a digest")), "{digest}");
    let said = say(repository.lineclear(&["security", "--severity", "medium"]));
    assert!(said.stdout.contains("GHSA-29mw-wpgm-hmr9") && !said.stdout.contains("CVE-2019"), "{}", said.stdout);
}

/// Files without a list of packages are no clean image, unless somebody takes responsibility for it.
#[test]
fn an_image_without_a_list_of_packages_was_not_scanned() {
    let repository = repository("scan-nothing");
    let registry = registry();
    let at = format!("{}/team/nothing", registry.address());
    let name = Name(format!("{at}:1"));
    repository.write("Dockerfile", "FROM scratch\nCOPY records.jsonl /srv/\n");
    docker(&["build", "--quiet", "--tag", &name.0, &repository.root().to_string_lossy()]);
    docker(&["push", "--quiet", &name.0]);
    let said = scan(&repository, &[&name.0, "--fail-on", "critical"]);
    assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
    assert!(said.stderr.contains("the image cannot be scanned: nothing in it tells which packages"), "{}", said.stderr);
    repository.write("lineclear.toml", "[gate.main]\nscan = { block = ['critical'] }\n");
    let digest = say(repository.lineclear(&["image", "digest", &name.0])).stdout;
    let digest = digest.trim().split_once('@').map_or(digest.trim(), |(_, digest)| digest);
    let passes = |digest: &str| {
        let said = say(repository.lineclear(&["gate", digest])).stdout;
        said.lines().any(|line| line.trim().starts_with("✓ no critical findings in the image"))
    };
    assert!(!passes(digest), "a scan with a gap is none");
    let ignore = format!(
        "\n[[scan.ignore]]\nid = 'no-packages'\npackage = '{at}'\nreason = 'data'\nowner = 'ann'\nuntil = 2999-12-31\n"
    );
    repository.write("lineclear.toml", &format!("[gate.main]\nscan = {{ block = ['critical'] }}\n{ignore}"));
    let said = scan(&repository, &[&name.0]);
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    assert!(
        said.stdout.contains("ignored: no-packages in ") && said.stdout.contains("(ann, until 2999-12-31)"),
        "{}",
        said.stdout
    );
    assert!(passes(digest), "somebody took responsibility");
}

/// A repository whose job scans a folder when it is told to, with records imported.
const OPTIONAL: &str = "\
name: CI
on: push
permissions: { contents: read, security-events: write }
jobs:
  scan:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - if: ${{ vars.SCAN == 'true' }}
        uses: aquasecurity/trivy-action@0.28.0
        with: { scan-type: fs, scan-ref: app, format: sarif, output: trivy.sarif }
      - if: ${{ always() && vars.SCAN == 'true' }}
        uses: github/codeql-action/upload-sarif@v3
        with: { sarif_file: trivy.sarif, category: trivy }
";

/// S2-27: a scan that is optional, with its findings uploaded.
#[test]
fn an_optional_scan_is_switched_by_a_variable_and_its_sarif_uploaded() {
    let repository = repository("scan-optional");
    repository.write(".github/workflows/ci.yml", OPTIONAL);
    repository.commit("scan");
    let off = repository.run(&["--offline"]);
    assert_eq!(off.conclusion("scan"), "success", "{}", off.transcript());
    let said = say(repository.lineclear(&["security", "--format", "json"]));
    assert!(!said.stdout.contains("CVE-2019-10744"), "{}", said.stdout);
    let on = repository.run(&["--var", "SCAN=true"]);
    assert_eq!(on.conclusion("scan"), "success", "{}", on.transcript());
    let said = say(repository.lineclear(&["security", "--format", "json"]));
    assert!(said.stdout.contains("CVE-2019-10744") && said.stdout.contains("\"critical\""), "{}", said.stdout);
}

const PIP_AUDIT: &str = r#"{"dependencies": [{"name": "Zope.Interface", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}], "fixes": []}"#;
const OF_PIP_AUDIT: &str = r#"{"id":"PYSEC-1","aliases":["CVE-1"],"affected":[{"package":{"ecosystem":"PyPI","name":"zope-interface"},"versions":["1"]}]}
{"id":"GHSA-1","aliases":["CVE-1"],"database_specific":{"severity":"HIGH"},"affected":[{"package":{"ecosystem":"PyPI","name":"zope-interface"},"versions":["1"]}]}
"#;

/// What a scanner only leaves in the workspace is evidence; what it does not say of severities is looked up, and the policy says what counts.
#[test]
fn a_report_that_was_only_left_behind_blocks_as_the_policy_says_of_its_severities() {
    let repository = Repository::with(
        "scan-left",
        "name: CI\non: push\njobs:\n  audit:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: cp written.txt pip-audit.json; exit 1\n        continue-on-error: true\n",
    );
    repository.write("written.txt", PIP_AUDIT);
    let gate = |block: &str| {
        repository.write("lineclear.toml", &format!("[gate.main]\nscan = {{ block = [{block}] }}\n"));
        repository.commit("policy");
        let run = repository.run(&[]);
        assert_eq!(run.conclusion("audit"), "success", "{}", run.transcript());
        say(repository.lineclear(&["gate", "--explain"]))
    };
    let said = gate("'critical', 'high'");
    assert_eq!(said.exit, 0, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("1 unknown"), "{}", said.stdout);
    let said = gate("'critical', 'unknown'");
    assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("PYSEC-1 (unknown) in Zope.Interface"), "{}", said.stdout);
    repository.write("records.jsonl", OF_PIP_AUDIT);
    assert_eq!(say(repository.lineclear(&["vulnerabilities", "import", "records.jsonl"])).exit, 0);
    let said = gate("'critical', 'high'");
    assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("PYSEC-1 (high) in Zope.Interface 1, mended in 2"), "{}", said.stdout);
}

const SCANNER: &str = r#"
import json, pathlib, tomllib
excluded = tomllib.loads(pathlib.Path('pyproject.toml').read_text())['tool']['bandit']['exclude_dirs']
issue = lambda path: {'test_id': 'B602', 'filename': './' + str(path), 'line_number': 1, 'issue_severity': 'HIGH', 'issue_text': 'shell'}
looked = [path for path in sorted(pathlib.Path('.').rglob('*.py')) if str(path.parent) not in excluded]
found = [issue(path) for path in looked if 'shell=True' in path.read_text()]
metrics = {'./' + str(path): {'loc': 1} for path in looked} | {'_totals': {'SEVERITY.HIGH': len(found)}}
report = {'errors': [], 'metrics': metrics, 'results': found}
pathlib.Path('bandit.json').write_text(json.dumps(report))
"#;

/// S1-74: a scanner runs in the checked-out tree, so that what its configuration there leaves out is in no report.
#[test]
fn exclusions_of_the_checkout_are_respected_by_the_scanner() {
    let repository = Repository::with(
        "scan-excludes",
        "name: CI\non: push\njobs:\n  bandit:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: python3 tools/scanner.txt\n",
    );
    repository.write("tools/scanner.txt", SCANNER);
    repository.write("app/run.py", "run(shell=True)\n");
    repository.write("tests/run.py", "run(shell=True)\n");
    repository.write("library/a.py", "a = 1\n");
    let found = |excluded: &str| {
        repository.write("pyproject.toml", &format!("[tool.bandit]\nexclude_dirs = [{excluded}]\n"));
        repository.commit("configuration");
        let run = repository.run(&[]);
        assert_eq!(run.conclusion("bandit"), "success", "{}", run.transcript());
        let said = say(repository.lineclear(&["security", "--format", "json"]));
        let list: Value = serde_json::from_str(&said.stdout).expect("JSON");
        let places = list["findings"].as_array().expect("a list").iter().map(|one| one["place"].to_string());
        places.collect::<Vec<_>>()
    };
    assert_eq!(found("'tests'"), ["\"app/run.py:1\""]);
    assert_eq!(found("'tests', 'app'"), [""; 0]);
    // Who leaves everything out has not scanned: what was open still is, as far as anybody knows.
    assert_eq!(found("'tests'"), ["\"app/run.py:1\""]);
    assert_eq!(found("'tests', 'app', 'library'"), ["\"app/run.py:1\""]);
}

/// What a preset asks of scans counts for a scan by hand, too.
#[test]
fn a_scan_goes_by_what_the_preset_blocks() {
    let repository = repository("scan-preset");
    repository.write(
        ".github/workflows/ci.yml",
        "name: CI\non: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps: [{ run: 'true' }]\n",
    );
    repository.write("lineclear.toml", "preset = 'publish-only'\n");
    assert_eq!(scan(&repository, &["app"]).exit, 0);
    repository.write("lineclear.toml", "preset = 'strict'\n");
    let said = scan(&repository, &["app"]);
    assert_eq!(said.exit, 1, "{}{}", said.stdout, said.stderr);
    assert!(said.stderr.contains("1 finding of severity critical or high"), "{}", said.stderr);
    repository.write("lineclear.toml", "preset = 'strict'\n[gate.main]\nscan = { block = ['medium'], budget = 1 }\n");
    assert_eq!(scan(&repository, &["app"]).exit, 0);
    assert_eq!(scan(&repository, &["app", "--budget", "0"]).exit, 1);
}

/// Before anything was imported the real action is taken; where it cannot be had, it is said what would do.
#[test]
fn a_scanner_that_cannot_be_fetched_says_that_it_is_built_in_once_something_was_imported() {
    let repository = Repository::with("scan-real", OPTIONAL);
    repository.commit("scan");
    let run = repository.run(&["--offline", "--var", "SCAN=true"]);
    assert_eq!(run.conclusion("scan"), "failure", "{}", run.transcript());
    let said = run.transcript();
    assert!(said.contains("it is built in once `lineclear vulnerabilities import` has taken something in"), "{said}");
}

#[test]
fn names_in_an_image_and_words_of_a_record_do_not_steer_the_terminal() {
    let repository = Repository::new("scan-control");
    let record = r#"{"id":"X-1","modified":"2026-01-02T00:00:00Z","summary":"bad\u001b[2J\nhigh  X-2","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}"#;
    repository.write("records.jsonl", &format!("{record}\n"));
    repository.write(
        "app/package-lock.json",
        r#"{"name":"x","lockfileVersion":3,"packages":{"":{},"node_modules/lodash":{"version":"1.0.0\u001b[31m"}}}"#,
    );
    assert_eq!(repository.say(&["vulnerabilities", "import", "records.jsonl"]).exit, 0);
    for command in ["scan", "sbom"] {
        let said = repository.say(&["image", command, "app"]);
        assert!(said.stdout.contains("lodash"), "{}{}", said.stdout, said.stderr);
        assert!(!said.stdout.contains('\u{1b}'), "{:?}", said.stdout);
        assert!(!said.stdout.lines().any(|line| line.starts_with("high")), "{:?}", said.stdout);
    }
}
