//! Jobs.

use expect_test::expect;

use super::*;

#[test]
fn ids_of_jobs_and_steps_follow_the_rules() {
    let long = "a".repeat(100);
    check_read(
        &format!(
            "on: push\njobs:\n  1a: &j {{ runs-on: x, steps: [run: 'true'] }}\n  a.b: *j\n  __a: *j\n  {long}: *j\n  ok-1_: *j\n  \"\": *j\n  \"${{{{ x }}}}\": *j\n"
        ),
        expect![[r#"
            3:3 error id-syntax `1a` cannot be the id of a job: an id starts with a letter or `_`
            4:3 error id-syntax `a.b` cannot be the id of a job: an id holds only letters, digits, `_` and `-`
            5:3 error id-syntax `__a` cannot be the id of a job: ids that start with `__` are reserved
            6:3 error id-syntax `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` cannot be the id of a job: an id has fewer than 100 characters
            8:3 error id-syntax `` cannot be the id of a job: it is empty
            9:3 error expression-not-allowed the id of a job cannot hold an expression: it is read before any is evaluated
        "#]],
    );
    check_steps(
        "    - { id: one, run: x }\n    - { id: ONE, run: x }\n    - { id: a b, run: x }\n    - { id: __x, run: x }\n    - { id: '', run: x }\n",
        expect![[r#"
            7:13 error duplicate-id the id `ONE` is already that of an earlier step; ids ignore case
            8:13 error id-syntax `a b` cannot be the id of a step: an id holds only letters, digits, `_` and `-`
            9:13 error id-syntax `__x` cannot be the id of a step: ids that start with `__` are reserved
            10:13 error id-syntax `` cannot be the id of a step: it is empty
        "#]],
    );
}

#[test]
fn needs_name_jobs_that_can_finish_first() {
    let jobs = |lines: &str| {
        let body = "runs-on: x, steps: [run: 'true']";
        let job = |line: &str| match line.split_once(':') {
            Some((id, needs)) => format!("  {id}: {{ needs: {needs}, {body} }}\n"),
            None => format!("  {line}: {{ {body} }}\n"),
        };
        format!("on: push\njobs:\n{}", lines.lines().map(job).collect::<String>())
    };
    check_read(
        &jobs("build\ntest: bild\ndeploy: [test, nothing]"),
        expect![[r#"
        4:19 error needs-unknown job `test` needs `bild`, which does not exist; did you mean `build`?
        5:28 error needs-unknown job `deploy` needs `nothing`, which does not exist
    "#]],
    );
    check_read(
        &jobs("start\na: [start, c]\nb: a\nc: [b]\nafter: c"),
        expect![[r#"
        4:24 error needs-cycle these jobs wait for each other and never start: a → c → b → a
    "#]],
    );
    check_read(
        &jobs("start\nself: self"),
        expect![[r#"
        4:19 error needs-cycle job `self` needs itself, so it never starts
    "#]],
    );
    check_read(
        &jobs("a: b\nb: c"),
        expect![[r#"
        2:1 error no-first-job every job needs another one, so none can start: at least one must have no `needs`
        4:16 error needs-unknown job `b` needs `c`, which does not exist
    "#]],
    );
    check_read(&jobs("a\nb: A"), expect![[""]]);
    check_read(
        &jobs("a\nb: ''\nc: [[a]]\nd: '${{ 1 }}'"),
        expect![[r#"
        4:16 error invalid-value `needs` must not be empty
        5:17 error wrong-type expected a string for an item of `needs`, found a sequence
        6:16 error expression-not-allowed `needs` cannot hold an expression: it is read before any is evaluated
    "#]],
    );
}

#[test]
fn a_job_calls_a_workflow_or_has_steps() {
    check_read(
        "on: push\njobs:\n  a:\n    uses: o/r/.github/workflows/x.yml@v1\n    timeout-minutes: 5\n    env: { A: 1 }\n  b:\n    uses: ./.github/workflows/x.yml\n    runs-on: x\n    steps: [run: 'true']\n  c:\n    runs-on: x\n    with: { a: 1 }\n    secrets: inherit\n    steps: [run: 'true']\n  d:\n    uses: ./.github/workflows/x.yml@v1\n  e:\n    uses: ${{ matrix.x }}\n  f:\n    uses: ./.github/workflows/x.yml\n    with: { a: [1], b: '${{ secrets.x }}' }\n    secrets: none\n",
        expect![[r#"
            5:5 error misplaced-key `timeout-minutes` cannot stand beside `uses`: the called workflow decides it
            6:5 error misplaced-key `env` cannot stand beside `uses`: the called workflow decides it
            8:5 error misplaced-key a job either calls a workflow with `uses` or has `runs-on` and `steps` of its own
            13:5 error misplaced-key `with` of a job is for a called workflow, and this job has no `uses`
            14:5 error misplaced-key `secrets` of a job is for a called workflow, and this job has no `uses`
            17:11 error uses-syntax `./.github/workflows/x.yml@v1` names no reusable workflow: a path in this repository takes no `@ref`: it is read from the same commit
            19:11 error expression-not-allowed `uses` cannot hold an expression: it is read before any is evaluated
            22:16 error wrong-type expected a string for input `a`, found a sequence
            22:29 error expression-context Unrecognized named-value: 'secrets'; available here are github, inputs, vars, needs, strategy and matrix
            23:14 error invalid-value `none` is not a value of `secrets`
        "#]],
    );
}

#[test]
fn trap_102_runners_are_labels_or_a_group() {
    check_job(
        "  b: { runs-on: [], steps: [run: 'true'] }\n  c: { runs-on: { group: a/b, label: x }, steps: [run: 'true'] }\n  d: { runs-on: {}, steps: [run: 'true'] }\n  e: { runs-on: [x, ''], steps: [run: 'true'] }\n  f: { runs-on: [x, [y]], steps: [run: 'true'] }\n",
        expect![[r#"
        6:17 error invalid-value `runs-on` needs at least one label
        7:26 error runner-group `a/b` names no runner group: the only prefixes are `organization/` and `enterprise/`
        7:31 error unknown-key `label` is not a key of `runs-on`; did you mean `labels`?
        8:17 error missing-key `runs-on` needs `group`, `labels` or both
        9:21 error invalid-value an item of `runs-on` must not be empty
        10:21 error wrong-type expected a string for an item of `runs-on`, found a sequence
    "#]],
    );
    let workflow = accept(
        "on: push\njobs: { a: { runs-on: { group: org/big, labels: [x, Y] }, steps: [run: 'true'] }, b: { runs-on: [self-hosted, X64], steps: [run: 'true'] } }\n",
    );
    let JobKind::Steps(job) = &workflow.jobs[0].kind else { panic!("a job with steps") };
    assert!(matches!(&job.runs_on, RunsOn::Group { group: Some(_), labels, .. } if labels.len() == 2));
    let JobKind::Steps(job) = &workflow.jobs[1].kind else { panic!("a job with steps") };
    assert!(matches!(&job.runs_on, RunsOn::Labels(labels) if labels.len() == 2));
}

#[test]
fn matrices_are_made_of_lists() {
    check_job(
        "    strategy:\n      matrix:\n        os: linux\n        none: []\n        map: { a: 1 }\n        empty:\n        good: [1]\n        include: { a: 1 }\n        exclude: [good, {}, { goood: 1 }, { good: 1 }]\n",
        expect![[r#"
            8:13 error matrix-shape expected a sequence or an expression for `os` of the matrix, found a string
            9:15 error matrix-shape `none` of the matrix is empty, so there would be no job
            10:14 error matrix-shape expected a sequence or an expression for `map` of the matrix, found a mapping
            11:15 error matrix-shape expected a sequence or an expression for `empty` of the matrix, found nothing
            13:18 error matrix-shape expected a sequence or an expression for `include` of the matrix, found a mapping
            14:19 error matrix-shape expected a mapping for an item of `exclude`, found a string
            14:25 error matrix-shape an item of `exclude` must name at least one key
            14:31 error matrix-shape `goood` cannot be excluded: the matrix has no such key
        "#]],
    );
    check_job(
        "    strategy: { matrix: {} }\n",
        expect![[r#"
        6:25 error matrix-shape the matrix needs at least one key with values, or `include`
    "#]],
    );
    check_job(
        "    strategy: { matrix: [1], max-parallel: 0, fail-fast: sometimes }\n",
        expect![[r#"
            6:25 error wrong-type expected a mapping for `matrix`, found a sequence
            6:44 error invalid-value `max-parallel` should be greater than 0
            6:58 error wrong-type expected true, false or an expression for `fail-fast`, found a string
        "#]],
    );
}

#[test]
fn permissions_have_known_scopes_and_levels() {
    check_job(
        "    permissions: { content: read, id-token: read, models: write, issues: admin, metadata: read, packages: none }\n",
        expect![[r#"
        6:20 error permission-scope `content` is not a permission; did you mean `contents`?
        6:45 error permission-scope `read` is not a level of `id-token`
        6:59 error permission-scope `write` is not a level of `models`
        6:74 error permission-scope `admin` is not a level of `issues`
    "#]],
    );
    check_job(
        "    permissions: write\n",
        expect![[r#"
        6:18 error permission-scope `write` is not a value of `permissions`
    "#]],
    );
    check_job(
        "    permissions:\n",
        expect![[r#"
        6:17 error wrong-type expected a mapping for `permissions`, found nothing
    "#]],
    );
    accept("on: push\npermissions: {}\njobs: { a: { runs-on: x, permissions: read-all, steps: [run: 'true'] } }\n");
}

#[test]
fn concurrency_settings_agree() {
    check_job(
        "    concurrency: { group: x, queue: max, cancel-in-progress: true }\n",
        expect![[r#"
        6:37 error concurrency `queue: max` keeps runs waiting, and `cancel-in-progress: true` cancels them: choose one
    "#]],
    );
    check_job(
        "    concurrency: { queue: all, cancel-in-progress: 1 }\n",
        expect![[r#"
        6:18 error missing-key `concurrency` needs the key `group`
        6:27 error invalid-value `all` is not a value of `queue`
        6:52 error wrong-type expected true, false or an expression for `cancel-in-progress`, found a number
    "#]],
    );
    check_job(
        "    concurrency: ''\n",
        expect![[r#"
        6:18 error invalid-value the concurrency group must not be empty
    "#]],
    );
    check_job(
        &format!("    concurrency: {}\n", "x".repeat(401)),
        expect![[r#"
        6:18 error concurrency the name of a concurrency group has at most 400 characters
    "#]],
    );
}

#[test]
fn environments_containers_and_services_have_their_parts() {
    check_job(
        "    environment: { url: x }\n",
        expect![[r#"
        6:18 error missing-key `environment` needs the key `name`
    "#]],
    );
    check_job(
        "    environment: { name: x, url: '${{ secrets.x }}', deployment: perhaps }\n",
        expect![[r#"
        6:39 error expression-context Unrecognized named-value: 'secrets'; available here are github, inputs, vars, needs, strategy, matrix, job, runner, env and steps
        6:66 error wrong-type expected true, false or an expression for `deployment`, found a string
    "#]],
    );
    check_job(
        "    container: { env: { A: 1 }, ports: 80, entrypoint: x }\n    services:\n      db: { image: a, credentials: { username: x } }\n      no: { port: [1] }\n      empty: ''\n",
        expect![[r#"
            6:16 error missing-key `container` needs the key `image`
            6:40 error wrong-type expected a sequence for `ports`, found a number
            6:44 error unknown-key `entrypoint` is not a key of `container`
            8:36 error missing-key `credentials` needs the key `password`
            9:11 error missing-key service `no` needs the key `image`
            9:13 error unknown-key `port` is not a key of a service; did you mean `ports`?
            10:14 error invalid-value service `empty` must not be empty
        "#]],
    );
    check_job(
        "    snapshot: { version: 1.0, if: '${{ steps.x }}' }\n",
        expect![[r#"
        6:15 error missing-key `snapshot` needs the key `image-name`
        6:26 error invalid-value `1.0` is not a version of an image: expected a number and `.*`, as in `1.*`
        6:40 error expression-context Unrecognized named-value: 'steps'; available here are github, inputs, vars, needs, strategy and matrix
    "#]],
    );
}

#[test]
fn ports_and_images_may_be_written_as_they_come() {
    accept(
        "on: push\njobs: { a: { runs-on: x, container: '', services: { d: { image: '', ports: [80, '81:81/udp'] } }, steps: [run: 'true'] } }\n",
    );
}
