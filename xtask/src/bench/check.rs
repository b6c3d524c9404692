//! The rows of `check`: beside the bare parse of the same files, `/bin/true`, and other checkers where this machine has them.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Bench;
use super::case::{Case, Job, Quantity};
use crate::shell::{Cmd, cargo, root};

/// How often the corpus of the tests is laid down, to have some 660 files.
const COPIES: usize = 2;

const SMALL: &str = "name: small\non: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    timeout-minutes: 5\n    steps:\n      - run: echo hi\n";

/// The rows, those against other checkers only where `actionlint` and `zizmor` are on the `PATH` or in the folder `BENCH_PEERS`.
pub fn rows(bench: &Bench) -> Result<Vec<Case>> {
    cargo(&["build", "--release", "--quiet", "--package", "lineclear-yaml", "--example", "event_floor"])?;
    let repository = bench.place.join("corpus");
    let folder = repository.join(".github/workflows");
    std::fs::create_dir_all(&folder)?;
    lay_down(&root().join("crates/lineclear-check/tests/corpus"), &folder)?;
    let small = bench.place.join("small/.github/workflows");
    std::fs::create_dir_all(&small)?;
    std::fs::write(small.join("small.yml"), SMALL)?;

    let job = |folder: &Path, command: &[&str], exits: &'static [i32]| Job {
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        folder: folder.to_path_buf(),
        env: vec![("LINECLEAR_HOME".into(), "/dev/shm/lineclear-bench-home".into())],
        before: None,
        exits,
    };
    let lineclear = bench.lineclear.to_string_lossy().into_owned();
    let floor = bench.lineclear.with_file_name("examples").join("event_floor").to_string_lossy().into_owned();
    let all = |more: &[&str]| {
        let command = [
            &[lineclear.as_str(), "check", "--no-tools", "--format", "json", "--allow", "workflow-name-clash"],
            more,
            &[".github/workflows"],
        ]
        .concat();
        job(&repository, &command, &[0, 1])
    };
    let one =
        || job(&bench.place.join("small"), &[&lineclear, "check", "--no-tools", ".github/workflows/small.yml"], &[0]);
    let case = |goal, what: &str, own, other, other_name, quantity, limit| Case {
        goal,
        what: what.to_owned(),
        own,
        other,
        other_name,
        quantity,
        limit,
        per: (1.0, 1.0),
        less: None,
    };
    let files = std::fs::read_dir(&folder)?.count();
    let corpus = format!("`check` of {files} workflow files");
    let parse = || job(&repository, &[&floor, ".github/workflows"], &[0]);
    let idle = || job(&repository, &["/bin/true"], &[0]);
    let mut rows = vec![
        case(
            "2",
            &format!("{corpus}, cpu on one thread"),
            all(&["--threads", "1"]),
            parse(),
            "bare event parse",
            Quantity::Cpu,
            2.0,
        ),
        case("3", "`check` of one small file", one(), idle(), "/bin/true", Quantity::Wall, 4.0),
        case("4", &format!("{corpus}, peak memory"), all(&[]), parse(), "bare event parse", Quantity::Memory, 2.0),
    ];
    if let Some(peer) = peer("actionlint") {
        let peer = peer.to_string_lossy().into_owned();
        let quiet = ["-shellcheck=", "-pyflakes=", "-oneline"];
        let script = format!("{peer} {} .github/workflows/*", quiet.join(" "));
        let every = ["bash", "-c", &script];
        rows.push(case("1", &corpus, all(&[]), job(&repository, &every, &[0, 1]), "actionlint", Quantity::Wall, 0.5));
        let single = [&[peer.as_str()], &quiet[..], &[".github/workflows/small.yml"]].concat();
        rows.push(case(
            "3",
            "one small file",
            one(),
            job(&bench.place.join("small"), &single, &[0, 1]),
            "actionlint",
            Quantity::Wall,
            1.0,
        ));
    }
    if let Some(peer) = peer("zizmor") {
        let peer = peer.to_string_lossy().into_owned();
        let command = [peer.as_str(), "--offline", "--no-progress", "--color=never", "--quiet"];
        let every = [&command[..], &["."]].concat();
        rows.push(case("1", &corpus, all(&[]), job(&repository, &every, ANY), "zizmor", Quantity::Wall, 1.0 / 15.0));
        let single = [&command[..], &[".github/workflows/small.yml"]].concat();
        rows.push(case(
            "3",
            "one small file",
            one(),
            job(&bench.place.join("small"), &single, ANY),
            "zizmor",
            Quantity::Wall,
            1.0 / 12.0,
        ));
    }
    Ok(rows)
}

/// The exit codes by which this peer tells how grave what it found is.
const ANY: &[i32] = &[0, 11, 12, 13, 14];

/// Copies all workflow files below `from`, under names of their own.
fn lay_down(from: &Path, folder: &Path) -> Result<()> {
    for copy in 0..COPIES {
        let list = Cmd::new("find").args(&[&from.to_string_lossy(), "-name", "*.y*ml", "-type", "f"]).read()?;
        for (index, path) in list.lines().enumerate() {
            std::fs::copy(path, folder.join(format!("{copy}-{index:04}.yml")))?;
        }
    }
    Ok(())
}

fn peer(name: &str) -> Option<PathBuf> {
    let own = std::env::var_os("BENCH_PEERS").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    own.into_iter()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}
