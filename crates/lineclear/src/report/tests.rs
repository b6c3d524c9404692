//! What people see of a run: one history, shown plainly.

use std::io::Write;
use std::sync::{Arc, Mutex};

use expect_test::expect;
use lineclear_event::{Annotation, AnnotationLevel, Conclusion, Envelope, JobKey, Outcome, RunEvent, RunId, Timestamp};
use lineclear_source::Style;

use super::{Invocation, PlainReporter, Reach, Reporter, TreeReporter};

#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("reports are text")
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A job that succeeds with a summary, one that fails in its second step, and one that is skipped.
fn play(reporter: &mut dyn Reporter) {
    let (run, at) = (RunId(7), Timestamp(0));
    let (build, test, deploy) = (JobKey::new("build"), JobKey::new("test (3.12)"), JobKey::new("deploy"));
    let tell = |reporter: &mut dyn Reporter, event: RunEvent| reporter.event(&Envelope { event, run, at });
    let step = |job: &JobKey, step: &str, name: &str, code: i32| RunEvent::StepFinished {
        job: job.clone(),
        step: step.into(),
        name: name.into(),
        outcome: if code == 0 { Outcome::Success } else { Outcome::Failure },
        conclusion: if code == 0 { Conclusion::Success } else { Conclusion::Failure },
        duration_ms: 1250,
        exit_code: Some(code),
        reason: (code != 0).then(|| format!("exit code {code}")),
    };
    let job = |job: &JobKey, name: &str, conclusion: Conclusion, reason: Option<&str>| RunEvent::JobFinished {
        job: job.clone(),
        name: name.into(),
        conclusion,
        outputs: Default::default(),
        duration_ms: 2500,
        reason: reason.map(str::to_owned),
    };
    tell(
        reporter,
        RunEvent::RunStarted {
            version: 1,
            workflow: "CI".into(),
            file: ".github/workflows/ci.yml".into(),
            event_name: "push".into(),
            sha: "0".repeat(40),
            plan_hash: "1".into(),
            run_name: "Fix the build".into(),
        },
    );
    tell(reporter, RunEvent::JobWaiting { job: deploy.clone(), name: "Deploy".into(), reason: "needs test".into() });
    tell(reporter, RunEvent::JobStarted { job: build.clone(), name: "Build".into() });
    tell(reporter, RunEvent::StepStarted { job: build.clone(), step: "__run".into(), name: "Run make".into() });
    reporter.log(run, &build, "__run", at, b"##[group]Run make\n\x1b[36;1mmake\x1b[0m\n##[endgroup]\n");
    reporter.log(run, &build, "__run", at, b"##[group]Compile\ncc a.c\n##[endgroup]\n##[warning]old flag\n");
    tell(
        reporter,
        RunEvent::Summary {
            job: build.clone(),
            step: "__run".into(),
            markdown: "# Sizes\n| a |\n|---|\n| 1 |\n".into(),
        },
    );
    tell(reporter, step(&build, "__run", "Run make", 0));
    tell(reporter, job(&build, "Build", Conclusion::Success, None));
    tell(reporter, RunEvent::JobStarted { job: test.clone(), name: "Test on 3.12".into() });
    tell(reporter, RunEvent::StepStarted { job: test.clone(), step: "unit".into(), name: "Unit tests".into() });
    reporter.log(run, &test, "unit", at, b"##[group]Run pytest\nshell: bash\n##[endgroup]\ncollected 2 items\nModuleNotFoundError: No module named 'x'\n");
    tell(
        reporter,
        RunEvent::Annotation(Annotation {
            job: test.clone(),
            step: "unit".into(),
            level: AnnotationLevel::Error,
            message: "assert 1 == 2".into(),
            title: Some("test_one".into()),
            file: Some("tests/test_one.py".into()),
            line: Some(3),
            end_line: None,
            column: None,
            end_column: None,
        }),
    );
    tell(reporter, step(&test, "unit", "Unit tests", 1));
    tell(reporter, job(&test, "Test on 3.12", Conclusion::Failure, Some("step `Unit tests` failed with exit code 1")));
    tell(reporter, job(&deploy, "Deploy", Conclusion::Skipped, Some("needs test, which failed")));
    tell(reporter, RunEvent::RunFinished { conclusion: Conclusion::Failure, duration_ms: 5000 });
    reporter.close();
}

fn invocation() -> Invocation {
    Invocation {
        command: "lineclear run --event push".into(),
        starts: [".github/workflows/ci.yml".to_owned()].into(),
        options: String::new(),
        usual: super::Usual::default(),
        reach: Reach::Embedded,
        from_fork: false,
    }
}

#[test]
fn s1_132_a_plain_report_ends_with_step_command_exit_code_last_lines_hint_and_the_way_back() {
    let screen = Screen::default();
    play(&mut PlainReporter::new(Box::new(screen.clone()), Style::Plain, invocation()));
    expect![[r#"
        ▶ CI (.github/workflows/ci.yml) on push, run 7: Fix the build
        deploy | waits: needs test
        build | ▸ Run make
        build |   ▾ Compile
        build | cc a.c
        build | warning: old flag
        build | ✓ Run make 1.2s
        build | ✓ Build: success in 2.5s
        test (3.12) | ▸ Unit tests
        test (3.12) | collected 2 items
        test (3.12) | ModuleNotFoundError: No module named 'x'
        test (3.12) | ✗ Unit tests 1.2s (exit code 1)
        test (3.12) | ✗ Test on 3.12: failure in 2.5s: step `Unit tests` failed with exit code 1
        deploy | - Deploy: skipped in 2.5s: needs test, which failed

        Summary of Build
          Sizes
            a
            ─
            1

        Annotations
          error tests/test_one.py:3 test_one: assert 1 == 2  (test (3.12))

        Test on 3.12 failed
          step:       Unit tests
          command:    pytest
          exit code:  1
          last lines:
            collected 2 items
            ModuleNotFoundError: No module named 'x'
          hint:       a Python module is missing: is it in the requirements, and did the install step run with the same interpreter?
          run again:  lineclear run --event push -W .github/workflows/ci.yml -j test

        CI
          ✓ Build            2.5s
          ✗ Test on 3.12     2.5s  step `Unit tests` failed with exit code 1
          - Deploy           2.5s  needs test, which failed
          ✗ failure in 5.0s
    "#]]
    .assert_eq(&screen.text());
}

#[test]
fn a_run_that_followed_another_is_run_again_by_its_record() {
    for (options, expected) in [
        ("", "run again:  lineclear replay 7 --run\n"),
        ("--secret TOKEN", "run again:  lineclear replay 7 --run -- --secret TOKEN\n"),
    ] {
        let screen = Screen::default();
        let invocation = Invocation { starts: [].into(), options: options.to_owned(), ..invocation() };
        play(&mut PlainReporter::new(Box::new(screen.clone()), Style::Plain, invocation));
        assert!(screen.text().contains(expected), "{}", screen.text());
    }
}

#[test]
fn the_live_tree_keeps_finished_jobs_and_takes_the_rest_away() {
    let screen = Screen::default();
    play(&mut TreeReporter::new(Box::new(screen.clone()), Style::Plain, invocation()));
    let text = screen.text();
    assert!(text.contains("✓ Build  2.5s\n    ✓ Run make  1.2s\n"), "{text}");
    assert!(text.contains("✗ Test on 3.12  2.5s  step `Unit tests` failed with exit code 1\n"), "{text}");
    // What was drawn last is erased before the closing report.
    let closing = text.rfind("Summary of Build").expect("the closing report");
    assert!(!text[closing..].contains('\u{1b}'), "{text}");
}
