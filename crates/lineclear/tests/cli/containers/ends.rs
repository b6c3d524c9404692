//! How jobs with containers end when they do not end by themselves: nothing is left, whatever it was.

use std::time::Duration;

use lineclear_testkit::{Repository, Run, Started, within};

use super::{Ran, conclusion, left_by, repository};

/// Starts a run and waits until a container of it does `what`.
fn started(repository: &Repository, marker: &str) -> Started {
    let mark = repository.beside(marker);
    let started = Started::new(repository.lineclear(&["run", "--format", "json"]));
    assert!(within(Duration::from_secs(100), || mark.exists()), "the container never got there");
    started
}

/// A workflow in whose texts `MARK` is a file beside the repository that containers can make.
fn marked(name: &str, workflow: &str) -> Repository {
    let repository = Repository::new(name);
    let folder = repository.beside("marks");
    std::fs::create_dir(&folder).expect("a folder");
    let text = super::with_image(workflow).replace("MARKS", &folder.to_string_lossy());
    repository.write(".github/workflows/w.yml", &text);
    repository.commit("first");
    repository
}

const WAITS: &str = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    services:
      slow:
        image: IMAGE
        volumes: ['MARKS:/marks']
        options: --health-cmd false --health-interval 1s --health-start-period 600s
        command: sh -c \"touch /marks/there; sleep 600\"
    steps:
      - run: echo never
";

#[test]
fn a_job_is_cancelled_while_its_services_are_awaited() {
    let repository = marked("awaited", WAITS);
    let started = started(&repository, "marks/there");
    started.signal("INT");
    let ran = Ran::end(started);
    assert_eq!((ran.run.exit, ran.left.as_str()), (130, ""), "{}", ran.run.transcript());
    assert_eq!(conclusion(&ran.run, "a", "__initialize_containers"), "cancelled", "{}", ran.run.transcript());
}

const WORKS: &str = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container:
      image: IMAGE
      volumes: ['MARKS:/marks']
    steps:
      - run: trap 'echo interrupted; exit 1' INT; touch /marks/there; while true; do sleep 0.1; done
      - if: always()
        run: echo after the cancellation
";

#[test]
fn a_step_in_a_container_is_interrupted_and_always_steps_still_run() {
    let repository = marked("interrupted", WORKS);
    let started = started(&repository, "marks/there");
    started.signal("INT");
    let ran = Ran::end(started);
    assert_eq!((ran.run.exit, ran.left.as_str()), (130, ""), "{}", ran.run.transcript());
    let log = ran.run.log("a");
    for line in ["interrupted", "after the cancellation"] {
        assert!(log.iter().any(|said| said == line), "{line}: {}", ran.run.transcript());
    }
}

// S4-10, S3-8
#[test]
fn a_kill_of_lineclear_leaves_nothing_in_the_engine() {
    for workflow in [WAITS, WORKS] {
        let repository = marked("killed", workflow);
        let started = started(&repository, "marks/there");
        let pid = started.id();
        assert_ne!(left_by(pid), "", "there is something to be left");
        started.signal("KILL");
        let _ = started.finish();
        assert!(within(Duration::from_secs(90), || left_by(pid).is_empty()), "{}", left_by(pid));
    }
}

#[test]
fn a_docker_action_is_stopped_when_its_time_is_over() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - id: long
        timeout-minutes: 0.03
        uses: docker://IMAGE
        with: { args: sh -c \"trap 'echo interrupted; exit 0' INT; while true; do sleep 0.1; done\" }
";
    let ran = Ran::of(&repository("long-action", workflow), &[]);
    let run: Run = ran.fails();
    assert!(run.log("a").iter().any(|line| line == "interrupted"), "{}", run.transcript());
    assert!(super::reason(&run, "a", "long").contains("timeout-minutes"), "{}", run.transcript());
}

#[test]
fn what_steps_leave_in_the_engine_goes_with_the_job() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: |
          docker run --detach --name leaves IMAGE sh -c 'echo left alone; sleep 600'
          docker network create leaves-net
          docker ps --format '{{.Names}}' | grep -x leaves
      - run: docker login --help > /dev/null && test -n \"$DOCKER_CONFIG\" && test ! -e \"$DOCKER_CONFIG/contexts\"
";
    Ran::of(&repository("leaves", workflow), &[]).succeeds();
}
