//! The example's four pipelines: each runs to its end with real builds, the good way and with the failures that it exists for.
//!
//! A pipeline is a folder of `examples/taskboard/pipelines`: workflows and a `lineclear.toml` that are laid over the product. What is asked
//! is what stands in the registries afterwards, what the gate says, and that nothing moved that should not have.

mod balanced;
mod hardened;
mod matrix;
mod promote;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::example::{self, Told, lineclear, tell};
use crate::shell::{Cmd, root};
use crate::taskboard::{commit_all, kept, repository};

/// Where the images of the example go, as the forge's owner is written in names of images.
const RELEASED: &str = "ghcr.io/acme-garden/taskboard";

/// What plays one pipeline.
type Play = fn(&Shop) -> Result<()>;

const PIPELINES: [(&str, Play); 4] =
    [("balanced", balanced::play), ("hardened", hardened::play), ("matrix", matrix::play), ("promote", promote::play)];

/// All of them.
pub fn run(example: &Path, home: &Path, image_prefix: &str) -> Result<()> {
    PIPELINES.iter().try_for_each(|(name, play)| play_one(name, *play, example, home, image_prefix))
}

/// `cargo xtask pipelines [NAME…]`: those that the command line names, or all.
pub fn of_command_line() -> Result<()> {
    let names: Vec<String> = std::env::args().skip(2).collect();
    let known = |name: &String| PIPELINES.iter().any(|(known, _)| known == name);
    ensure!(names.iter().all(known), "there are these pipelines: {:?}", PIPELINES.map(|(name, _)| name));
    example::build()?;
    let folder = root().join("examples/taskboard");
    let prefix = Cmd::new(folder.join("images/build.sh")).read()?;
    let home = tempfile::tempdir()?;
    for (name, play) in PIPELINES {
        if names.is_empty() || names.iter().any(|asked| asked == name) {
            play_one(name, play, &folder, home.path(), prefix.trim())?;
        }
    }
    Ok(())
}

fn play_one(name: &str, play: Play, example: &Path, home: &Path, image_prefix: &str) -> Result<()> {
    let start = Instant::now();
    let shop = Shop::open(example, home, image_prefix, name)?;
    play(&shop).with_context(|| format!("pipeline {name}"))?;
    println!("-- pipeline {name}: {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn say(what: &str) {
    println!("-- pipeline {what}");
}

/// A repository with one of the pipelines.
struct Shop {
    folder: tempfile::TempDir,
    home: PathBuf,
    variable: String,
}

impl Shop {
    fn open(example: &Path, home: &Path, image_prefix: &str, name: &str) -> Result<Self> {
        let folder = repository(example, Some(&example.join("pipelines").join(name)))?;
        let home = home.join(format!("pipeline-{name}"));
        fs::create_dir_all(&home)?;
        Ok(Self { folder, home, variable: format!("IMAGE_PREFIX={image_prefix}") })
    }

    /// Runs workflows for an event, however they end.
    fn run(&self, args: &[&str]) -> Result<Told> {
        self.run_with(args, &[])
    }

    fn run_with(&self, args: &[&str], secrets: &[(&str, &str)]) -> Result<Told> {
        let start = Instant::now();
        let mut all = vec!["--var", &self.variable];
        all.extend(args);
        let told = tell(self.folder.path(), &self.home, &all, secrets)?;
        println!("   {:.0} s", start.elapsed().as_secs_f64());
        Ok(told)
    }

    fn command(&self, args: &[&str]) -> Result<Output> {
        let output = self.program(args).output();
        output.with_context(|| format!("cannot start `lineclear {}`", args.join(" ")))
    }

    fn program(&self, args: &[&str]) -> Command {
        let mut command = Command::new(lineclear());
        command.args(args).current_dir(self.folder.path()).env("LINECLEAR_HOME", &self.home);
        command
    }

    /// A command that succeeds; gives what it says.
    fn ask(&self, args: &[&str]) -> Result<String> {
        self.ends(args, 0)
    }

    /// A command that is refused; gives what it says, which has to have these words.
    fn refuse(&self, args: &[&str], words: &[&str]) -> Result<String> {
        let text = self.ends(args, 1)?;
        for word in words {
            ensure!(text.contains(word), "`lineclear {}` was refused without saying `{word}`: {text}", args.join(" "));
        }
        Ok(text)
    }

    fn ends(&self, args: &[&str], code: i32) -> Result<String> {
        let output = self.command(args)?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        ensure!(
            output.status.code() == Some(code),
            "`lineclear {}` ended with {}: {text}",
            args.join(" "),
            output.status
        );
        Ok(text)
    }

    /// The gate is clear; gives what it rests on.
    fn clear(&self, args: &[&str]) -> Result<String> {
        self.ask(&[&["gate", "--explain"], args].concat())
    }

    /// The gate is blocked, and says these words.
    fn blocked(&self, args: &[&str], words: &[&str]) -> Result<String> {
        self.refuse(&[&["gate", "--explain"], args].concat(), words)
    }

    /// The same, with another policy for the moment: every `from` is `to` in it.
    fn with_policy<T>(&self, changes: &[(&str, &str)], ask: impl FnOnce() -> Result<T>) -> Result<T> {
        let policy = fs::read_to_string(self.path("lineclear.toml"))?;
        let mut changed = policy.clone();
        for (from, to) in changes {
            ensure!(changed.contains(from), "lineclear.toml has no `{from}`");
            changed = changed.replace(from, to);
        }
        self.write("lineclear.toml", &changed)?;
        let asked = ask();
        self.write("lineclear.toml", &policy)?;
        asked
    }

    /// What the embedded registry has: the digest of each name with its tag.
    fn kept(&self) -> Result<BTreeMap<String, String>> {
        kept(self.folder.path(), &self.home)
    }

    /// The embedded registry for other programs, as long as the answer lives.
    fn serve(&self) -> Result<Served> {
        let mut command = self.program(&["registry", "serve", "--anonymous", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let told = child.stdout.take().context("its output")?;
        let mut served = Served { child, address: String::new() };
        let mut line = String::new();
        BufReader::new(told).read_line(&mut line)?;
        let address = line.split_once("listens on ").and_then(|(_, rest)| rest.split([';', '\n']).next());
        served.address = address.with_context(|| format!("an address in `{line}`"))?.to_owned();
        Ok(served)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.path(name), text).with_context(|| format!("cannot write `{name}`"))
    }

    fn append(&self, name: &str, text: &str) -> Result<()> {
        let before = fs::read_to_string(self.path(name)).with_context(|| format!("cannot read `{name}`"))?;
        self.write(name, &(before + text))
    }

    fn commit(&self, message: &str) -> Result<()> {
        commit_all(self.folder.path(), message)
    }

    fn git(&self, args: &[&str]) -> Result<()> {
        let who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"];
        Cmd::new("git").args(&who).args(args).folder(self.folder.path()).run()
    }

    fn head(&self) -> Result<String> {
        let head = Cmd::new("git").args(&["rev-parse", "HEAD"]).folder(self.folder.path()).read()?;
        Ok(head.trim().to_owned())
    }
}

/// A registry that is stopped when this is dropped.
struct Served {
    child: Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It is gone already, or goes now: there is nobody to tell of anything else.
        drop(self.child.kill().and_then(|()| self.child.wait()));
    }
}
