//! What is measured, and against what.

use std::path::PathBuf;

use anyhow::Result;

use super::Bench;
use super::measure::Figures;
use crate::shell::Cmd;

/// One row: a command of ours beside the least that the same work can cost, or beside a peer.
pub struct Case {
    /// Its number among the goals.
    pub goal: &'static str,
    pub what: String,
    pub own: Job,
    pub other: Job,
    pub other_name: &'static str,
    pub quantity: Quantity,
    /// The ratio that is wanted, at most.
    pub limit: f64,
    /// What the figures are divided by: the number of steps, for figures per step.
    pub per: (f64, f64),
    /// A command of ours whose cost is taken off: what is not part of what is measured, such as start-up. Runs in turns, too.
    pub less: Option<Job>,
}

/// A command with its surroundings.
pub struct Job {
    pub command: Vec<String>,
    pub folder: PathBuf,
    pub env: Vec<(String, String)>,
    /// A script to be run before each round, unmeasured.
    pub before: Option<String>,
    /// Exit codes that are no failure.
    pub exits: &'static [i32],
}

#[derive(Clone, Copy, Debug)]
pub enum Quantity {
    Wall,
    Cpu,
    Memory,
}

impl Quantity {
    pub fn of(self, figures: &Figures) -> f64 {
        match self {
            Self::Wall => figures.wall,
            Self::Cpu => figures.cpu,
            Self::Memory => figures.memory,
        }
    }

    pub fn show(self, value: f64) -> String {
        match self {
            Self::Memory => format!("{value:.1} MiB"),
            Self::Wall | Self::Cpu if value < 0.1 => format!("{:.2} ms", value * 1e3),
            Self::Wall | Self::Cpu => format!("{value:.3} s"),
        }
    }
}

const SECRET: &str = "hunter2-s3cr3t";
const LINES: &str = "seq 1 1000000 | sed -e 's/^/line /' -e '0~10s/$/ token=hunter2-s3cr3t/'";
const BYTES: &str = r#"awk 'BEGIN { for (i = 0; i < 2000000; i++) print "the quick brown fox jumps over the lazy dog; one hundred bytes a line, all in all, newline included" }'"#;

/// All rows.
pub fn all(bench: &Bench) -> Result<Vec<Case>> {
    let repository = bench.place.join("repository");
    workflows(&repository)?;
    let script = bench.place.join("true.sh");
    std::fs::write(&script, "true\n")?;
    std::fs::write(bench.place.join("lines.sh"), LINES)?;
    std::fs::write(bench.place.join("bytes.sh"), BYTES)?;
    let script = script.to_string_lossy().into_owned();
    let spawn = |count: usize, at_once: usize| {
        let program = bench.place.join("spawn").to_string_lossy().into_owned();
        job(bench, vec![program, count.to_string(), at_once.to_string(), script.clone()])
    };
    let steps = |count: usize| {
        let script = crate::shell::root().join("xtask/bench/steps.sh").to_string_lossy().into_owned();
        job(bench, vec!["bash".into(), script, count.to_string()])
    };
    let run = |workflow: &str, more: &[&str]| {
        let mut command = vec![bench.lineclear.to_string_lossy().into_owned(), "run".into()];
        command.extend(["-W".into(), format!(".github/workflows/{workflow}.yml")]);
        command.extend(more.iter().map(|word| (*word).to_owned()));
        Job { folder: repository.clone(), ..job(bench, command) }
    };
    let limited = |script: &str| {
        let pipe = format!(
            "bash {0}/{script}.sh | {0}/masklimit /dev/shm/lineclear-bench-log {SECRET}",
            bench.place.display()
        );
        job(bench, vec!["bash".into(), "-c".into(), pipe])
    };
    let case = |goal, what: &str, own, other, other_name, limit| Case {
        goal,
        what: what.to_owned(),
        own,
        other,
        other_name,
        quantity: Quantity::Wall,
        limit,
        per: (1.0, 1.0),
        less: None,
    };
    Ok(vec![
        case("6", "`run` of one step `true`, start to exit", run("one", &[]), steps(1), "bare loop", 2.0),
        Case { quantity: Quantity::Cpu, ..case("6", "the same, cpu", run("one", &[]), steps(1), "bare loop", 2.0) },
        Case {
            per: (99.0, 100.0),
            less: Some(run("one", &[])),
            ..case("7", "one more step", run("hundred", &[]), spawn(100, 1), "posix_spawn", 1.15)
        },
        case("8", "chain of 50 jobs", run("chain", &[]), spawn(50, 1), "50 × posix_spawn", 1.4),
        case("9", "matrix of 50", run("matrix", &[]), spawn(50, 2), "spawner, two in flight", 1.5),
        case("9", "50 independent jobs", run("parallel", &[]), spawn(50, 2), "spawner, two in flight", 1.5),
        case(
            "9",
            "4 jobs of `sleep 1`",
            run("sleep", &[]),
            job(bench, vec!["sleep".into(), "1".into()]),
            "sleep 1",
            1.05,
        ),
        case("10", "a million log lines", run("lines", &[]), limited("lines"), "masklimit", 1.25),
        case("10", "the same with 100 secrets", run("lines", &hundred_secrets()), run("lines", &[]), "one secret", 1.3),
        case("11", "200 MB of output", emptied(run("bytes", &[])), limited("bytes"), "masklimit", 1.3),
        Case {
            quantity: Quantity::Memory,
            ..case(
                "11",
                "peak memory with 200 MB of output",
                emptied(run("bytes", &[])),
                run("one", &[]),
                "one step",
                1.2,
            )
        },
    ])
}

/// The same, with the logs of earlier rounds removed before: a log of 200 MB for each round would fill the memory.
fn emptied(job: Job) -> Job {
    Job { before: Some("rm -rf /dev/shm/lineclear-bench-home/runs/*".into()), ..job }
}

/// A hundred `--secret` arguments; made once and kept for the life of the program.
fn hundred_secrets() -> Vec<&'static str> {
    let word = |number: usize| -> &'static str {
        Box::leak(format!("SECRET_{number}=value-{number}-of-a-hundred").into_boxed_str())
    };
    (0..100).flat_map(|number| ["--secret", word(number)]).collect()
}

fn job(bench: &Bench, command: Vec<String>) -> Job {
    // Where the floors write, too.
    let home = "/dev/shm/lineclear-bench-home".to_owned();
    Job { command, folder: bench.place.clone(), env: vec![("LINECLEAR_HOME".into(), home)], before: None, exits: &[0] }
}

/// A repository with a workflow for each row.
fn workflows(folder: &std::path::Path) -> Result<()> {
    let place = folder.join(".github/workflows");
    std::fs::create_dir_all(&place)?;
    let step = |script: &str| format!("      - run: |\n          {script}\n");
    let job =
        |id: &str, keys: &str, steps: &str| format!("  {id}:\n    runs-on: ubuntu-latest\n{keys}    steps:\n{steps}");
    let yes = step("true");
    let fifty: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let needs = |number: usize| if number == 0 { String::new() } else { format!("    needs: j{}\n", number - 1) };
    let matrix = format!("    strategy:\n      fail-fast: false\n      matrix:\n        i: [{}]\n", fifty.join(", "));
    let mask = step(&format!("echo '::add-mask::{SECRET}'"));
    let all = [
        ("one", job("a", "", &yes)),
        ("hundred", job("a", "", &yes.repeat(100))),
        ("chain", (0..50).map(|number| job(&format!("j{number}"), &needs(number), &yes)).collect()),
        ("matrix", job("m", &matrix, &yes)),
        ("parallel", (0..50).map(|number| job(&format!("j{number}"), "", &yes)).collect()),
        ("sleep", (0..4).map(|number| job(&format!("j{number}"), "", &step("sleep 1"))).collect()),
        ("lines", job("a", "", &format!("{mask}{}", step(LINES)))),
        ("bytes", job("a", "", &step(BYTES))),
    ];
    for (name, jobs) in all {
        std::fs::write(place.join(format!("{name}.yml")), format!("name: {name}\non: push\njobs:\n{jobs}"))?;
    }
    let commit = "git init -q -b main . && git add -A && git -c user.name=bench -c user.email=bench@example.org commit -qm bench";
    Cmd::new("bash").args(&["-c", commit]).folder(folder).run()
}
