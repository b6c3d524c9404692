//! Running commands in turns, and what they cost.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::case::{Case, Job};
use crate::shell::{Cmd, root};

/// Medians of one command.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Seconds.
    pub wall: f64,
    /// Seconds of user and system time, children included.
    pub cpu: f64,
    /// Peak of the largest process, in MiB.
    pub memory: f64,
}

/// The medians of a case.
#[derive(Clone, Copy, Debug)]
pub struct Medians {
    pub own: Figures,
    pub other: Figures,
    pub less: Option<Figures>,
}

/// The small programs that measure, compiled once.
pub struct Meter {
    measure: PathBuf,
    result: PathBuf,
}

impl Meter {
    pub fn new(place: &Path) -> Result<Self> {
        for program in ["measure", "spawn", "masklimit"] {
            let source = root().join("xtask/bench").join(format!("{program}.c"));
            let target = place.join(program);
            Cmd::new("cc").args(&["-O2", "-o", &target.to_string_lossy(), &source.to_string_lossy()]).run()?;
        }
        Ok(Self { measure: place.join("measure"), result: place.join("result") })
    }

    /// The medians of a case's commands, run in turns.
    pub fn in_turns(&self, case: &Case, rounds: usize) -> Result<Medians> {
        let jobs = [Some(&case.own), Some(&case.other), case.less.as_ref()];
        let mut figures = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..=rounds {
            for (job, list) in jobs.iter().zip(&mut figures) {
                let Some(job) = job else { continue };
                if let Some(before) = &job.before {
                    self.quietly("bash", &["-euc", before], job)?;
                }
                let once = self.once(job)?;
                // The first round warms up.
                if round > 0 {
                    list.push(once);
                }
            }
        }
        let [own, other, less] = figures;
        Ok(Medians { own: median(&own), other: median(&other), less: (!less.is_empty()).then(|| median(&less)) })
    }

    fn quietly(&self, program: &str, args: &[&str], job: &Job) -> Result<()> {
        let status = Command::new(program)
            .args(args)
            .current_dir(&job.folder)
            .envs(job.env.clone())
            .stdin(Stdio::null())
            .status()?;
        if !status.success() {
            bail!("`{program} {}` ended with {status}", args.join(" "));
        }
        Ok(())
    }

    fn once(&self, job: &Job) -> Result<Figures> {
        let sink =
            std::fs::File::create("/dev/shm/lineclear-bench-output").or_else(|_| std::fs::File::create("/dev/null"))?;
        let status = Command::new(&self.measure)
            .arg(&self.result)
            .args(&job.command)
            .current_dir(&job.folder)
            .envs(job.env.clone())
            .stdin(Stdio::null())
            .stdout(sink.try_clone()?)
            .stderr(sink)
            .status()?;
        let text = std::fs::read_to_string(&self.result)
            .with_context(|| format!("{:?} was not measured: {status}", job.command))?;
        let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [wall, cpu, memory, exit] = numbers[..] else { bail!("unexpected figures `{text}`") };
        if !job.exits.iter().any(|&fine| f64::from(fine) == exit) {
            bail!("{:?} ended with exit code {exit}", job.command);
        }
        Ok(Figures { wall: wall / 1e6, cpu: cpu / 1e6, memory: memory / 1024.0 })
    }
}

fn median(figures: &[Figures]) -> Figures {
    let middle = |of: fn(&Figures) -> f64| {
        let mut values: Vec<f64> = figures.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Figures { wall: middle(|f| f.wall), cpu: middle(|f| f.cpu), memory: middle(|f| f.memory) }
}
