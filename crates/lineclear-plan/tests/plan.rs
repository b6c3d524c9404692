//! Plans of whole workflows: what an event runs, and the reason that is given.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use expect_test::{Expect, expect};
use lineclear_event::{Changed, ForgeEvent, Repository};
use lineclear_plan::{Facts, MAX_CHAIN, Plan, Verdict, followers, plan};
use lineclear_source::Source;
use lineclear_workflow::Workflow;
use serde_json::{Value, json};

const MAIN: &str = ".github/workflows/w.yml";

fn event(name: &str, reference: &str, payload: Value) -> ForgeEvent {
    ForgeEvent {
        name: name.into(),
        payload,
        repository: Repository {
            owner: "octo".into(),
            name: "app".into(),
            default_branch: "main".into(),
            id: "1".into(),
            owner_id: "2".into(),
            private: false,
        },
        reference: reference.into(),
        sha: "1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b".into(),
        base_ref: String::new(),
        head_ref: String::new(),
        actor: "mona".into(),
        changed: Changed::Unknown { reason: "not asked".into() },
    }
}

fn push(branch: &str) -> ForgeEvent {
    event("push", &format!("refs/heads/{branch}"), json!({ "head_commit": { "message": "Fix the bug" } }))
}

fn pull_request(action: &str, base: &str) -> ForgeEvent {
    let payload =
        json!({ "action": action, "number": 7, "pull_request": { "title": "Better", "base": { "ref": base } } });
    ForgeEvent {
        base_ref: base.into(),
        head_ref: "topic".into(),
        ..event("pull_request", "refs/pull/7/merge", payload)
    }
}

fn changing(paths: &[&str], event: ForgeEvent) -> ForgeEvent {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    ForgeEvent { changed: Changed::Files { paths, compared_with: "against 1a2b3c4".into() }, ..event }
}

fn plan_with(files: &[(&str, &str)], event: &ForgeEvent, facts: &Facts) -> Plan {
    let texts: BTreeMap<String, Arc<str>> =
        files.iter().map(|(name, text)| ((*name).to_owned(), Arc::from(*text))).collect();
    let source = Source::new(files[0].0, files[0].1);
    let read = Workflow::read(&source);
    let model = read.model.expect("the test's workflow can be read");
    plan(&[(model, read.diagnostics)], event, facts, &texts)
}

fn plan_one(text: &str, event: &ForgeEvent) -> Plan {
    plan_with(&[(MAIN, text)], event, &Facts::default())
}

/// Why the trigger `on` (YAML) starts on `event` or does not.
fn why(on: &str, event: &ForgeEvent) -> String {
    let text = format!("on:\n{on}\njobs: {{ j: {{ runs-on: x, steps: [{{ run: a }}] }} }}\n");
    let plan = plan_one(&text, event);
    let workflow = &plan.workflows[0];
    format!("{}: {}", if workflow.triggered { "yes" } else { "no" }, workflow.reason)
}

fn check_why(on: &str, event: &ForgeEvent, expected: &Expect) {
    expected.assert_eq(&why(on, event));
}

/// The jobs of a plan, one a line.
fn jobs(plan: &Plan) -> String {
    let workflow = &plan.workflows[0];
    let mut text = String::new();
    if let Some(failure) = &workflow.startup_failure {
        text.push_str(&format!("startup failure: {failure}\n"));
    }
    if !workflow.triggered {
        text.push_str(&format!("not triggered: {}\n", workflow.reason));
    }
    for job in &workflow.jobs {
        let verdict = match job.decision.verdict {
            Verdict::Runs => "runs",
            Verdict::Skipped => "skipped",
            Verdict::KnownAtRunTime => "later",
            Verdict::Fails => "fails",
        };
        let note = job.note.as_ref().map(|note| format!(" [{note}]")).unwrap_or_default();
        text.push_str(&format!("{} | {} | {verdict}: {}{note}\n", job.key, job.name, job.decision.reason));
    }
    text
}

fn check_jobs(text: &str, event: &ForgeEvent, expected: &Expect) {
    expected.assert_eq(&jobs(&plan_one(text, event)));
}

#[test]
fn s4_2_a_push_is_filtered_by_branch() {
    let on = "  push: { branches: [main, 'feature/**'] }\n  pull_request: { branches: [main] }";
    check_why(on, &push("main"), &expect!["yes: push: branch `main` matches `main`"]);
    check_why(on, &push("feature/a/b"), &expect!["yes: push: branch `feature/a/b` matches `feature/**`"]);
    check_why(on, &push("fix"), &expect!["no: branch `fix` does not match `main`, `feature/**`"]);
    check_why(
        on,
        &pull_request("opened", "main"),
        &expect!["yes: pull_request: type `opened`; base branch `main` matches `main`"],
    );
    check_why(on, &pull_request("opened", "next"), &expect!["no: base branch `next` does not match `main`"]);
    check_why(
        "  push: { branches: ['feature/**', '!feature/old'] }",
        &push("feature/old"),
        &expect!["no: branch `feature/old` is excluded by `!feature/old`"],
    );
    check_why("  push: { branches-ignore: [wip] }", &push("wip"), &expect!["no: branch `wip` is ignored by `wip`"]);
    check_why(
        "  push: { branches-ignore: [wip] }",
        &push("main"),
        &expect!["yes: push: branch `main` is not ignored by `wip`"],
    );
    check_why("  push:", &push("main"), &expect!["yes: push: branch `main`"]);
    check_why("  pull_request:", &push("main"), &expect!["no: not started by `push`, only by `pull_request`"]);
}

#[test]
fn s1_31_and_s3_1_trigger_matrices() {
    let pre_commit = "  pull_request:\n  push: { branches: [main, develop] }";
    for (event, runs) in [
        (pull_request("opened", "anything"), true),
        (push("main"), true),
        (push("develop"), true),
        (push("topic"), false),
    ] {
        assert_eq!(why(pre_commit, &event).starts_with("yes"), runs, "{}", event.reference);
    }
    for (branch, runs) in [("ci-x", true), ("ci-", true), ("ci/x", false), ("main", false)] {
        assert_eq!(why("  push: { branches: ['ci-*'] }", &push(branch)).starts_with("yes"), runs, "{branch}");
    }
}

#[test]
fn trap_98_branch_and_path_filters_must_both_pass_and_tags_need_a_tag_filter() {
    let on = "  push: { branches: [main], paths: ['backend/**'] }";
    check_why(
        on,
        &changing(&["backend/a.py", "x"], push("main")),
        &expect![
            "yes: push: branch `main` matches `main`; paths: `backend/a.py` matches `backend/**` (2 files changed against 1a2b3c4)"
        ],
    );
    check_why(
        on,
        &changing(&["docs/a", "x", "y"], push("main")),
        &expect!["no: paths: nothing under `backend/**` changed (3 files changed against 1a2b3c4)"],
    );
    check_why(on, &changing(&["backend/a.py"], push("next")), &expect!["no: branch `next` does not match `main`"]);
    let tag = event("push", "refs/tags/v1", json!({}));
    check_why(on, &tag, &expect!["no: tag `v1`: only `branches` are named and no `tags`, so a tag does not start it"]);
    check_why("  push: { tags: ['v*'] }", &tag, &expect!["yes: push: tag `v1` matches `v*`"]);
    check_why(
        "  push: { tags: ['v*'] }",
        &push("main"),
        &expect!["no: branch `main`: only `tags` are named and no `branches`, so a branch does not start it"],
    );
    check_why("  push: { paths: ['backend/**'] }", &changing(&["x"], tag.clone()), &expect!["yes: push: tag `v1`"]);
    check_why("  push:", &tag, &expect!["yes: push: tag `v1`"]);
}

#[test]
fn trap_98_only_the_first_300_files_are_looked_at() {
    let names: Vec<String> = (0..400).map(|n| format!("f{n:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    check_why(
        "  push: { paths: [f350] }",
        &changing(&names, push("main")),
        &expect![
            "no: paths: nothing under `f350` changed (400 files changed against 1a2b3c4, of which the first 300 count, as on GitHub)"
        ],
    );
    check_why(
        "  push: { paths: [f299] }",
        &changing(&names, push("main")),
        &expect![
            "yes: push: branch `main`; paths: `f299` matches `f299` (400 files changed against 1a2b3c4, of which the first 300 count, as on GitHub)"
        ],
    );
}

#[test]
fn s1_22_and_trap_99_path_filters() {
    let on = "  pull_request: { paths: ['frontend/**', '**.ts', '!**/*.md'] }";
    check_why(
        on,
        &changing(&["frontend/README.md"], pull_request("opened", "main")),
        &expect![
            "no: paths: nothing under `frontend/**`, `**.ts`, `!**/*.md` changed (1 file changed against 1a2b3c4)"
        ],
    );
    check_why(
        on,
        &changing(&["a/b.ts"], pull_request("opened", "main")),
        &expect!["yes: pull_request: type `opened`; paths: `a/b.ts` matches `**.ts` (1 file changed against 1a2b3c4)"],
    );
    let ignore = "  push: { paths-ignore: ['docs/**', '*.md'] }";
    check_why(
        ignore,
        &changing(&["docs/a", "x.md"], push("main")),
        &expect![
            "no: paths-ignore: everything that changed is ignored by `docs/**`, `*.md` (2 files changed against 1a2b3c4)"
        ],
    );
    check_why(
        ignore,
        &changing(&["docs/a", "src/x"], push("main")),
        &expect!["yes: push: branch `main`; paths-ignore: `src/x` is not ignored (2 files changed against 1a2b3c4)"],
    );
    check_why(ignore, &changing(&[], push("main")), &expect!["no: paths-ignore: no file changed against 1a2b3c4"]);
    check_why(
        ignore,
        &push("main"),
        &expect![
            "yes: push: branch `main`; paths: what changed is not known (not asked), so path filters let it through"
        ],
    );
}

#[test]
fn trap_97_pull_requests_have_default_types() {
    for action in ["opened", "synchronize", "reopened"] {
        assert!(why("  pull_request:", &pull_request(action, "main")).starts_with("yes"), "{action}");
    }
    check_why(
        "  pull_request:",
        &pull_request("closed", "main"),
        &expect!["no: pull_request: type `closed` is not among opened, synchronize, reopened"],
    );
    check_why(
        "  pull_request: { types: [closed] }",
        &pull_request("closed", "main"),
        &expect!["yes: pull_request: type `closed`"],
    );
    let mut conflict = pull_request("opened", "main");
    conflict.payload["pull_request"]["mergeable"] = json!(false);
    check_why(
        "  pull_request:",
        &conflict,
        &expect!["no: pull_request: the pull request has a merge conflict, so there is no merge commit to run"],
    );
    let review = event("pull_request_review", "refs/pull/7/merge", json!({ "action": "submitted" }));
    check_why("  pull_request_review:", &review, &expect!["yes: pull_request_review: type `submitted`"]);
}

#[test]
fn commits_may_ask_for_no_run() {
    let mut skipped = push("main");
    skipped.payload["head_commit"]["message"] = json!("Docs [skip ci]");
    check_why("  push:", &skipped, &expect!["no: push: the head commit's message says `[skip ci]`"]);
    let facts = Facts { head_message: Some("x\n\nskip-checks: true".into()), ..Facts::default() };
    let text = "on: [pull_request, pull_request_target]\njobs: { j: { runs-on: x, steps: [{ run: a }] } }";
    let plan = plan_with(&[(MAIN, text)], &pull_request("opened", "main"), &facts);
    assert_eq!(plan.workflows[0].reason, "pull_request: the head commit's message ends with `skip-checks: true`");
    let target = ForgeEvent { name: "pull_request_target".into(), ..pull_request("opened", "main") };
    assert!(plan_with(&[(MAIN, text)], &target, &facts).workflows[0].triggered, "only two events heed it");
}

#[test]
fn every_other_event_has_its_own_rule() {
    let at_main = |name: &str, payload| event(name, "refs/heads/main", payload);
    let run = |name: &str| json!({ "action": "completed", "workflow_run": { "name": name, "head_branch": "next" } });
    let on = "  workflow_run: { workflows: [CI], types: [completed], branches: ['n*'] }";
    check_why(
        on,
        &at_main("workflow_run", run("CI")),
        &expect!["yes: workflow_run: type `completed` of `CI`; head branch `next` matches `n*`"],
    );
    check_why(
        on,
        &at_main("workflow_run", run("Docs")),
        &expect!["no: workflow_run: workflow `Docs` is not among `CI`"],
    );
    check_why(
        "  workflow_run: { workflows: [CI], branches: [main] }",
        &at_main("workflow_run", run("CI")),
        &expect!["no: head branch `next` does not match `main`"],
    );
    let schedule = "  schedule: [{ cron: '5 4 * * *' }, { cron: '0 0 * * 1' }]";
    check_why(schedule, &at_main("schedule", json!({})), &expect!["yes: schedule: `5 4 * * *`, `0 0 * * 1`"]);
    check_why(
        schedule,
        &at_main("schedule", json!({ "schedule": "0 0 * * 1" })),
        &expect!["yes: schedule: `0 0 * * 1`"],
    );
    check_why(
        schedule,
        &at_main("schedule", json!({ "schedule": "1 1 * * 1" })),
        &expect!["no: schedule: `1 1 * * 1` is not among `5 4 * * *`, `0 0 * * 1`"],
    );
    let dispatch = "  repository_dispatch: { types: [build] }";
    check_why(
        dispatch,
        &at_main("repository_dispatch", json!({ "action": "build" })),
        &expect!["yes: repository_dispatch: type `build`"],
    );
    check_why(
        dispatch,
        &at_main("repository_dispatch", json!({ "action": "other" })),
        &expect!["no: repository_dispatch: type `other` is not among build"],
    );
    check_why(
        "  release: { types: [published] }",
        &at_main("release", json!({ "action": "created" })),
        &expect!["no: release: type `created` is not among published"],
    );
    check_why("  issues:", &at_main("issues", json!({ "action": "labeled" })), &expect!["yes: issues: type `labeled`"]);
    check_why(
        "  issue_comment: { types: [created] }",
        &at_main("issue_comment", json!({})),
        &expect!["yes: issue_comment: the payload has no `action`, so it is taken for one of created"],
    );
    check_why("  create:", &at_main("create", json!({})), &expect!["yes: create"]);
    let group = json!({ "action": "checks_requested", "merge_group": { "base_ref": "refs/heads/main" } });
    check_why(
        "  merge_group: { branches: [main] }",
        &at_main("merge_group", group),
        &expect!["yes: merge_group: type `checks_requested`; base branch `main` matches `main`"],
    );
    check_why(
        "  workflow_call:",
        &at_main("workflow_call", json!({})),
        &expect!["no: no event calls a workflow: it runs when a job of another workflow calls it"],
    );
    let deleted = event("push", "refs/heads/x", json!({ "deleted": true }));
    check_why("  push:", &deleted, &expect!["no: push: branch `x` was deleted, and no commit is left to run"]);
}

const DISPATCH: &str = "
on:
  workflow_dispatch:
    inputs:
      target: { type: choice, options: [staging, production], required: true }
      tag: { type: string, required: true, description: What to deploy }
      force: { type: boolean }
      count: { type: number, default: 3 }
jobs:
  j:
    if: inputs.force == true
    name: ${{ inputs.target }} ${{ inputs.tag }} ${{ inputs.count }} ${{ toJSON(github.event.inputs.force) }}
    runs-on: x
    steps: [{ run: a }]
";

fn dispatch(inputs: &[(&str, &str)]) -> String {
    let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let facts = Facts { inputs, ..Facts::default() };
    jobs(&plan_with(&[(MAIN, DISPATCH)], &event("workflow_dispatch", "refs/heads/main", json!({})), &facts))
}

#[test]
fn trap_65_and_100_dispatch_inputs_are_typed_completed_and_checked() {
    expect![[r#"
        j | production v1 3 "true" | runs: if: `inputs.force == true` is true: inputs.force = true
    "#]]
    .assert_eq(&dispatch(&[("tag", "v1"), ("force", "true"), ("Target", "production")]));
    expect![[r#"
        j | staging v1 3 "false" | skipped: if: `inputs.force == true` is false: inputs.force = false
    "#]]
    .assert_eq(&dispatch(&[("tag", "v1")]));
    expect![[r#"
        not triggered: workflow_dispatch: unknown input `tagg`; the workflow declares `target`, `tag`, `force`, `count`; input `target` is one of `staging`, `production`, not `mars`; required input `tag` is missing (What to deploy); input `force` is a boolean: `true` or `false`, not `maybe`; input `count` is a number, not `x`
    "#]].assert_eq(&dispatch(&[("tagg", "v1"), ("force", "maybe"), ("count", "x"), ("target", "mars")]));
}

#[test]
fn a_required_number_has_to_be_given() {
    let text = "on: { workflow_dispatch: { inputs: { n: { type: number, required: true } } } }\njobs: { j: { runs-on: x, steps: [{ run: a }] } }\n";
    let plan = plan_one(text, &event("workflow_dispatch", "refs/heads/main", json!({ "inputs": {} })));
    assert!(jobs(&plan).contains("required input `n` is missing"), "{}", jobs(&plan));
    let plan = plan_one(text, &event("workflow_dispatch", "refs/heads/main", json!({ "inputs": { "n": "0" } })));
    assert!(jobs(&plan).contains("runs"), "{}", jobs(&plan));
}

#[test]
fn payload_inputs_count_and_are_text_in_the_event() {
    let payload = json!({ "inputs": { "tag": "v2", "force": true, "count": 7 } });
    expect![[r#"
        j | staging v2 7 "true" | runs: if: `inputs.force == true` is true: inputs.force = true
    "#]]
    .assert_eq(&jobs(&plan_one(DISPATCH, &event("workflow_dispatch", "refs/heads/main", payload))));
}

#[test]
fn conditions_say_the_value_that_decided() {
    let text = "
on: [push, pull_request]
jobs:
  a: { if: github.ref == 'refs/heads/main', runs-on: x, steps: [{ run: a }] }
  b: { if: '${{ github.event_name == ''push'' && github.ref != ''x'' }}', runs-on: x, steps: [{ run: a }] }
  c: { runs-on: x, steps: [{ run: a }] }
  d: { needs: c, runs-on: x, steps: [{ run: a }] }
  e: { if: failure(), needs: [c, d], runs-on: x, steps: [{ run: a }] }
  f: { if: cancelled(), runs-on: x, steps: [{ run: a }] }
  g: { if: always(), needs: c, runs-on: x, steps: [{ run: a }] }
  h: { if: fromJSON('oops'), runs-on: x, steps: [{ run: a }] }
";
    check_jobs(
        text,
        &push("feature/x"),
        &expect![[r#"
            a | a | skipped: if: `github.ref == 'refs/heads/main'` is false: github.ref = refs/heads/feature/x
            b | b | runs: if: `github.event_name == 'push' && github.ref != 'x'` is true: github.event_name = push, github.ref = refs/heads/feature/x
            c | c | runs: no condition
            d | d | runs: no condition; after c
            e | e | later: if: `failure()` waits for a failure
            f | f | later: if: `cancelled()` is true only if the run is cancelled
            g | g | runs: if: `always()` is true
            h | h | fails: if: `fromJSON('oops')` has no value: Error parsing fromJson: expected a value but found `o` at line 1, column 1
        "#]],
    );
}

#[test]
fn a_status_function_that_names_jobs_is_decided_at_run_time_once_something_does_not_succeed() {
    let text = "
on: push
jobs:
  a: { if: github.ref == 'refs/heads/none', runs-on: x, steps: [{ run: a }] }
  b: { needs: a, if: always(), runs-on: x, steps: [{ run: a }] }
  c: { needs: b, if: success('b'), runs-on: x, steps: [{ run: a }] }
  d: { needs: b, runs-on: x, steps: [{ run: a }] }
  e: { runs-on: x, steps: [{ run: a }] }
  f: { needs: e, if: success('e'), runs-on: x, steps: [{ run: a }] }
";
    check_jobs(
        text,
        &push("main"),
        &expect![[r#"
            a | a | skipped: if: `github.ref == 'refs/heads/none'` is false: github.ref = refs/heads/main
            b | b | runs: if: `always()` is true
            c | c | later: if: `success('b')` depends on `needs`, which only the run will tell
            d | d | skipped: needs a, which is skipped
            e | e | runs: no condition
            f | f | runs: if: `success('e')` is true
        "#]],
    );
}

#[test]
fn trap_46_a_skipped_job_stops_everything_after_it_that_does_not_ask_for_status() {
    let text = "
on: push
jobs:
  a: { if: github.ref == 'refs/heads/none', runs-on: x, steps: [{ run: a }] }
  b: { needs: a, runs-on: x, steps: [{ run: a }] }
  c: { needs: a, if: always(), runs-on: x, steps: [{ run: a }] }
  d: { needs: c, runs-on: x, steps: [{ run: a }] }
  e: { needs: c, if: '!cancelled()', runs-on: x, steps: [{ run: a }] }
  f: { needs: c, if: github.actor == 'mona', runs-on: x, steps: [{ run: a }] }
  g: { needs: a, if: failure(), runs-on: x, steps: [{ run: a }] }
  h: { needs: a, if: always() && needs.a.result == 'skipped', runs-on: x, steps: [{ run: a }] }
";
    check_jobs(
        text,
        &push("main"),
        &expect![[r#"
            a | a | skipped: if: `github.ref == 'refs/heads/none'` is false: github.ref = refs/heads/main
            b | b | skipped: needs a, which is skipped
            c | c | runs: if: `always()` is true
            d | d | skipped: needs a, which is skipped
            e | e | runs: if: `!cancelled()` is true: cancelled() = false
            f | f | skipped: needs a, which is skipped
            g | g | skipped: if: `failure()` is false
            h | h | runs: if: `always() && needs.a.result == 'skipped'` is true: always() = true, needs.a.result = skipped
        "#]],
    );
}

#[test]
fn what_depends_on_needs_is_decided_at_run_time_unless_it_is_false_anyway() {
    let text = "
on: push
jobs:
  changes: { runs-on: x, outputs: { api: '1' }, steps: [{ run: a }] }
  api: { needs: changes, if: needs.changes.outputs.api == 'true', runs-on: x, steps: [{ run: a }] }
  other: { needs: changes, if: github.ref == 'x' && needs.changes.outputs.api == 'true', runs-on: x, steps: [{ run: a }] }
  after: { needs: api, runs-on: x, steps: [{ run: a }] }
  never: { needs: api, if: github.ref == 'x', runs-on: x, steps: [{ run: a }] }
  always: { needs: api, if: always(), runs-on: x, steps: [{ run: a }] }
";
    check_jobs(
        text,
        &push("main"),
        &expect![[r#"
            changes | changes | runs: no condition
            api | api | later: if: `needs.changes.outputs.api == 'true'` depends on `needs`, which only the run will tell
            other | other | skipped: if: `github.ref == 'x' && needs.changes.outputs.api == 'true'` is false: github.ref = refs/heads/main
            after | after | later: needs api, which is decided at run time
            never | never | skipped: if: `github.ref == 'x'` is false: github.ref = refs/heads/main
            always | always | runs: if: `always()` is true
        "#]],
    );
}

#[test]
fn s1_79_s1_81_s1_82_a_matrix_is_a_line_for_each_leg() {
    let text = "
on: push
jobs:
  django:
    name: Python ${{ matrix.python }} / Django ${{ matrix.django }}
    strategy: { fail-fast: false, matrix: { python: ['3.11', '3.12'], django: ['5.1', '5.2'] } }
    runs-on: ${{ matrix.python == '3.12' && 'big' || 'small' }}
    steps: [{ run: a }]
  node:
    strategy: { matrix: { node: [20, 22], include: [{ node: 22, extra: true }, { node: 24 }] } }
    runs-on: [self-hosted, 'node-${{ matrix.node }}']
    steps: [{ run: a }]
  none:
    strategy: { matrix: { a: [1], exclude: [{ a: 1 }] } }
    runs-on: x
    steps: [{ run: a }]
  after: { needs: none, runs-on: x, steps: [{ run: a }] }
";
    let plan = plan_one(text, &push("main"));
    expect![[r#"
        django (3.11, 5.1) | Python 3.11 / Django 5.1 | runs: no condition
        django (3.11, 5.2) | Python 3.11 / Django 5.2 | runs: no condition
        django (3.12, 5.1) | Python 3.12 / Django 5.1 | runs: no condition
        django (3.12, 5.2) | Python 3.12 / Django 5.2 | runs: no condition
        node (20) | node (20) | runs: no condition
        node (22) | node (22) | runs: no condition
        node (24) | node (24) | runs: no condition
        none | none | skipped: matrix: every combination is excluded
        after | after | skipped: needs none, which is skipped
    "#]]
    .assert_eq(&jobs(&plan));
    assert_eq!(plan.workflows[0].jobs[2].runs_on, ["big"]);
    assert_eq!(plan.workflows[0].jobs[5].runs_on, ["self-hosted", "node-22"]);
    assert_eq!(plan.workflows[0].jobs[5].matrix, json!({ "node": 22, "extra": true }));
}

#[test]
fn trap_51_a_matrix_may_come_from_json_and_one_from_needs_is_known_later() {
    let text = "
on: push
jobs:
  static:
    strategy: { matrix: \"${{ fromJSON('{\\\"v\\\": [1, {\\\"a\\\": 2}]}') }}\" }
    runs-on: x
    steps: [{ run: a }]
  setup: { runs-on: x, outputs: { list: '[]' }, steps: [{ run: a }] }
  later:
    needs: setup
    strategy: { matrix: { v: \"${{ fromJSON(needs.setup.outputs.list) }}\" } }
    name: Later ${{ matrix.v }}
    runs-on: ${{ matrix.v }}
    steps: [{ run: a }]
  skipped:
    if: github.ref == 'x'
    strategy: { matrix: { v: [1, 2] } }
    runs-on: x
    steps: [{ run: a }]
  wrong:
    strategy: { matrix: { v: \"${{ fromJSON('[]') }}\" } }
    runs-on: x
    steps: [{ run: a }]
";
    let plan = plan_one(text, &push("main"));
    expect![[r#"
        static (1) | static (1) | runs: no condition
        static (2) | static (2) | runs: no condition
        setup | setup | runs: no condition
        later | Later ${{ matrix.v }} | runs: no condition; after setup [the matrix is known only at run time: `${{ fromJSON(needs.setup.outputs.list) }}`]
        skipped | skipped | skipped: if: `github.ref == 'x'` is false: github.ref = refs/heads/main
        wrong | wrong | fails: matrix: matrix axis `v` is empty; give it at least one value
    "#]].assert_eq(&jobs(&plan));
    let later = &plan.workflows[0].jobs[3];
    assert_eq!((later.matrix.clone(), later.runs_on.clone()), (Value::Null, vec!["${{ matrix.v }}".to_owned()]));
}

const CALLER: &str = "
on: push
permissions: { contents: read }
jobs:
  build:
    strategy: { matrix: { os: [linux, mac] } }
    uses: ./.github/workflows/build.yml
    with: { os: '${{ matrix.os }}', fast: true }
    secrets: { token: x }
  deploy:
    needs: build
    if: github.ref == 'refs/heads/prod'
    uses: ./.github/workflows/build.yml
    with: { os: prod }
    secrets: { token: x }
  last: { needs: deploy, runs-on: x, steps: [{ run: a }] }
";
const BUILD: &str = "
on:
  workflow_call:
    inputs:
      os: { type: string, required: true }
      fast: { type: boolean }
    secrets: { token: { required: true } }
jobs:
  compile: { name: 'Compile ${{ inputs.os }}', runs-on: '${{ inputs.os }}', steps: [{ run: a }] }
  slow: { needs: compile, if: '!inputs.fast', runs-on: x, steps: [{ run: a }] }
";

#[test]
fn called_jobs_follow_their_caller() {
    let files = [(MAIN, CALLER), (".github/workflows/build.yml", BUILD)];
    let plan = plan_with(&files, &push("main"), &Facts::default());
    expect![[r#"
        build (linux) | build (linux) | runs: no condition
        build (linux)/compile | build (linux) / Compile linux | runs: no condition
        build (linux)/slow | build (linux) / slow | skipped: if: `!inputs.fast` is false: inputs.fast = true
        build (mac) | build (mac) | runs: no condition
        build (mac)/compile | build (mac) / Compile mac | runs: no condition
        build (mac)/slow | build (mac) / slow | skipped: if: `!inputs.fast` is false: inputs.fast = true
        deploy | deploy | skipped: if: `github.ref == 'refs/heads/prod'` is false: github.ref = refs/heads/main
        deploy/compile | deploy / Compile prod | skipped: the calling job deploy is skipped
        deploy/slow | deploy / slow | skipped: the calling job deploy is skipped
        last | last | skipped: needs deploy, which is skipped
    "#]]
    .assert_eq(&jobs(&plan));
    let slow = &plan.workflows[0].jobs[2];
    assert_eq!((slow.id.as_str(), slow.needs.as_slice()), ("build/slow", ["build/compile".to_owned()].as_slice()));
    assert_eq!(plan.workflows[0].jobs[0].uses.as_deref(), Some(".github/workflows/build.yml"));
}

/// The start-up failure of a workflow whose only job `c` has the keys `job`, calling a file with `called`.
fn startup(job: &str, called: &str) -> String {
    let text =
        format!("on: push\npermissions: {{ contents: read }}\njobs:\n  c:\n    uses: ./.github/workflows/b.yml\n{job}");
    let files = [(MAIN, text.as_str()), (".github/workflows/b.yml", called)];
    let plan = plan_with(&files, &push("main"), &Facts::default());
    plan.workflows[0].startup_failure.clone().unwrap_or_else(|| jobs(&plan))
}

#[test]
fn trap_63_64_and_100_calls_are_checked_before_anything_runs() {
    let jobs = "jobs: { j: { runs-on: x, steps: [{ run: a }] } }";
    let plain = format!("on: workflow_call\n{jobs}");
    let inputs = format!("on: {{ workflow_call: {{ inputs: {{ n: {{ type: number, required: true }} }} }} }}\n{jobs}");
    let secret = format!("on: {{ workflow_call: {{ secrets: {{ key: {{ required: true }} }} }} }}\n{jobs}");
    expect!["job `c` calls `.github/workflows/b.yml`: unknown input `x`; the workflow declares none"]
        .assert_eq(&startup("    with: { x: 1 }\n", &plain));
    expect!["job `c` calls `.github/workflows/b.yml`: required input `n` is missing"].assert_eq(&startup("", &inputs));
    expect!["job `c` calls `.github/workflows/b.yml`: unknown input `m`; the workflow declares `n`"]
        .assert_eq(&startup("    with: { n: 1, m: 2 }\n", &inputs));
    expect![[r#"
        c | c | fails: input `n` is a number, not `mona`
        c/j | c / j | skipped: the calling job c fails
    "#]]
    .assert_eq(&startup("    with: { n: \"${{ github.actor }}\" }\n", &inputs));
    expect!["job `c` calls `.github/workflows/b.yml`: required secret `key` is not passed; name it under `secrets`, or use `secrets: inherit`"].assert_eq(&startup("", &secret));
    expect![[r#"
        c | c | runs: no condition
        c/j | c / j | runs: no condition
    "#]]
    .assert_eq(&startup("    secrets: inherit\n", &secret));
    expect!["job `c` calls `.github/workflows/b.yml`: unknown secret `other`; the called workflow declares `key`"]
        .assert_eq(&startup("    secrets: { key: x, other: y }\n", &secret));
    expect!["job `c` calls `.github/workflows/b.yml`: the file has no `workflow_call` trigger"]
        .assert_eq(&startup("", &format!("on: push\n{jobs}")));
    expect!["job `c/j` of `.github/workflows/b.yml`: the called workflow asks for `actions: write, artifact-metadata: write, attestations: write, checks: write, code-quality: write, and 15 more`, but the calling job allows only `actions: none, artifact-metadata: none, attestations: none, checks: none, code-quality: none, and 15 more`"].assert_eq(&startup("", &format!("on: workflow_call\npermissions: write-all\n{jobs}")));
    let nested =
        "on: workflow_call\njobs: { j: { permissions: { contents: write }, runs-on: x, steps: [{ run: a }] } }";
    expect!["job `c/j` of `.github/workflows/b.yml`: the called job `j` asks for `contents: write`, but the calling job allows only `contents: read`"].assert_eq(&startup("", nested));
    let circle = "on: workflow_call\njobs: { j: { uses: ./.github/workflows/b.yml } }";
    expect!["job `c/j` calls `.github/workflows/b.yml`: the calls go in a circle: .github/workflows/b.yml → .github/workflows/b.yml"].assert_eq(&startup("", circle));
    expect!["job `c` calls `.github/workflows/b.yml`: the file has errors: a workflow needs at least one job"]
        .assert_eq(&startup("", "on: workflow_call\njobs: {}"));
}

#[test]
fn a_called_file_that_is_missing_fails_the_run_and_one_of_another_repository_only_its_jobs() {
    let local = "on: push\njobs: { c: { uses: ./.github/workflows/none.yml } }";
    check_jobs(
        local,
        &push("main"),
        &expect![[r#"
        startup failure: job `c` calls `.github/workflows/none.yml`: there is no file `.github/workflows/none.yml`
    "#]],
    );
    let remote =
        "on: push\njobs: { c: { uses: o/r/.github/workflows/x.yml@v1 }, d: { runs-on: x, steps: [{ run: a }] } }";
    check_jobs(
        remote,
        &push("main"),
        &expect![[r#"
        c | c | runs: no condition [there is no file `o/r/.github/workflows/x.yml@v1`]
        d | d | runs: no condition
    "#]],
    );
}

#[test]
fn calls_may_be_ten_levels_deep_and_no_deeper() {
    let level = |n: usize| format!("on: workflow_call\njobs: {{ j: {{ uses: ./.github/workflows/{}.yml }} }}", n + 1);
    let leaf = "on: workflow_call\njobs: { j: { runs-on: x, steps: [{ run: a }] } }".to_owned();
    let chain = |levels: usize| {
        let mut files =
            vec![(MAIN.to_owned(), "on: push\njobs: { j: { uses: ./.github/workflows/1.yml } }".to_owned())];
        for n in 1..levels {
            let text = if n + 1 == levels { leaf.clone() } else { level(n) };
            files.push((format!(".github/workflows/{n}.yml"), text));
        }
        let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        jobs(&plan_with(&files, &push("main"), &Facts::default()))
    };
    assert!(chain(10).ends_with("j/j/j/j/j/j/j/j/j/j | j / j / j / j / j / j / j / j / j / j | runs: no condition\n"));
    expect![[r#"
        startup failure: job `j/j/j/j/j/j/j/j/j/j` calls `.github/workflows/10.yml`: the calls are nested more than 10 levels deep
    "#]].assert_eq(&chain(11));
}

#[test]
fn local_calls_in_a_file_of_another_repository_stay_there() {
    let files = [
        (MAIN, "on: push\njobs: { a: { uses: o/r/.github/workflows/x.yml@v1 } }"),
        ("o/r/.github/workflows/x.yml@v1", "on: workflow_call\njobs: { b: { uses: ./.github/workflows/y.yml } }"),
        ("o/r/.github/workflows/y.yml@v1", "on: workflow_call\njobs: { c: { runs-on: x, steps: [{ run: a }] } }"),
    ];
    expect![[r#"
        a | a | runs: no condition
        a/b | a / b | runs: no condition
        a/b/c | a / b / c | runs: no condition
    "#]]
    .assert_eq(&jobs(&plan_with(&files, &push("main"), &Facts::default())));
}

#[test]
fn s1_91_and_s4_5_what_runs_differs_by_event() {
    let text = "
on: { push: { branches: [main] }, pull_request: {} }
jobs:
  quick: { runs-on: x, steps: [{ run: a }] }
  full: { if: github.event_name == 'push' && github.ref == 'refs/heads/main', runs-on: x, steps: [{ run: a }] }
  deploy: { needs: [quick, full], runs-on: x, steps: [{ run: a }] }
";
    let running = |event: &ForgeEvent| {
        let plan = plan_one(text, event);
        let jobs = plan.workflows[0].jobs.iter().filter(|job| job.decision.verdict == Verdict::Runs);
        jobs.map(|job| job.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(running(&push("main")), ["quick", "full", "deploy"]);
    assert_eq!(running(&pull_request("opened", "main")), ["quick"]);
}

#[test]
fn s1_100_the_environment_is_computed_from_three_events() {
    let text = "
on: { push: {}, workflow_dispatch: { inputs: { env: { type: environment } } } }
jobs:
  deploy:
    name: to ${{ inputs.env || startsWith(github.ref, 'refs/tags/') && 'production' || 'staging' }}
    runs-on: x
    steps: [{ run: a }]
";
    let name = |event: &ForgeEvent, input: Option<&str>| {
        let inputs = input.iter().map(|value| ("env".to_owned(), (*value).to_owned())).collect();
        let facts = Facts { inputs, ..Facts::default() };
        plan_with(&[(MAIN, text)], event, &facts).workflows[0].jobs[0].name.clone()
    };
    assert_eq!(name(&push("main"), None), "to staging");
    assert_eq!(name(&event("push", "refs/tags/v1", json!({})), None), "to production");
    assert_eq!(name(&event("workflow_dispatch", "refs/heads/main", json!({})), Some("review")), "to review");
}

#[test]
fn a_schedule_that_does_not_say_its_time_is_the_first_of_the_workflow() {
    let text = "
on: { schedule: [{ cron: '5 4 * * *' }, { cron: '0 0 * * 1' }] }
jobs:
  daily: { if: github.event.schedule == '5 4 * * *', runs-on: x, steps: [{ run: a }] }
  weekly: { if: github.event.schedule == '0 0 * * 1', runs-on: x, steps: [{ run: a }] }
";
    check_jobs(
        text,
        &event("schedule", "refs/heads/main", json!({})),
        &expect![[r#"
        daily | daily | runs: if: `github.event.schedule == '5 4 * * *'` is true: github.event.schedule = 5 4 * * *
        weekly | weekly | skipped: if: `github.event.schedule == '0 0 * * 1'` is false: github.event.schedule = 5 4 * * *
    "#]],
    );
    let weekly = event("schedule", "refs/heads/main", json!({ "schedule": "0 0 * * 1" }));
    check_jobs(
        text,
        &weekly,
        &expect![[r#"
        daily | daily | skipped: if: `github.event.schedule == '5 4 * * *'` is false: github.event.schedule = 0 0 * * 1
        weekly | weekly | runs: if: `github.event.schedule == '0 0 * * 1'` is true: github.event.schedule = 0 0 * * 1
    "#]],
    );
}

#[test]
fn s0_2_each_file_is_planned_on_its_own_and_one_with_errors_stops_no_other() {
    let good =
        "name: Good\nrun-name: Run by ${{ github.actor }}\non: push\njobs: { j: { runs-on: x, steps: [{ run: a }] } }";
    let bad = "on: push\njobs: { j: { runs-on: x, stepz: [] } }";
    let read = |name: &str, text: &str| {
        let read = Workflow::read(&Source::new(name, text));
        (read.model.expect("it can be read"), read.diagnostics)
    };
    let workflows = [read("bad.yml", bad), read("good.yml", good)];
    let plan = plan(&workflows, &push("main"), &Facts::default(), &BTreeMap::new());
    let [bad, good] = plan.workflows.as_slice() else { panic!("two workflows") };
    assert!(!bad.triggered && bad.reason.starts_with("workflow has errors: ") && bad.has_errors());
    assert!(good.triggered && good.jobs.len() == 1);
    assert_eq!(good.run_name.as_deref(), Some("Run by mona"));
}

#[test]
fn equal_inputs_have_equal_hashes_and_any_difference_shows() {
    let text = "on: push\njobs: { j: { runs-on: x, steps: [{ run: a }] } }";
    let base = plan_one(text, &push("main")).hash;
    assert_eq!(base.len(), 64);
    assert_eq!(plan_one(text, &push("main")).hash, base);
    let mut shuffled = push("main");
    shuffled.payload = json!({ "b": 1, "a": { "d": 1, "c": 2 } });
    let mut other = push("main");
    other.payload = json!({ "a": { "c": 2, "d": 1 }, "b": 1 });
    assert_eq!(plan_one(text, &shuffled).hash, plan_one(text, &other).hash, "the order of keys means nothing");
    for different in [
        plan_one(text, &push("next")).hash,
        plan_one(&format!("{text} "), &push("main")).hash,
        plan_with(
            &[(MAIN, text)],
            &push("main"),
            &Facts { vars: [("a".into(), "b".into())].into(), ..Facts::default() },
        )
        .hash,
    ] {
        assert_ne!(different, base);
    }
    let called = |name: &str| {
        let caller = "on: push\njobs: { c: { uses: ./.github/workflows/b.yml } }";
        let called = format!("on: workflow_call\njobs: {{ {name}: {{ runs-on: x, steps: [{{ run: a }}] }} }}");
        plan_with(&[(MAIN, caller), (".github/workflows/b.yml", &called)], &push("main"), &Facts::default()).hash
    };
    assert_ne!(called("x"), called("y"), "called files count");
}

#[test]
fn the_json_has_the_documented_keys() {
    let text = "on: push\njobs: { j: { needs: [], if: true, runs-on: [a, b], steps: [{ run: a }] }, k: { needs: j, runs-on: { group: g, labels: l }, steps: [{ run: a }] } }";
    let plan = plan_one(text, &push("main"));
    let mut json = serde_json::to_value(&plan).expect("a plan is plain data");
    json["hash"] = json!("…");
    expect![[r#"
        {
          "event": "push",
          "hash": "…",
          "changed": "not known what changed: not asked",
          "workflows": [
            {
              "file": ".github/workflows/w.yml",
              "name": ".github/workflows/w.yml",
              "triggered": true,
              "reason": "push: branch `main`",
              "run_name": "Fix the bug",
              "jobs": [
                {
                  "key": "j",
                  "id": "j",
                  "name": "j",
                  "matrix": null,
                  "needs": [],
                  "runs_on": [
                    "a",
                    "b"
                  ],
                  "if": "true",
                  "decision": {
                    "verdict": "runs",
                    "reason": "if: `true` is true"
                  }
                },
                {
                  "key": "k",
                  "id": "k",
                  "name": "k",
                  "matrix": null,
                  "needs": [
                    "j"
                  ],
                  "runs_on": [
                    "l"
                  ],
                  "runner_group": "g",
                  "if": null,
                  "decision": {
                    "verdict": "runs",
                    "reason": "no condition; after j"
                  }
                }
              ]
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&json).expect("it is JSON"));
}

#[test]
fn workflows_that_all_follow_one_another_are_planned_once_for_each_pair_on_a_level() {
    const COUNT: usize = 12;
    let names: Vec<String> = (0..COUNT).map(|n| format!("W{n}")).collect();
    let read = |name: &String| {
        let text = format!(
            "name: {name}\non: {{ push: {{}}, workflow_run: {{ workflows: [{}] }} }}\njobs: {{ j: {{ runs-on: x, steps: [{{ run: a }}] }} }}\n",
            names.join(", ")
        );
        let read = Workflow::read(&Source::new(format!(".github/workflows/{name}.yml"), text));
        (read.model.expect("it can be read"), read.diagnostics)
    };
    let workflows: Vec<_> = names.iter().map(read).collect();
    let (event, facts, files) = (push("main"), Facts::default(), BTreeMap::<String, Arc<str>>::new());
    let planned = plan(&workflows, &event, &facts, &files);
    let ahead = followers(&planned, &workflows, &event, "9f9f", &facts, &files);
    assert_eq!(ahead.len(), COUNT * COUNT * usize::from(MAX_CHAIN));
    let pairs = |level: u8| {
        let of_level = ahead.iter().filter(|follower| follower.level == level);
        of_level.map(|one| (one.after.as_str(), one.workflow.name.as_str())).collect::<BTreeSet<_>>()
    };
    assert!((1..=MAX_CHAIN).all(|level| pairs(level).len() == COUNT * COUNT), "each pair once");
}

#[test]
fn a_thousand_jobs_and_ten_thousand_paths_take_no_time_to_speak_of() {
    let mut text = String::from("on: { push: { paths: [");
    for n in 0..200 {
        text.push_str(&format!("'src/part{n}/**/*.rs', "));
    }
    text.push_str("] } }\njobs:\n  j0: { runs-on: x, steps: [{ run: a }] }\n");
    for n in 1..1000_usize {
        // Each needs several before it: a plan that walked all paths would never end.
        let needs: Vec<String> = (n.saturating_sub(3)..n).map(|need| format!("j{need}")).collect();
        text.push_str(&format!(
            "  j{n}: {{ needs: [{}], if: github.ref != 'x', runs-on: x, steps: [{{ run: a }}] }}\n",
            needs.join(", ")
        ));
    }
    let paths: Vec<String> = (0..10_000).map(|n| format!("other/part{n}/file.rs")).collect();
    let mut paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    paths.insert(0, "src/part199/a/b.rs");
    let plan = plan_one(&text, &changing(&paths, push("main")));
    assert_eq!(plan.workflows[0].jobs.len(), 1000);
    assert!(plan.workflows[0].jobs.iter().all(|job| job.decision.verdict == Verdict::Runs));
}
