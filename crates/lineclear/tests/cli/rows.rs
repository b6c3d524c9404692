//! Rows of the requirements that are seen in whole runs. `docs/requirements.md` lists where each row is proven.

use serde_json::Value;

use lineclear_testkit::{Repository, Run};

fn at(event: &Value) -> i64 {
    event["at"].as_i64().expect("a time")
}

fn span(run: &Run, job: &str) -> (i64, i64) {
    let started = run.events("job_started").find(|event| event["job"] == *job).expect("it started");
    (at(started), at(run.job(job).expect("it ended")))
}

fn overlap(run: &Run, jobs: &[&str]) -> bool {
    let spans: Vec<(i64, i64)> = jobs.iter().map(|job| span(run, job)).collect();
    spans.iter().map(|span| span.0).max() < spans.iter().map(|span| span.1).min()
}

/// S0-2: four independent workflows load and run from unchanged files.
#[test]
fn s0_2_four_workflows_run_on_one_push() {
    let repository = Repository::new("rows");
    for name in ["ci", "publish", "e2e-smoke", "e2e-full"] {
        repository.write(
            &format!(".github/workflows/{name}.yml"),
            &format!("name: {name}\non: push\njobs: {{ {name}: {{ runs-on: ubuntu-latest, steps: [ {{ uses: actions/checkout@v4 }}, {{ run: echo {name} }} ] }} }}\n"),
        );
    }
    repository.commit("first");
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert_eq!(run.events("run_finished").filter(|event| event["conclusion"] == "success").count(), 4);
}

/// S0-7, S1-85, S4-71, S4-14: jobs that need nothing of each other run at the same time.
#[test]
fn s0_7_s1_85_s4_71_independent_jobs_run_at_the_same_time() {
    let repository = Repository::with(
        "rows",
        "on: push
jobs:
  lint: &job
    runs-on: ubuntu-latest
    steps: [run: sleep 1.5]
  test: *job
  build: *job
  after:
    needs: [lint, test, build]
    runs-on: ubuntu-latest
    steps: [run: 'true']
",
    );
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert!(overlap(&run, &["lint", "test", "build"]), "{}", run.transcript());
    assert!(span(&run, "after").0 >= span(&run, "lint").1);
}

/// S0-8, S4-12: a test suite's result decides its job.
#[test]
fn s0_8_one_failing_test_fails_the_job() {
    let repository = Repository::with(
        "rows",
        "on: push
jobs:
  backend:
    runs-on: ubuntu-latest
    defaults: { run: { working-directory: ./backend } }
    env: { DJANGO_SETTINGS_MODULE: config.test, DATABASE_URL: 'sqlite:///test.db' }
    steps:
      - uses: actions/checkout@v4
      - name: Tests
        run: python3 -m unittest -v
",
    );
    repository.write(
        "backend/test_it.py",
        "import os, unittest\nclass T(unittest.TestCase):\n    def test_good(self): self.assertEqual(os.environ['DJANGO_SETTINGS_MODULE'], 'config.test')\n    def test_bad(self): self.assertEqual(1, 2)\n",
    );
    let run = repository.run(&[]);
    assert_eq!((run.exit, run.conclusion("backend")), (1, "failure"), "{}", run.transcript());
    let reason = run.job("backend").expect("it ended")["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("step `Tests` failed with exit code 1"), "{reason}");
    assert!(run.log("backend").iter().any(|line| line.contains("FAILED (failures=1)")), "{}", run.transcript());
    repository.sh("sed -i 's/(1, 2)/(1, 1)/' backend/test_it.py");
    assert_eq!(repository.run(&[]).exit, 0);
}

/// S0-17: a smoke test as a job and as a called workflow give the same verdict.
#[test]
fn s0_17_a_called_workflow_gives_the_verdict_of_the_same_job() {
    for (script, exit) in [("'true'", 0), ("'false'", 1)] {
        let job = format!("{{ runs-on: ubuntu-latest, steps: [ {{ run: {script} }} ] }}");
        let repository = Repository::with("rows", &format!("on: push\njobs: {{ smoke: {job} }}\n"));
        assert_eq!(repository.run(&[]).exit, exit);
        repository
            .write(".github/workflows/w.yml", "on: push\njobs: { smoke: { uses: ./.github/workflows/smoke.yml } }\n");
        repository.write(".github/workflows/smoke.yml", &format!("on: workflow_call\njobs: {{ smoke: {job} }}\n"));
        let run = repository.run(&[]);
        assert_eq!(run.exit, exit, "{}", run.transcript());
    }
}

/// S0-28, S4-13: npm scripts are a step's command.
#[test]
fn s0_28_s4_13_npm_scripts_run() {
    let repository = Repository::with(
        "rows",
        "on: push\njobs: { e2e: { runs-on: ubuntu-latest, steps: [ { uses: actions/checkout@v4 }, { run: 'npm run e2e:smoke' }, { run: 'npm run test:run' } ] } }\n",
    );
    repository.write(
        "package.json",
        r#"{"name":"x","scripts":{"e2e:smoke":"echo smoke ran","test:run":"node -e \"console.log('tests ran')\""}}"#,
    );
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    assert!(
        run.log("e2e").iter().any(|line| line == "smoke ran") && run.log("e2e").iter().any(|line| line == "tests ran")
    );
}

/// S0-31, S1-93: traces are kept only of failures, and a list of paths gives one archive.
#[test]
fn s0_31_s1_93_artifacts_of_failures_and_of_several_paths() {
    let workflow = |exit: u8| {
        format!(
            "on: push
jobs:
  e2e:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir -p playwright-report test-results && echo 1 > playwright-report/index.html && echo 2 > test-results/trace; exit {exit}
      - if: failure()
        uses: actions/upload-artifact@v4
        with:
          name: traces
          path: |
            playwright-report/
            test-results/
  look:
    needs: e2e
    if: always()
    runs-on: ubuntu-latest
    outputs: {{ found: '${{{{ steps.look.outputs.found }}}}' }}
    steps:
      - id: get
        continue-on-error: true
        uses: actions/download-artifact@v4
        with: {{ name: traces, path: got }}
      - id: look
        run: echo \"found=$([ -d got ] && cd got && find . -type f | sort | xargs)\" >> $GITHUB_OUTPUT
"
        )
    };
    let failing = Repository::with("rows", &workflow(1)).run(&[]);
    assert_eq!(failing.exit, 1);
    assert_eq!(
        failing.output("look", "found"),
        Some("./playwright-report/index.html ./test-results/trace"),
        "{}",
        failing.transcript()
    );
    let passing = Repository::with("rows", &workflow(0)).run(&[]);
    assert_eq!((passing.exit, passing.output("look", "found")), (0, None), "{}", passing.transcript());
}

/// S0-40: the default shell on Linux knows `${VARIABLE,,}`.
#[test]
fn s0_40_the_repository_is_lower_cased_in_the_default_shell() {
    let repository = Repository::with(
        "rows",
        "on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [ { run: 'echo ghcr.io/${GITHUB_REPOSITORY,,}' } ] } }\n",
    );
    repository.sh("git remote add origin https://github.com/Mona-Lisa/My-App.git");
    let run = repository.run(&[]);
    assert!(run.log("a").iter().any(|line| line == "ghcr.io/mona-lisa/my-app"), "{}", run.transcript());
}

/// S1-23, S4-6: jobs have time limits of their own, in the engine's plan of the run.
#[test]
fn s1_23_s4_6_limits_far_away_change_nothing() {
    let repository = Repository::with(
        "rows",
        "on: push
jobs:
  build: { timeout-minutes: 45, runs-on: ubuntu-latest, steps: [ { run: echo } ] }
  migrations: { needs: build, timeout-minutes: 5, runs-on: ubuntu-latest, steps: [ { run: echo } ] }
",
    );
    assert_eq!(repository.run(&[]).exit, 0);
}

/// S1-67, S2-14: a finding that blocks nothing is still shown.
#[test]
fn s1_67_s2_14_tolerated_findings_are_shown_and_the_job_is_green() {
    let repository = Repository::with(
        "rows",
        "on: push
jobs:
  scan:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: bandit
        continue-on-error: true
        run: |
          echo '{\"version\":\"2.1.0\",\"runs\":[]}' > bandit.sarif
          echo '::warning file=app.py,line=3::unsafe'
          exit 1
      - run: '[ -s bandit.sarif ] && [ ${{ steps.bandit.outcome }} = failure ] && [ ${{ steps.bandit.conclusion }} = success ]'
",
    );
    let run = repository.run(&[]);
    assert_eq!((run.exit, run.conclusion("scan")), (0, "success"), "{}", run.transcript());
    let step = run.step("scan", "bandit").expect("it ended");
    assert_eq!((&step["outcome"], &step["conclusion"]), (&"failure".into(), &"success".into()));
    assert!(run.events("annotation").any(|event| event["file"] == "app.py" && event["line"] == 3));
}

/// S1-70: JSON is kept in a file and counted with jq in the default shell.
#[test]
fn s1_70_json_is_counted_with_jq() {
    let repository = Repository::with(
        "rows",
        "on: push
jobs:
  audit:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo '{\"metadata\":{\"vulnerabilities\":{\"high\":2,\"critical\":1}}}' > audit.json
          HIGH=$(jq '.metadata.vulnerabilities | .high + .critical' audit.json)
          if [ \"$HIGH\" -gt 0 ]; then echo \"::warning::$HIGH vulnerabilities\"; fi
",
    );
    let run = repository.run(&[]);
    assert!(
        run.exit == 0 && run.events("annotation").any(|event| event["message"] == "3 vulnerabilities"),
        "{}",
        run.transcript()
    );
}

/// S1-91, S4-5: the quick suite on pull requests, the full one only on a push to main.
#[test]
fn s1_91_s4_5_what_runs_depends_on_the_event() {
    let repository = Repository::with(
        "rows",
        "on: [push, pull_request]
jobs:
  quick: { runs-on: ubuntu-latest, steps: [ { run: echo } ] }
  full:
    if: github.event_name == 'push' && github.ref == 'refs/heads/main'
    runs-on: ubuntu-latest
    steps: [run: echo]
  deploy:
    needs: full
    runs-on: ubuntu-latest
    steps: [run: echo]
",
    );
    let conclusions = |args: &[&str]| {
        let run = repository.run(args);
        ["quick", "full", "deploy"].map(|job| run.conclusion(job).to_owned())
    };
    assert_eq!(conclusions(&[]), ["success", "success", "success"]);
    repository.sh("git checkout -q -b topic");
    assert_eq!(conclusions(&["--event", "pull_request"]), ["success", "skipped", "skipped"]);
    assert_eq!(conclusions(&["--event", "push"]), ["success", "skipped", "skipped"]);
}

/// S1-102: an output decides the environment of a later job. S4-7, S4-64: versions are read from the sources.
#[test]
fn s1_102_s4_7_s4_64_versions_and_environments_come_from_outputs() {
    let repository = Repository::with(
        "rows",
        "on: push
jobs:
  prepare:
    runs-on: ubuntu-latest
    outputs:
      backend: ${{ steps.read.outputs.backend }}
      frontend: ${{ steps.read.outputs.frontend }}
      environment: ${{ github.ref_type == 'tag' && 'production' || 'staging' }}
    steps:
      - uses: actions/checkout@v4
      - id: read
        run: |
          echo \"backend=$(python3 -c 'import app; print(app.__version__)')\" >> $GITHUB_OUTPUT
          echo \"frontend=$(node -p \"require('./package.json').version\")\" >> $GITHUB_OUTPUT
  build:
    needs: prepare
    runs-on: ubuntu-latest
    environment: ${{ needs.prepare.outputs.environment }}
    env:
      BACKEND_VERSION: ${{ needs.prepare.outputs.backend }}
      FRONTEND_VERSION: ${{ needs.prepare.outputs.frontend }}
    outputs: { said: '${{ steps.say.outputs.said }}' }
    steps:
      - id: say
        run: echo \"said=$BACKEND_VERSION $FRONTEND_VERSION ${{ needs.prepare.outputs.environment }}\" >> $GITHUB_OUTPUT
",
    );
    repository.write("app/__init__.py", "__version__ = '1.2.3'\n");
    repository.write("package.json", r#"{"version":"4.5.6"}"#);
    assert_eq!(repository.run(&[]).output("build", "said"), Some("1.2.3 4.5.6 staging"));
    assert_eq!(repository.run(&["--ref", "refs/tags/v1"]).output("build", "said"), Some("1.2.3 4.5.6 production"));
}

/// S2-1: three jobs at the same time. S2-16: coverage below the threshold fails.
#[test]
fn s2_1_s2_16_a_matrix_over_interpreters_and_a_threshold() {
    let repository = Repository::with(
        "rows",
        "on: push
jobs:
  test:
    strategy: { fail-fast: false, matrix: { python-version: ['3.10', '3.11', '3.12'] } }
    runs-on: ubuntu-latest
    steps:
      - run: sleep 1.5
      - name: coverage of at least 90
        run: |
          coverage=${{ matrix.python-version == '3.12' && 89 || 95 }}
          [ $coverage -ge 90 ] || { echo \"FAIL Required test coverage of 90% not reached. Total coverage: $coverage%\"; exit 1; }
",
    );
    let run = repository.run(&[]);
    assert_eq!(run.exit, 1);
    assert!(overlap(&run, &["test (3.10)", "test (3.11)", "test (3.12)"]), "{}", run.transcript());
    assert_eq!(
        ["3.10", "3.11", "3.12"].map(|version| run.conclusion(&format!("test ({version})")).to_owned()),
        ["success", "success", "failure"]
    );
}

/// S2-2, S2-7, S2-17: steps in their order, and reports as artifacts.
#[test]
fn s2_2_s2_7_s2_17_steps_keep_their_order_and_reports_are_kept() {
    let repository = Repository::with(
        "rows",
        "on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - { id: checkout, uses: actions/checkout@v4 }
      - { id: lint, run: 'echo lint' }
      - { id: test, run: 'mkdir -p reports/htmlcov; echo 1 | tee reports/junit.xml reports/coverage.xml reports/htmlcov/index.html' }
      - { id: parse, run: 'echo coverage=95 >> $GITHUB_OUTPUT' }
      - id: upload
        uses: actions/upload-artifact@v4
        with:
          name: reports-${{ steps.parse.outputs.coverage }}
          path: |
            reports/junit.xml
            reports/coverage.xml
            reports/htmlcov/
          if-no-files-found: error
      - { id: download, uses: actions/download-artifact@v4, with: { pattern: 'reports-*', path: got } }
      - { id: look, run: 'cd got/reports-95 && ls junit.xml coverage.xml htmlcov/index.html' }
",
    );
    let run = repository.run(&[]);
    assert_eq!(run.exit, 0, "{}", run.transcript());
    let order: Vec<&str> = run
        .events("step_finished")
        .filter_map(|event| event["step"].as_str())
        .filter(|step| !step.starts_with("__"))
        .collect();
    assert_eq!(order, ["checkout", "lint", "test", "parse", "upload", "download", "look"]);
}

/// S4-68: of two workflows of one group, the second cancels the first.
#[test]
fn s4_68_a_group_cancels_what_runs_in_it() {
    let job = "jobs: { a: { runs-on: ubuntu-latest, steps: [ { run: exec sleep 20 } ] } }\n";
    let group = "concurrency: { group: 'ci-${{ github.ref }}', cancel-in-progress: true }\n";
    let repository = Repository::with("rows", &format!("name: first\non: push\n{group}{job}"));
    repository.write(
        ".github/workflows/x.yml",
        &format!("name: second\non: push\n{group}{}", job.replace("exec sleep 20", "echo")),
    );
    let run = repository.run(&[]);
    let conclusions: Vec<&str> = run.events("run_finished").filter_map(|event| event["conclusion"].as_str()).collect();
    assert!(conclusions.contains(&"cancelled") && conclusions.contains(&"success"), "{}", run.transcript());
}

/// S1-25: setup-python's cache of pip is saved by the first run and found by the second.
#[test]
fn s1_25_the_pip_cache_is_restored() {
    let repository = Repository::with(
        "rows",
        "on: push
jobs:
  a:
    runs-on: ubuntu-latest
    outputs: { hit: '${{ steps.python.outputs.cache-hit }}', kept: '${{ steps.kept.outputs.kept }}' }
    steps:
      - uses: actions/checkout@v4
      - id: python
        uses: actions/setup-python@v5
        with: { python-version: '3.x', cache: pip }
      - id: kept
        run: |
          folder=$(python -m pip cache dir)
          echo \"kept=$(cat $folder/kept || echo none)\" >> $GITHUB_OUTPUT
          mkdir -p $folder && echo from-${{ github.run_number }} > $folder/kept
",
    );
    repository.write("requirements.txt", "\n");
    let runs = [repository.run(&[]), repository.run(&[])];
    for run in &runs {
        assert_eq!(run.exit, 0, "{}", run.transcript());
    }
    assert_ne!(runs[0].output("a", "hit"), Some("true"));
    assert_eq!(runs[0].output("a", "kept"), Some("none"));
    assert_eq!(
        (runs[1].output("a", "hit"), runs[1].output("a", "kept")),
        (Some("true"), Some("from-1")),
        "{}",
        runs[1].transcript()
    );
}
