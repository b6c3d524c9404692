//! Runs every workflow of `examples/traps/` through the binary and compares what happens with what its comments expect.

mod harness;

use std::path::{Path, PathBuf};

use harness::{Repository, Run, examples};

#[test]
fn every_trap_behaves_as_its_comments_say() {
    let folder = examples().join("traps");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the traps are there")
        .map(|entry| entry.expect("a readable entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are traps");
    // Traps sleep more than they work, so several run at once.
    let next = std::sync::Mutex::new(files.iter());
    let wrong = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(file) = { next.lock().expect("no panic").next() } {
                    wrong.lock().expect("no panic").extend(check(file));
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{} expectations are not met:\n{}", wrong.len(), wrong.join("\n"));
    println!("{} traps hold", files.len());
}

/// What does not hold, each with the name of the trap.
fn check(file: &Path) -> Vec<String> {
    let name = file.file_stem().expect("a file").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(file).expect("a readable trap");
    let repository = Repository::new(&name);
    repository.write(&format!(".github/workflows/{name}.yml"), &text);
    let setup = file.with_extension("setup.sh");
    if setup.exists() {
        repository.sh(&std::fs::read_to_string(setup).expect("a readable script"));
    }
    repository.commit("trap");
    let expectations: Vec<(&str, &str)> = text
        .lines()
        .map_while(|line| line.strip_prefix('#'))
        .filter_map(|line| line.split_once(": "))
        .map(|(what, text)| (what.trim(), text.trim()))
        .collect();
    let args = expectations.iter().filter(|(what, _)| *what == "args").flat_map(|(_, text)| text.split_whitespace());
    let run = repository.run(&args.collect::<Vec<_>>());
    let expects_exit = expectations.iter().any(|(what, _)| *what == "exit");
    let mut wrong: Vec<String> = expectations
        .iter()
        .filter_map(|(what, text)| one(&run, what, text).err())
        .chain((!expects_exit).then(|| one(&run, "exit", "0").err()).flatten())
        .map(|problem| format!("{name}: {problem}"))
        .collect();
    if !wrong.is_empty() {
        wrong.push(format!("{name}: what happened:\n{}", run.transcript()));
    }
    wrong
}

fn one(run: &Run, what: &str, text: &str) -> Result<(), String> {
    let (kind, subject) = what.split_once(' ').unwrap_or((what, ""));
    let expect = |holds: bool, found: String| if holds { Ok(()) } else { Err(format!("`{what}: {text}`, but {found}")) };
    match (kind, subject) {
        ("trap" | "args", _) => Ok(()),
        ("exit", _) => expect(run.exit.to_string() == text, format!("the exit code is {}; {}", run.exit, run.stderr)),
        ("stderr", _) => expect(run.stderr.contains(text), format!("standard error is {}", run.stderr)),
        ("job", job) => {
            let found = run.job(job).map(|event| event["conclusion"].as_str().unwrap_or_default().to_owned());
            expect(found.as_deref() == Some(text), format!("it is {found:?}"))
        }
        ("reason", job) => {
            let found = run.job(job).and_then(|event| event["reason"].as_str().map(str::to_owned)).unwrap_or_default();
            expect(found.contains(text), format!("it is {found:?}"))
        }
        ("output", path) => {
            let (job, output) = path.rsplit_once('.').expect("job.output");
            let found = run.job(job).map(|event| event["outputs"][output].clone());
            expect(found.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default() == text, format!("it is {found:?}"))
        }
        ("step", path) => {
            let (job, step) = path.rsplit_once('.').expect("job.step");
            let found = run.step(job, step);
            let shown = found.map(|event| {
                format!("{} {}", event["outcome"].as_str().unwrap_or("?"), event["conclusion"].as_str().unwrap_or("?"))
            });
            expect(shown.as_deref() == Some(text), format!("it is {shown:?}"))
        }
        ("log", job) => expect(run.log(job).iter().any(|line| line.contains(text)), "no line contains it".into()),
        ("no", subject) => {
            let job = subject.strip_prefix("log ").expect("`no log JOB`");
            let line = run.log(job).into_iter().find(|line| line.contains(text));
            expect(line.is_none(), format!("there is {line:?}"))
        }
        ("annotation", job) => {
            let (level, message) = text.split_once(' ').unwrap_or((text, ""));
            let found = run.events("annotation").any(|event| {
                event["job"] == *job
                    && event["level"] == *level
                    && event["message"].as_str().is_some_and(|text| text.contains(message))
            });
            expect(found, "there is none".into())
        }
        _ => Err(format!("`{what}` is no expectation")),
    }
}
