//! Actions: composite and JavaScript, local and remote, with their stages.

use expect_test::expect;

use crate::bench::{Bench, check_job};

const SAY: &str = "
const fs = require('fs');
const stage = process.argv[1].split('/').pop().replace('.js', '');
console.log(`${stage} ${process.env['INPUT_WHO'] ?? '-'} state=${process.env.STATE_mark ?? '-'}`);
fs.appendFileSync(process.env.GITHUB_STATE, `mark=${(process.env.STATE_mark ?? '') + stage}\\n`);
";

fn staged(bench: Bench, name: &str) -> Bench {
    bench
        .action(
            name,
            "action.yml",
            "name: staged
inputs: { who: { default: nobody } }
runs: { using: node20, pre: pre.js, main: main.js, post: post.js }
",
        )
        .action(name, "pre.js", SAY)
        .action(name, "main.js", SAY)
        .action(name, "post.js", SAY)
}

#[test]
fn traps_66_67_and_68_stages_run_in_their_order_each_call_with_its_own_state() {
    staged(
        Bench::new(
            "steps:
- run: echo first
- uses: octo/staged@v1
  with: { who: one }
- name: Second
  uses: octo/staged@v1
  with: { who: two }
- if: false
  uses: octo/staged@v1
  with: { who: skipped }
",
        ),
        "octo/staged@v1",
    )
    .check(expect![[r#"
        > __set_up_job: Set up job
          Download action repository 'octo/staged@v1'
        < __set_up_job success
        > __pre_octo_staged: Pre Run octo/staged@v1
          pre one state=-
        < __pre_octo_staged success
        > __pre_octo_staged_2: Pre Second
          pre two state=-
        < __pre_octo_staged_2 success
        > __pre_octo_staged_3: Pre Run octo/staged@v1
          pre skipped state=-
        < __pre_octo_staged_3 success
        > __run: Run echo first
          first
        < __run success
        > __octo_staged: Run octo/staged@v1
          main one state=pre
        < __octo_staged success
        > __octo_staged_2: Second
          main two state=pre
        < __octo_staged_2 success
        - __octo_staged_3: Run octo/staged@v1: if: `false` is false
        > __post_octo_staged_3: Post Run octo/staged@v1
          Post job cleanup.
          post skipped state=pre
        < __post_octo_staged_3 success
        > __post_octo_staged_2: Post Second
          Post job cleanup.
          post two state=premain
        < __post_octo_staged_2 success
        > __post_octo_staged: Post Run octo/staged@v1
          Post job cleanup.
          post one state=premain
        < __post_octo_staged success
        = success
    "#]]);
}

#[test]
fn trap_66_a_local_action_has_no_pre_stage() {
    Bench::new("steps:\n- uses: ./local\n")
        .file("local/action.yml", "name: l\nruns: { using: node20, pre: pre.js, main: main.js }\n")
        .file("local/pre.js", "console.log('never')")
        .file("local/main.js", "console.log('main')")
        .check(expect![[r#"
            > __self: Run ./local
              ! Warning: The `pre` execution is not supported for local action from './local'
              main
            < __self success
            = success
        "#]]);
}

#[test]
fn traps_13_74_and_75_inputs_reach_a_javascript_action_under_their_names() {
    Bench::new(
        "steps:
- uses: ./js
  with: { Fetch-Depth: 0, 'my name': x, unknown: 1, old: y, flag: true, empty: }
",
    )
    .file(
        "js/action.yml",
        "name: js
inputs:
  fetch-depth: { default: '1' }
  my name: {}
  with-default: { default: '${{ github.ref }}' }
  required-one: { required: true }
  old: { deprecationMessage: use new }
  flag: {}
  empty: { default: full }
runs: { using: node16, main: main.js }
",
    )
    .file("js/main.js", "for (const [k, v] of Object.entries(process.env).sort()) if (k.startsWith('INPUT_')) console.log(`${k}=${v}`)")
    .check(expect![[r#"
        > __self: Run ./js
          ! Warning: Unexpected input(s) 'unknown', valid inputs are ['fetch-depth', 'my name', 'with-default', 'required-one', 'old', 'flag', 'empty']
          ! Warning: Input 'old' has been deprecated with message: use new
          INPUT_EMPTY=
          INPUT_FETCH-DEPTH=0
          INPUT_FLAG=true
          INPUT_MY_NAME=x
          INPUT_OLD=y
          INPUT_UNKNOWN=1
          INPUT_WITH-DEFAULT=refs/heads/main
        < __self success
        = success
    "#]]);
}

#[test]
fn an_output_that_is_not_declared_comes_back_from_a_javascript_action() {
    Bench::new("steps:\n- id: js\n  uses: ./js\n- run: echo ${{ steps.js.outputs.undeclared }}\n")
        .file("js/action.yml", "name: js\nruns: { using: node12, main: main.js }\n")
        .file("js/main.js", "require('fs').appendFileSync(process.env.GITHUB_OUTPUT, 'undeclared=yes\\n')")
        .check(expect![[r#"
            > js: Run ./js
            < js success
            > __run: Run echo yes
              yes
            < __run success
            = success
        "#]]);
}

#[test]
fn a_javascript_action_that_fails_fails_its_step() {
    Bench::new("steps:\n- uses: ./js\n")
        .file("js/action.yml", "name: js\nruns: { using: node24, main: main.js }\n")
        .file("js/main.js", "console.log('::error::it broke'); process.exitCode = 1")
        .check(expect![[r#"
            > __self: Run ./js
              ! Notice: `./js` asks for Node 24 and runs on this machine's Node v20.20.2 (`/usr/bin/node`)
              ! Error: it broke
            < __self failure (exit code 1)
            = failure: step `Run ./js` failed with exit code 1
        "#]]);
}

#[test]
fn s1_136_a_composite_action_has_inputs_outputs_and_a_scope_of_its_own() {
    Bench::new(
        "env: { FROM: job }
steps:
- id: outer
  run: echo x=outer >> $GITHUB_OUTPUT
- id: call
  uses: ./greet
  with: { who: World }
  env: { CALLER: caller }
- run: echo '${{ steps.call.outputs.greeting }}' '[${{ steps.call.outputs.hidden }}]' '[${{ steps.inner.outputs.x }}]' $LEAK
",
    )
    .file(
        "greet/action.yml",
        "name: greet
inputs: { who: { required: true }, how: { default: Hello } }
outputs:
  greeting: { value: '${{ steps.inner.outputs.x }}' }
runs:
  using: composite
  steps:
  - id: inner
    run: |
      echo \"x=${{ inputs.how }} ${{ inputs.who }}\" >> $GITHUB_OUTPUT
      echo hidden=1 >> $GITHUB_OUTPUT
      echo \"$FROM $CALLER [${{ steps.outer.outputs.x }}] [$INPUT_WHO] ${{ env.CALLER }}\"
      echo LEAK=leaked >> $GITHUB_ENV
    shell: bash
",
    )
    .check(expect![[r#"
        > outer: Run echo x=outer >> $GITHUB_OUTPUT
        < outer success
        > call: Run ./greet
          job caller [] [] caller
        < call success
        > __run: Run echo 'Hello World' '[]' '[]' $LEAK
          Hello World [] [] leaked
        < __run success
        = success
    "#]]);
}

#[test]
fn trap_14_defaults_do_not_reach_into_a_composite_action() {
    Bench::new("defaults: { run: { shell: sh, working-directory: sub } }\nsteps:\n- uses: ./inner\n")
        .file("sub/a", "")
        .file("inner/action.yml", "name: i\nruns:\n  using: composite\n  steps:\n  - { run: 'pwd; echo ${BASH_VERSION:+bash}', shell: bash }\n  - { run: pwd, shell: bash, working-directory: sub }\n")
        .check(expect![[r#"
            > __self: Run ./inner
              $REPO
              bash
              $REPO/sub
            < __self success
            = success
        "#]]);
}

#[test]
fn trap_69_each_action_sees_its_own_place_and_the_outer_one_gets_it_back() {
    let show =
        "echo $GITHUB_ACTION_PATH ${{ github.action_path }} [$GITHUB_ACTION_REPOSITORY] [${{ github.action_ref }}]";
    Bench::new(&format!("steps:\n- uses: octo/outer@v2\n- run: '{show}'\n"))
        .action(
            "octo/outer@v2",
            "action.yml",
            &format!("name: o\nruns:\n  using: composite\n  steps:\n  - {{ run: '{show}', shell: bash }}\n  - uses: octo/inner/sub@v3\n  - {{ run: '{show}', shell: bash }}\n"),
        )
        .action("octo/inner@v3", "sub/action.yaml", &format!("name: i\nruns:\n  using: composite\n  steps:\n  - {{ run: '{show}', shell: bash }}\n"))
        .check(expect![[r#"
            > __set_up_job: Set up job
              Download action repository 'octo/outer@v2'
              Download action repository 'octo/inner/sub@v3'
            < __set_up_job success
            > __octo_outer: Run octo/outer@v2
              $REMOTE/octo/outer@v2 $REMOTE/octo/outer@v2 [octo/outer] [v2]
              $REMOTE/octo/inner@v3/sub $REMOTE/octo/inner@v3/sub [octo/inner] [v3]
              $REMOTE/octo/outer@v2 $REMOTE/octo/outer@v2 [octo/outer] [v2]
            < __octo_outer success
            > __run: Run echo $GITHUB_ACTION_PATH  [$GITHUB_ACTION_REPOSITORY] []
              [] []
            < __run success
            = success
        "#]]);
}

#[test]
fn trap_70_outputs_exist_also_after_a_failure() {
    Bench::new(
        "steps:\n- id: c\n  uses: ./c\n- if: always()\n  run: echo ${{ steps.c.outputs.x }} ${{ steps.c.outcome }}\n",
    )
    .file(
        "c/action.yml",
        "name: c
outputs: { x: { value: '${{ steps.a.outputs.x }}' } }
runs:
  using: composite
  steps:
  - { id: a, run: 'echo x=1 >> $GITHUB_OUTPUT', shell: bash }
  - { name: Break, run: exit 5, shell: bash }
  - { run: echo never, shell: bash }
",
    )
    .check(expect![[r#"
            > c: Run ./c
              ! Error: Process completed with exit code 5.
            < c failure (step `Break` failed with exit code 5)
            > __run: Run echo 1 failure
              1 failure
            < __run success
            = failure: step `Run ./c` failed: step `Break` failed with exit code 5
        "#]]);
}

#[test]
fn trap_71_conditions_inside_look_at_the_action_itself() {
    Bench::new("steps:\n- run: exit 1\n- if: always()\n  uses: ./c\n")
        .file(
            "c/action.yml",
            "name: c
runs:
  using: composite
  steps:
  - { run: 'echo runs, job ${{ job.status }}', shell: bash }
  - { run: echo never, shell: bash, if: failure() }
  - { run: exit 1, shell: bash, continue-on-error: true }
  - { run: 'echo still fine', shell: bash }
  - { run: exit 1, shell: bash }
  - { run: echo failed inside, shell: bash, if: failure() }
",
        )
        .check(expect![[r#"
            > __run: Run exit 1
              ! Error: Process completed with exit code 1.
            < __run failure (exit code 1)
            > __self: Run ./c
              runs, job failure
              ! Error: Process completed with exit code 1.
              still fine
              ! Error: Process completed with exit code 1.
              failed inside
            < __self failure (step `Run exit 1` failed with exit code 1)
            = failure: step `Run exit 1` failed with exit code 1
        "#]]);
}

#[test]
fn traps_67_and_73_inner_posts_run_nested_and_a_local_action_inside_a_remote_one_is_the_workspaces() {
    staged(Bench::new("steps:\n- uses: octo/all@v1\n- run: echo last\n"), "octo/staged@v1")
        .action(
            "octo/all@v1",
            "action.yml",
            "name: all
runs:
  using: composite
  steps:
  - { uses: octo/staged@v1, with: { who: a } }
  - { uses: ./local }
  - { name: B, uses: octo/staged@v1, with: { who: b } }
",
        )
        .file("local/action.yml", "name: l\nruns:\n  using: composite\n  steps: [{ run: echo local, shell: bash }]\n")
        .check(expect![[r#"
            > __set_up_job: Set up job
              Download action repository 'octo/all@v1'
              Download action repository 'octo/staged@v1'
            < __set_up_job success
            > __pre_octo_all: Pre Run octo/all@v1
              pre a state=-
              pre b state=-
            < __pre_octo_all success
            > __octo_all: Run octo/all@v1
              main a state=pre
              local
              main b state=pre
            < __octo_all success
            > __run: Run echo last
              last
            < __run success
            > __post_octo_all: Post Run octo/all@v1
              Post job cleanup.
              ##[group]Post B
              post b state=premain
              ##[endgroup]
              ##[group]Post Run octo/staged@v1
              post a state=premain
              ##[endgroup]
            < __post_octo_all success
            = success
        "#]]);
}

#[test]
fn a_local_composite_runs_the_pre_stage_of_a_remote_action_when_it_is_reached() {
    staged(Bench::new("steps:\n- run: echo first\n- uses: ./local\n"), "octo/staged@v1")
        .file("local/action.yml", "name: l\nruns:\n  using: composite\n  steps: [{ uses: octo/staged@v1 }]\n")
        .check(expect![[r#"
            > __run: Run echo first
              first
            < __run success
            > __self: Run ./local
              pre nobody state=-
              main nobody state=pre
            < __self success
            > __post_self: Post Run ./local
              Post job cleanup.
              ##[group]Post Run octo/staged@v1
              post nobody state=premain
              ##[endgroup]
            < __post_self success
            = success
        "#]]);
}

#[test]
fn trap_78_a_bare_dockerfile_is_a_docker_action_and_those_are_refused_with_the_way_out() {
    Bench::new("steps:\n- uses: ./docker\n- if: always()\n  uses: docker://alpine:3\n")
        .file("docker/Dockerfile", "FROM scratch\n")
        .check(expect![[r#"
            > __pull_alpine_3: Pull alpine:3
              ! Warning: no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST); a step that uses `docker://alpine:3` fails when it is reached
            < __pull_alpine_3 success
            > __self: Run ./docker
              ! Error: `./docker` is a Docker action, and no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST)
            < __self failure (`./docker` is a Docker action, and no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST))
            > __alpine_3: Run docker://alpine:3
              ! Error: `docker://alpine:3` is a Docker action, and no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST)
            < __alpine_3 failure (`docker://alpine:3` is a Docker action, and no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST))
            = failure: step `Run ./docker` failed: `./docker` is a Docker action, and no container engine was found (the bench has none): start Docker or Podman, or name an engine (`--engine`, DOCKER_HOST)
        "#]]);
}

#[test]
fn what_cannot_be_had_is_told_at_once_and_fails_only_the_step_that_uses_it() {
    check_job(
        "steps:\n- run: echo first\n- if: false\n  uses: octo/missing@v1\n- uses: octo/missing@v1\n",
        expect![[r#"
            > __set_up_job: Set up job
              ! Warning: the action `octo/missing@v1` is not on the bench; a step that uses it fails when it is reached
            < __set_up_job success
            > __run: Run echo first
              first
            < __run success
            - __octo_missing: Run octo/missing@v1: if: `false` is false
            > __octo_missing_2: Run octo/missing@v1
              ! Error: the action `octo/missing@v1` is not on the bench
            < __octo_missing_2 failure (the action `octo/missing@v1` is not on the bench)
            = failure: step `Run octo/missing@v1` failed: the action `octo/missing@v1` is not on the bench
        "#]],
    );
}

#[test]
fn a_local_action_without_a_checkout_says_so() {
    check_job(
        "steps:\n- uses: ./not/there\n- if: always()\n  uses: ./../outside\n",
        expect![[r#"
        > __self: Run ./not/there
          ! Error: there is no `action.yml`, `action.yaml` or `Dockerfile` for `./not/there` in `$REPO/not/there`: a local action is read from the workspace when its step is reached; run actions/checkout before it
        < __self failure (there is no `action.yml`, `action.yaml` or `Dockerfile` for `./not/there` in `$REPO/not/there`: a local action is read from the workspace when its step is reached; run actions/checkout before it)
        > __self_2: Run ./../outside
          ! Error: `./../outside` leads out of the workspace
        < __self_2 failure (`./../outside` leads out of the workspace)
        = failure: step `Run ./not/there` failed: there is no `action.yml`, `action.yaml` or `Dockerfile` for `./not/there` in `$REPO/not/there`: a local action is read from the workspace when its step is reached; run actions/checkout before it
    "#]],
    );
}

#[test]
fn an_action_that_is_not_valid_is_an_error_with_its_place() {
    Bench::new("steps:\n- uses: ./bad\n")
        .file("bad/action.yml", "name: bad\nruns:\n  using: node99\n  main: x.js\n")
        .check(expect![[r#"
            > __self: Run ./bad
              ! Error: the metadata of action `./bad` is not valid: ./bad/action.yml:3:10 `node99` is not a way to run an action
            < __self failure (the metadata of action `./bad` is not valid: ./bad/action.yml:3:10 `node99` is not a way to run an action)
            = failure: step `Run ./bad` failed: the metadata of action `./bad` is not valid: ./bad/action.yml:3:10 `node99` is not a way to run an action
        "#]]);
}

#[test]
fn the_repository_of_the_workflow_itself_holds_actions_too() {
    Bench::new("steps:\n- run: rm -r tools\n- uses: $/tools/hi\n")
        .file("tools/hi/action.yml", "name: hi\nruns:\n  using: composite\n  steps: [{ run: 'echo hi from [$GITHUB_ACTION_REPOSITORY]', shell: bash }]\n")
        .check(expect![[r#"
            > __set_up_job: Set up job
              Use the action '$/tools/hi' of the workflow's own repository
            < __set_up_job success
            > __run: Run rm -r tools
            < __run success
            > __self: Run $/tools/hi
              hi from [octo/Repo]
            < __self success
            = success
        "#]]);
}

#[test]
fn composite_actions_are_not_nested_for_ever() {
    let happened = Bench::new("steps:\n- uses: ./again\n")
        .file("again/action.yml", "name: again\nruns:\n  using: composite\n  steps: [{ uses: ./again }]\n")
        .run();
    assert!(happened.report.reason.unwrap().contains("more than 9 deep"));
}

#[test]
fn a_composite_step_without_a_shell_is_an_error() {
    Bench::new("steps:\n- uses: ./c\n")
        .file("c/action.yml", "name: c\nruns:\n  using: composite\n  steps: [{ run: echo hi }]\n")
        .check(expect![[r#"
            > __self: Run ./c
              ! Error: the metadata of action `./c` is not valid: ./c/action.yml:4:13 a step with `run` in a composite action needs the key `shell`
            < __self failure (the metadata of action `./c` is not valid: ./c/action.yml:4:13 a step with `run` in a composite action needs the key `shell`)
            = failure: step `Run ./c` failed: the metadata of action `./c` is not valid: ./c/action.yml:4:13 a step with `run` in a composite action needs the key `shell`
        "#]]);
}

#[test]
fn a_post_stage_can_be_conditional_and_its_failure_fails_the_job() {
    Bench::new("steps:\n- uses: octo/a@v1\n- uses: octo/b@v1\n")
        .action("octo/a@v1", "action.yml", "name: a\nruns: { using: node20, main: m.js, post: p.js }\n")
        .action("octo/a@v1", "m.js", "")
        .action("octo/a@v1", "p.js", "process.exit(2)")
        .action(
            "octo/b@v1",
            "action.yml",
            "name: b\nruns: { using: node20, main: m.js, post: p.js, post-if: failure() }\n",
        )
        .action("octo/b@v1", "m.js", "")
        .action("octo/b@v1", "p.js", "console.log('never')")
        .check(expect![[r#"
            > __set_up_job: Set up job
              Download action repository 'octo/a@v1'
              Download action repository 'octo/b@v1'
            < __set_up_job success
            > __octo_a: Run octo/a@v1
            < __octo_a success
            > __octo_b: Run octo/b@v1
            < __octo_b success
            - __post_octo_b: Post Run octo/b@v1: if: `failure()` is false
            > __post_octo_a: Post Run octo/a@v1
              Post job cleanup.
            < __post_octo_a failure (exit code 2)
            = failure: step `Post Run octo/a@v1` failed with exit code 2
        "#]]);
}
