//! Actions that look for known vulnerabilities, with records of the tests' own; and reports that steps leave behind.

use std::collections::BTreeMap;
use std::sync::Arc;

use lineclear_event::{Fact, Findings, Severity};
use lineclear_native::{Vulnerabilities, WorkspaceReports};
use lineclear_vulnerability::{Builder, Database, Ignore, read_record};

use crate::bench::{Bench, Done};
use crate::images::{Names, docker};
use crate::registry::Registry;

/// What the tests know: a critical one that is repaired, a medium one that is not.
#[derive(Debug)]
pub(crate) struct Records;

const RECORDS: [&str; 2] = [
    r#"{"id":"GHSA-jf85-cpcp-j695","modified":"2026-01-02T00:00:00Z","aliases":["CVE-2019-10744"],"summary":"Prototype Pollution","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.12"}]}]}],"database_specific":{"severity":"CRITICAL"}}"#,
    r#"{"id":"GHSA-29mw-wpgm-hmr9","modified":"2026-01-03T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}],"database_specific":{"severity":"MODERATE"}}"#,
];

impl Vulnerabilities for Records {
    fn is_there(&self) -> bool {
        true
    }

    fn database(&self) -> Result<Arc<Database>, String> {
        let mut builder = Builder::default();
        for text in RECORDS {
            let (filed, modified) = read_record(text.as_bytes()).expect("a record");
            builder.add(filed, &modified);
        }
        let bytes = builder.finish("2026-01-04T00:00:00Z").expect("packed");
        Ok(Arc::new(Database::open(bytes).expect("whole")))
    }

    fn ignores(&self) -> Vec<Ignore> {
        Vec::new()
    }
}

const LODASH: (&str, &str) = ("app/node_modules/lodash/package.json", r#"{"name":"lodash","version":"4.17.4"}"#);

fn trivy(inputs: &str) -> String {
    format!("- uses: aquasecurity/trivy-action@0.28.0\n  with: {{ scan-type: fs, scan-ref: app, {inputs} }}\n")
}

fn scans(done: &Done) -> Vec<&Findings> {
    let all = done.facts.iter();
    all.filter_map(|fact| if let Fact::Findings(found) = fact { Some(&**found) } else { None }).collect()
}

/// S1-52, S2-27: severities, forms and exit codes are those that are asked for, and the record is told of everything.
#[test]
fn a_report_has_what_is_asked_for_and_the_record_everything() {
    let bench = Bench::new(&[LODASH]);
    let done = bench.job(&trivy("")).succeeded();
    let done = done.says(&["Total: 2 (CRITICAL: 1, MEDIUM: 1)", "CVE-2019-10744", "4.17.12", "Prototype Pollution"]);
    assert!(done.summary.contains("CVE-2019-10744"), "{}", done.summary);
    let all = BTreeMap::from([(Severity::Critical, 1), (Severity::Medium, 1)]);

    let json = "format: json, output: out/trivy.json, severity: 'CRITICAL,HIGH', exit-code: 1";
    let done = bench.job(&format!("{}- if: always()\n  run: cat out/trivy.json", trivy(json))).failed();
    let done = done.says(&["\"VulnerabilityID\": \"CVE-2019-10744\"", "\"Severity\": \"CRITICAL\"", "exit code 1"]);
    let done = done.never_says(&["GHSA-29mw"]);
    let [scan] = scans(&done)[..] else { panic!("{:?}", done.facts) };
    assert_eq!((&scan.counts, scan.tool.as_str(), scan.digest.as_deref()), (&all, "lineclear", None));

    // SARIF has all severities unless they are limited.
    let cat = "- run: cat out.sarif";
    let sarif = "format: sarif, output: out.sarif, severity: CRITICAL";
    bench.job(&(trivy(sarif) + cat)).succeeded().says(&["\"version\": \"2.1.0\"", "GHSA-29mw", "CVE-2019"]);
    let limited = format!("{sarif}, limit-severities-for-sarif: true");
    bench.job(&(trivy(&limited) + cat)).succeeded().says(&["CVE-2019"]).never_says(&["GHSA-29mw"]);

    bench.job(&trivy("ignore-unfixed: true")).succeeded().says(&["Total: 1 (CRITICAL: 1)"]);
    bench.job(&trivy("exit-code: 1, vuln-type: os, scanners: vuln")).succeeded().says(&["Total: 0"]);
    bench.job(&trivy("vuln-type: ' library ,os'")).succeeded().says(&["Total: 2", "Secrets are not searched for here"]);
    for variable in ["TRIVY_PKG_TYPES", "TRIVY_VULN_TYPE"] {
        let by_variable = trivy("exit-code: 1") + &format!("  env: {{ {variable}: os }}\n");
        bench.job(&by_variable).succeeded().says(&["Total: 0"]);
    }
    let by_variable = trivy("exit-code: 3") + "  env: { TRIVY_SEVERITY: LOW }\n";
    bench.job(&by_variable).succeeded().says(&["Total: 0"]);
    bench.write(&[(".trivyignore", "# not called\nCVE-2019-10744\nGHSA-29mw-wpgm-hmr9 exp:2001-01-01\n")]);
    let done = bench.job(&trivy("exit-code: 1")).failed().says(&["Total: 1 (MEDIUM: 1)"]);
    assert_eq!(scans(&done)[0].counts, all, "a file of the checkout takes nothing out of the record");
}

/// What is not carried out fails by its name, and does not pass for a scan.
#[test]
fn what_is_not_carried_out_fails_by_its_name() {
    let bench = Bench::new(&[LODASH]);
    for (inputs, named) in [
        ("format: template, template: '@/contrib/html.tpl'", "template: `@/contrib/html.tpl` is not carried out here"),
        ("format: cyclonedx", "format: `cyclonedx` is not carried out here"),
        ("scanners: 'vuln,secret'", "a search for `secret` is not carried out here"),
        ("severity: 'HIGH,SEVERE'", "severity: `SEVERE` is none of UNKNOWN, LOW"),
        ("severity: ' , '", "names none"),
        ("vuln-type: 'os,libary'", "vuln-type: `libary` is none of os, library"),
        ("vuln-type: ' , '", "names none of os, library"),
        ("skip-dirs: '**/x'", "skip-dirs: the pattern `**/x` is not carried out here"),
    ] {
        let done = bench.job(&trivy(inputs)).failed().says(&[named]);
        assert!(scans(&done).is_empty(), "{inputs}: {:?}", done.facts);
    }
    let config = "- uses: aquasecurity/trivy-action@master\n  with: { scan-type: config, scan-ref: . }\n";
    bench.job(config).failed().says(&["scan-type: `config` of `.` is not carried out here", "--no-native-actions"]);
    // S1-54
    let several = "- uses: aquasecurity/trivy-action@master\n  with:\n    image-ref: |\n      example.org/a:1\n      example.org/a:latest\n";
    bench.job(several).failed().says(&["one scan is of one image: give its digest"]);
    let none = "- uses: anchore/scan-action@v6\n  with: { image: a, path: . }\n";
    bench.job(none).failed().says(&["only one of `image`, `path` and `sbom` may be given"]);
}

/// What nobody imported is not clean.
#[test]
fn what_could_not_be_looked_up_is_told_and_fails_where_findings_would() {
    let bench = Bench::new(&[("app/Cargo.lock", "[[package]]\nname = \"serde\"\nversion = \"1.0.200\"\n")]);
    let done = bench.job(&trivy("")).succeeded().says(&["not looked up: 1 package of `crates.io`"]);
    assert!(scans(&done)[0].unreadable.contains("crates.io"), "{:?}", done.facts);
    bench.job(&trivy("exit-code: 1")).failed().says(&["so nobody knows: 1 package of `crates.io`"]);
    // A folder need not be of packages; that there was nothing to look up is said.
    let empty = Bench::new(&[("app/main.c", "int main(void) { return 0; }\n")]);
    empty.job(&trivy("exit-code: 1")).succeeded().says(&["nothing was recognised in `app`"]);
}

/// S1-52: an image is looked at by its digest, and it is the digest that the record speaks of.
#[test]
fn an_image_of_a_registry_is_scanned_by_its_digest() {
    let registry = Registry::open();
    let bench = Bench::new(&[LODASH, ("Dockerfile", "FROM scratch\nCOPY app /srv/app\n")]);
    let mut names = Names::new();
    let name = format!("{}/{}", registry.address(), names.make("scan"));
    names.keep(&name);
    docker(&["build", "--quiet", "--tag", &name, &bench.root.to_string_lossy()]);
    docker(&["push", "--quiet", &name]);
    let pushed = docker(&["image", "inspect", "--format", "{{index .RepoDigests 0}}", &name]);
    let digest = pushed.split_once('@').expect("a digest").1;
    for step in [
        format!("- uses: aquasecurity/trivy-action@0.28.0\n  with: {{ image-ref: '{pushed}', severity: LOW }}\n"),
        format!("- uses: anchore/scan-action@v6\n  with: {{ image: '{pushed}', fail-build: false }}\n"),
    ] {
        let done = bench.job(&step).succeeded();
        let [scan] = scans(&done)[..] else { panic!("{:?}", done.facts) };
        assert_eq!(scan.digest.as_deref(), Some(digest));
        assert_eq!(scan.counts, BTreeMap::from([(Severity::Critical, 1), (Severity::Medium, 1)]));
        // Whatever looks at that digest again is the same series.
        assert_eq!((scan.statement().category.as_str(), scan.statement().tool.as_str()), ("", "lineclear"));
    }
}

/// Who gives a login means the registry: an image of that name in the engine may be another, and is not looked at instead.
#[test]
fn an_image_that_its_registry_lacks_is_not_looked_for_elsewhere() {
    let registry = Registry::open();
    let bench = Bench::new(&[LODASH, ("Dockerfile", "FROM scratch\nCOPY app /srv/app\n")]);
    let mut names = Names::new();
    let name = format!("{}/{}", registry.address(), names.make("scan"));
    names.keep(&name);
    docker(&["build", "--quiet", "--tag", &name, &bench.root.to_string_lossy()]);
    let step = format!("- uses: aquasecurity/trivy-action@0.28.0\n  with: {{ image-ref: '{name}' }}\n");
    let done = bench.job(&step).succeeded();
    assert_eq!(scans(&done)[0].digest, None, "the engine's word for a digest is not enough");
    let login = step.clone() + "  env: { TRIVY_USERNAME: ann, TRIVY_PASSWORD: secret }\n";
    let done = bench.job(&login).failed().says(&["is not in the registry"]);
    assert!(scans(&done).is_empty(), "{:?}", done.facts);
    let digest = format!("sha256:{}", "0".repeat(64));
    let done = bench.job(&step.replace(&name, &format!("{name}@{digest}"))).failed().says(&["is not in the registry"]);
    assert!(scans(&done).is_empty(), "{:?}", done.facts);
}

/// S2-27: the cutoff fails the step unless that is off, and the report is where the output says.
#[test]
fn a_cutoff_fails_the_step_and_the_report_is_an_output() {
    let bench = Bench::new(&[LODASH]);
    let scan =
        |inputs: &str| format!("- id: scan\n  uses: anchore/scan-action@v6\n  with: {{ path: app, {inputs} }}\n");
    let failed = "Failed minimum severity level. Found vulnerabilities with level 'medium' or higher";
    bench.job(&scan("only-fixed: false")).failed().says(&[failed]);
    let show = "- run: cat '${{ steps.scan.outputs.json }}'";
    let json = bench.job(&(scan("output-format: json, fail-build: false") + show)).succeeded();
    json.says(&[failed, "\"severity\": \"Critical\"", "\"userInput\": \"app\"", "\"4.17.12\""]);
    let show = "- run: grep -c ruleId '${{ steps.scan.outputs.sarif }}'";
    bench.job(&(scan("fail-build: false, severity-cutoff: critical") + show)).succeeded();
    let table = scan("output-format: table, only-fixed: true, severity-cutoff: high, fail-build: false");
    bench.job(&table).succeeded().says(&["Total: 1 (CRITICAL: 1)"]);
    bench
        .job(&scan("output-format: cyclonedx-xml"))
        .failed()
        .says(&["output-format: `cyclonedx-xml` is not carried out"]);
}

const BANDIT: &str = r#"{"errors": [], "metrics": {"_totals": {"SEVERITY.HIGH": 1}}, "results": [{"test_id": "B602", "filename": "./app.py",
  "line_number": 4, "issue_severity": "HIGH", "issue_text": "shell"}]}"#;

fn watched(files: &[(&str, &str)], patterns: &[&str]) -> Bench {
    let mut bench = Bench::new(files);
    let looks = WorkspaceReports::new(patterns.iter().copied()).expect("patterns");
    bench.settings.left_reports = Some(Arc::new(looks));
    bench
}

/// S1-72: what a scanner only wrote into the workspace is evidence, and what the checkout brought is not.
#[test]
fn reports_that_a_step_left_in_the_workspace_are_found() {
    let bench =
        watched(&[("kept/bandit.json", BANDIT), ("source.json", BANDIT), ("node_modules/a/trivy.json", BANDIT)], &[]);
    let steps = "- uses: actions/checkout@v4\n- run: |\n    mkdir -p reports\n    cp source.json reports/bandit-report.json || true\n    \
                 : > npm-audit.json\n    echo '{\"a\": 1}' > security-settings.json\n";
    let done = bench.job(steps).succeeded();
    let done = done.says(&[
        "`reports/bandit-report.json`, which a step left here, is read into the run's record",
        "`npm-audit.json` cannot be read as npm audit's JSON",
    ]);
    let found: Vec<_> = scans(&done)
        .into_iter()
        .map(|scan| (scan.name.as_str(), scan.counts.len(), scan.unreadable.is_empty()))
        .collect();
    assert_eq!(found, [("npm-audit.json", 0, false), ("reports/bandit-report.json", 1, true)]);
    assert!(done.summary.contains("B602"), "{}", done.summary);
    // What was checked in and written anew is a report of this job.
    let anew = "- uses: actions/checkout@v4\n- run: sleep 0.05; cp source.json kept/bandit.json\n";
    let done = bench.job(anew).succeeded();
    assert_eq!(scans(&done).iter().map(|scan| scan.name.as_str()).collect::<Vec<_>>(), ["kept/bandit.json"]);
}

/// Wherever it was checked out: what the repository keeps of old scans says nothing of this job.
#[test]
fn a_report_that_a_checkout_below_the_workspace_brought_is_none_of_the_job() {
    let bench = watched(&[("kept/bandit.json", BANDIT)], &[]);
    let checkout = "- uses: actions/checkout@v4\n  with: { path: sub }\n";
    let done = bench.job(&format!("{checkout}- run: test -s sub/kept/bandit.json\n")).succeeded();
    assert!(scans(&done).is_empty(), "{:?}", done.facts);
    let done = bench.job(&format!("{checkout}- run: cp sub/kept/bandit.json sub/bandit.json\n")).succeeded();
    assert_eq!(scans(&done).iter().map(|scan| scan.name.as_str()).collect::<Vec<_>>(), ["sub/bandit.json"]);
}

/// A report without findings of a scanner that did not look is no clean one, however it comes here.
#[test]
fn a_scanner_that_did_not_look_is_no_scan() {
    let unread = r#"{"errors": [{"filename": "a.py", "reason": "syntax error"}], "metrics": {"a.py": {}, "_totals": {}}, "results": []}"#;
    let bench = watched(&[("source.json", unread)], &[]);
    let leave = "- run: cp source.json bandit.json\n";
    let upload = "- uses: actions/upload-artifact@v4\n  with: { path: bandit.json }\n";
    for steps in [leave.to_owned(), format!("{leave}{upload}")] {
        let done = bench.job(&steps).succeeded();
        let done = done.says(&["it did not look at 1 file (a.py: syntax error). It counts as no scan."]);
        let [scan] = scans(&done)[..] else { panic!("{:?}", done.facts) };
        assert!(scan.statement().unreadable.contains("a.py"), "{scan:?}");
    }
}

/// What a step told of already is told once.
#[test]
fn a_report_that_was_uploaded_is_told_once() {
    let bench = watched(&[("source.json", BANDIT)], &[]);
    let steps =
        "- run: cp source.json bandit.json\n- uses: actions/upload-artifact@v4\n  with: { path: bandit.json }\n";
    let done = bench.job(steps).succeeded().never_says(&["which a step left here"]);
    assert_eq!(scans(&done).len(), 1, "{:?}", done.facts);
}

/// The policy names reports that nobody would take for some; what it names and nobody can read is no scan.
#[test]
fn reports_that_the_policy_names_are_found_whatever_they_are_called() {
    let bench = watched(&[("source.json", BANDIT)], &["deep/**/*.json", "out.txt"]);
    let steps = "- run: |\n    mkdir -p deep/a/b/c/d/e\n    cp source.json deep/a/b/c/d/e/x.json\n    echo 'FATAL: no database' > out.txt\n";
    let done = bench.job(steps).succeeded().says(&["`out.txt`: the policy names it as a report, and it is none"]);
    let found: Vec<_> = scans(&done).into_iter().map(|scan| (scan.name.as_str(), scan.unreadable.is_empty())).collect();
    assert_eq!(found, [("deep/a/b/c/d/e/x.json", true), ("out.txt", false)]);
}
