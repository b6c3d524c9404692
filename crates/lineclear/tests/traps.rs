//! Runs every workflow of `examples/traps/` through the binary and compares what happens with what its comments expect.
//!
//! `TRAP=058 cargo test -p lineclear --test traps` runs those whose name contains `058`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use lineclear_testkit::{Repository, Run, examples};
use serde_json::Value;

#[test]
fn every_trap_behaves_as_its_comments_say() {
    let folder = examples().join("traps");
    let chosen = std::env::var("TRAP").unwrap_or_default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the traps are there")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .filter(|path| path.to_string_lossy().contains(&chosen))
        .collect();
    // Those that wait for something say so in their text, and begin first.
    files.sort_by_key(|file| {
        let waits = std::fs::read_to_string(file).is_ok_and(|text| text.contains("sleep "));
        (!waits, file.clone())
    });
    assert!(!files.is_empty(), "there are traps");
    // Traps sleep more than they work, so several run at once.
    let next = std::sync::Mutex::new(files.iter());
    let wrong = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(file) = { next.lock().expect("no panic").next() } {
                    wrong.lock().expect("no panic").extend(check(file));
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().expect("no panic");
    wrong.sort();
    assert!(wrong.is_empty(), "{} expectations are not met:\n{}", wrong.len(), wrong.join("\n"));
    println!("{} traps hold", files.len());
}

/// What does not hold, each with the name of the trap.
fn check(file: &Path) -> Vec<String> {
    let name = file.file_stem().expect("a file").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(file).expect("a readable trap");
    let expectations: Vec<(&str, &str)> = text
        .lines()
        .map_while(|line| line.strip_prefix('#'))
        .filter_map(|line| line.split_once(':'))
        .map(|(what, text)| (what.trim(), text.trim()))
        .collect();
    let repository = Repository::new(&name);
    // Without its comments: what a run must not show may stand there.
    let workflow: String =
        text.lines().skip_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    repository.write(&format!(".github/workflows/{name}.yml"), &workflow);
    let setup = file.with_extension("setup.sh");
    if setup.exists() {
        let script = std::fs::read_to_string(setup).expect("a readable script");
        repository.sh(&format!("ACTIONS={}\n{script}", examples().join("traps/actions").display()));
    }
    let message = expectations.iter().find(|(what, _)| *what == "commit").map_or("trap", |(_, text)| text);
    repository.commit(message);

    let trap = Trap { repository: &repository, name: &name, expectations: &expectations, run: OnceLock::new() };
    let mut plan = None;
    let mut wrong: Vec<String> = Vec::new();
    for (what, text) in &expectations {
        let result = match *what {
            "plan args" => {
                plan = Some(Plan::of(&trap, text));
                Ok(())
            }
            _ => match &plan {
                Some(plan) => plan.holds(what, text),
                None => trap.holds(what, text),
            },
        };
        wrong.extend(result.err().map(|problem| format!("{name}: {problem}")));
    }
    if plan.is_none() && !expectations.iter().any(|(what, _)| *what == "exit") {
        wrong.extend(trap.holds("exit", "0").err().map(|problem| format!("{name}: {problem}")));
    }
    if let (false, Some(run)) = (wrong.is_empty(), trap.run.get()) {
        wrong.push(format!("{name}: what happened:\n{}", run.transcript()));
    }
    wrong
}

fn expect(what: &str, text: &str, holds: bool, found: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("`{what}: {text}`, but {found}")) }
}

/// One file of the folder, in its repository.
struct Trap<'t> {
    repository: &'t Repository,
    name: &'t str,
    expectations: &'t [(&'t str, &'t str)],
    run: OnceLock<Run>,
}

impl Trap<'_> {
    /// Runs the workflow, once.
    fn run(&self) -> &Run {
        self.run.get_or_init(|| {
            let mut args = vec!["run", "--format", "json"];
            let given = self.expectations.iter().filter(|(what, _)| *what == "args");
            args.extend(given.flat_map(|(_, text)| text.split_whitespace()));
            let mut command = self.repository.lineclear(&args);
            for (_, text) in self.expectations.iter().filter(|(what, _)| *what == "with") {
                let (name, value) = text.split_once('=').expect("NAME=VALUE");
                command.env(name, value.replace("{folder}", &self.repository.beside("").to_string_lossy()));
            }
            Run::of(command)
        })
    }

    /// Whether an expectation about the run holds.
    fn holds(&self, what: &str, text: &str) -> Result<(), String> {
        let (kind, subject) = what.split_once(' ').unwrap_or((what, ""));
        if matches!(kind, "trap" | "row" | "args" | "with" | "commit") {
            return Ok(());
        }
        let run = self.run();
        let expect = |holds: bool, found: &str| expect(what, text, holds, found);
        let field = |event: Option<&Value>, key: &str| {
            event.and_then(|event| event[key].as_str()).unwrap_or_default().to_owned()
        };
        match (kind, subject) {
            ("exit", "") => expect(run.exit.to_string() == text, &format!("it is {}; {}", run.exit, run.stderr)),
            ("stderr", "") => expect(run.stderr.contains(text), &format!("it is {}", run.stderr)),
            ("conclusion", "") => expect(run.last() == text, &format!("it is {}", run.last())),
            ("notice", "") => {
                let found: Vec<&str> = run.events("notice").filter_map(|event| event["message"].as_str()).collect();
                expect(found.iter().any(|message| message.contains(text)), &format!("there are {found:?}"))
            }
            ("job", job) => {
                let found = run.conclusion(job);
                expect(found == text, &format!("it is `{found}`"))
            }
            ("name", job) => {
                let found = field(run.job(job), "name");
                expect(found == text, &format!("it is `{found}`"))
            }
            ("reason", job) => {
                let found = field(run.job(job), "reason");
                expect(found.contains(text), &format!("it is `{found}`"))
            }
            ("waiting", job) => {
                let found: Vec<&str> = run
                    .events("job_waiting")
                    .filter(|event| event["job"] == *job)
                    .filter_map(|event| event["reason"].as_str())
                    .collect();
                expect(found.iter().any(|reason| reason.contains(text)), &format!("there are {found:?}"))
            }
            ("output", path) => {
                let (job, output) = path.rsplit_once('.').expect("JOB.OUTPUT");
                let found = run.output(job, output).unwrap_or_default();
                expect(found == text, &format!("it is `{found}`"))
            }
            ("step", path) => match path.strip_prefix("reason ").or(path.strip_prefix("name ")) {
                Some(path_of_step) => {
                    let (job, step) = path_of_step.rsplit_once('.').expect("JOB.STEP");
                    let key = if path.starts_with("reason ") { "reason" } else { "name" };
                    let found = field(run.step(job, step), key);
                    expect(found.contains(text), &format!("it is `{found}`"))
                }
                None => {
                    let (job, step) = path.rsplit_once('.').expect("JOB.STEP");
                    let event = run.step(job, step);
                    let found = event
                        .map(|event| format!("{} {}", field(Some(event), "outcome"), field(Some(event), "conclusion")));
                    expect(found.as_deref() == Some(text), &format!("it is {found:?}"))
                }
            },
            ("log", job) => expect(run.log(job).iter().any(|line| line.contains(text)), "no line contains it"),
            ("header", job) => expect(run.headers(job).contains(text), "no header contains it"),
            ("order", job) => {
                let log = run.log(job);
                let mut lines = log.iter();
                let missing = text.split(" | ").find(|part| !lines.any(|line| line.contains(part)));
                expect(missing.is_none(), &format!("`{}` does not come where it should", missing.unwrap_or_default()))
            }
            ("summary", job) => {
                let found = run.events("summary").filter(|event| event["job"] == *job);
                let found: Vec<&str> = found.filter_map(|event| event["markdown"].as_str()).collect();
                expect(found.iter().any(|markdown| markdown.contains(text)), &format!("there are {found:?}"))
            }
            ("annotation", job) => {
                let (level, message) = text.split_once(' ').unwrap_or((text, ""));
                expect(
                    annotations(run, job, level).any(|event| field(Some(event), "message").contains(message)),
                    "there is none",
                )
            }
            // `annotation at JOB: FILE:LINE`
            ("annotated", job) => {
                let place = |event: &Value| format!("{}:{}", field(Some(event), "file"), event["line"]);
                let found: Vec<String> =
                    run.events("annotation").filter(|event| event["job"] == *job).map(place).collect();
                expect(found.iter().any(|place| place == text), &format!("there are {found:?}"))
            }
            ("annotations", job) => {
                let (level, count) = text.split_once(' ').expect("LEVEL COUNT");
                let found = annotations(run, job, level).count();
                expect(found.to_string() == count, &format!("there are {found}"))
            }
            ("no", subject) => {
                let (kind, job) = subject.split_once(' ').expect("no KIND JOB");
                let found: Vec<String> = match kind {
                    "log" => run.log(job).into_iter().filter(|line| line.contains(text)).collect(),
                    "annotation" => annotations(run, job, text).map(Value::to_string).collect(),
                    "summary" => {
                        run.events("summary").filter(|event| event["job"] == *job).map(Value::to_string).collect()
                    }
                    _ => return Err(format!("`{what}` is no expectation")),
                };
                expect(found.is_empty(), &format!("there is {found:?}"))
            }
            // Nothing that the run printed or keeps contains the text.
            ("hidden", "") => {
                let printed =
                    run.all().iter().any(|event| event.to_string().contains(text)) || run.stderr.contains(text);
                let kept = self.repository.home_files_with(text);
                expect(!printed && kept.is_empty(), &format!("printed: {printed}, kept in {kept:?}"))
            }
            _ => Err(format!("`{what}` is no expectation")),
        }
    }
}

fn annotations<'r>(run: &'r Run, job: &'r str, level: &'r str) -> impl Iterator<Item = &'r Value> {
    run.events("annotation").filter(move |event| event["job"] == *job && event["level"] == *level)
}

/// What `lineclear plan` says of a trap's workflow.
struct Plan {
    exit: i32,
    workflow: Value,
    stderr: String,
}

impl Plan {
    fn of(trap: &Trap<'_>, args: &str) -> Self {
        let (exit, plan, stderr) = trap.repository.plan(&args.split_whitespace().collect::<Vec<_>>());
        let file = format!(".github/workflows/{}.yml", trap.name);
        let workflows = plan["workflows"].as_array().cloned().unwrap_or_default();
        let workflow = workflows.into_iter().find(|workflow| workflow["file"] == *file).unwrap_or_default();
        Self { exit, workflow, stderr }
    }

    fn jobs(&self) -> &[Value] {
        self.workflow["jobs"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Whether an expectation about the plan holds.
    fn holds(&self, what: &str, text: &str) -> Result<(), String> {
        let expect = |holds: bool, found: &str| expect(what, text, holds, found);
        let job = |key: &str| self.jobs().iter().find(|job| job["key"] == *key).cloned().unwrap_or_default();
        let texts = |list: &Value, key: &str| -> Vec<String> {
            list.as_array().into_iter().flatten().map(|one| one[key].as_str().unwrap_or_default().to_owned()).collect()
        };
        match what.split_once(' ').map_or((what, ""), |(kind, subject)| (kind, subject)) {
            ("triggered", "") => {
                let found = if self.workflow["triggered"] == true { "yes" } else { "no" };
                expect(found == text, &format!("{} {}", self.workflow["reason"], self.stderr))
            }
            ("why", "") => {
                let found = self.workflow["reason"].as_str().unwrap_or_default();
                expect(found.contains(text), &format!("it is `{found}` {}", self.stderr))
            }
            ("diagnostic", "") => {
                let found = texts(&self.workflow["diagnostics"], "message");
                expect(
                    found.iter().any(|message| message.contains(text)),
                    &format!("there are {found:?} {}", self.stderr),
                )
            }
            ("startup", "failure") => {
                let found = self.workflow["startup_failure"].as_str().unwrap_or_default();
                expect(found.contains(text), &format!("it is `{found}`"))
            }
            ("title", "") => expect(self.workflow["run_name"] == *text, &self.workflow["run_name"].to_string()),
            ("names", "") => {
                let found = texts(&self.workflow["jobs"], "name").join(" | ");
                expect(found == text, &format!("they are {found}"))
            }
            ("verdict", key) => {
                let found = job(key)["decision"]["verdict"].as_str().unwrap_or_default().to_owned();
                expect(found == text, &format!("it is `{found}`"))
            }
            ("because", key) => {
                let found = job(key)["decision"]["reason"].as_str().unwrap_or_default().to_owned();
                expect(found.contains(text), &format!("it is `{found}`"))
            }
            ("machine", key) => {
                let found = format!("{} {}", job(key)["runs_on"], job(key)["runner_group"]);
                expect(found == text, &format!("it is `{found}`"))
            }
            ("exit", "") => expect(self.exit.to_string() == text, &format!("it is {}; {}", self.exit, self.stderr)),
            ("stderr", "") => expect(self.stderr.contains(text), &format!("it is {}", self.stderr)),
            _ => Err(format!("`{what}` is no expectation about a plan")),
        }
    }
}
