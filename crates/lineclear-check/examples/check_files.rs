//! Checks the files of a list, one path a line, and prints what is found: for trying rules on many files, and for measuring.
//!
//! `cargo run --release -p lineclear-check --example check_files -- LIST [--pedantic] [--quiet] [--lint] [RULE…]`
//!
//! `LIST --times` prints instead what reading and each rule cost, in milliseconds for all workflows: for each file the
//! least of ten rounds, which other work of the machine hardly touches. What several rules share is paid for by the first that asks.

#![expect(clippy::print_stdout, reason = "a tool for developers")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use lineclear_check::linter::{self, Remark, Snippet};
use lineclear_check::{
    Activity, Checker, Content, Dialect, File, FileKind, Files, Locked, Project, Report, Repository, Settings, rules,
};
use lineclear_source::Source;
use lineclear_workflow::Workflow;

/// The root of a repository, and whether linters are asked.
struct Folder(PathBuf, bool);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let path = self.0.join(path);
        if path.is_file() { std::fs::read(path).map(Some).map_err(|error| error.to_string()) } else { Ok(None) }
    }
    fn exists(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }
    fn list(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.join(".github/workflows")).into_iter().flatten().flatten();
        entries.map(|entry| format!(".github/workflows/{}", entry.file_name().to_string_lossy())).collect()
    }
    fn remote(&self, _: &str) -> Option<String> {
        None
    }
    fn locked(&self, _: &str, _: &str) -> Option<Locked> {
        None
    }
    fn lint_shell(&self, snippets: &[Snippet]) -> Option<Vec<Vec<Remark>>> {
        let lint = |snippet: &Snippet| {
            let answer = output("shellcheck", &linter::shellcheck_arguments(snippet.dialect), &snippet.text)?;
            linter::read_shellcheck(&answer)
        };
        if self.1 { snippets.iter().map(lint).collect() } else { None }
    }
    fn lint_python(&self, snippets: &[Snippet]) -> Option<Vec<Vec<Remark>>> {
        let arguments = ["-c".to_owned(), linter::PYTHON_PROGRAM.to_owned()];
        if self.1 {
            linter::read_python(&output("python3", &arguments, &linter::python_input(snippets))?)
        } else {
            None
        }
    }
}

fn output(program: &str, arguments: &[String], input: &str) -> Option<String> {
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    child.stdin.take()?.write_all(input.as_bytes()).ok()?;
    String::from_utf8(child.wait_with_output().ok()?.stdout).ok()
}

/// The repository around a file, and the file's path in it.
fn split(path: &str) -> (&str, &str) {
    match path.find("/.github/") {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (".", path),
    }
}

/// Milliseconds for all files by what they were spent on, of each file the least of some rounds.
fn times(texts: &[(&str, &str, String)], pedantic: bool) -> BTreeMap<&'static str, f64> {
    let mut sums: BTreeMap<&'static str, f64> = BTreeMap::new();
    let folders: BTreeMap<&str, Folder> =
        texts.iter().map(|&(root, ..)| (root, Folder(PathBuf::from(root), false))).collect();
    let projects: BTreeMap<&str, Project<'_>> =
        folders.iter().map(|(&root, folder)| (root, Project::new(folder))).collect();
    for (root, name, text) in texts {
        let mut least: BTreeMap<&'static str, f64> = BTreeMap::new();
        for _ in 0..10 {
            times_of_one(&projects[root], name, text, pedantic, &mut |what, since: Instant| {
                let time = since.elapsed().as_secs_f64() * 1000.0;
                let known = least.entry(what).or_insert(time);
                *known = known.min(time);
            });
        }
        for (what, time) in least {
            *sums.entry(what).or_default() += time;
        }
    }
    sums
}

fn times_of_one(
    project: &Project<'_>,
    name: &str,
    text: &str,
    pedantic: bool,
    spent: &mut dyn FnMut(&'static str, Instant),
) {
    let start = Instant::now();
    let source = Source::new(name, text);
    spent("(source)", start);
    let start = Instant::now();
    drop(lineclear_yaml::parse(&source, &lineclear_yaml::Limits::workflow()));
    spent("(tree, once more)", start);
    let start = Instant::now();
    let read = Workflow::read(&source);
    spent("(read)", start);
    if let Some(model) = &read.model {
        let file = File::new(&source, Content::Workflow(model), Dialect::GitHub, project);
        for rule in rules::of_files() {
            let meta = rule.meta();
            if meta.files.contains(&FileKind::Workflow) && (pedantic || meta.activity == Activity::Default) {
                let mut found = Vec::new();
                let start = Instant::now();
                rule.check(&file, &mut Report::new(meta, false, &mut found));
                spent(meta.id, start);
            }
        }
        let start = Instant::now();
        drop(file);
        spent("(dropped: what rules share)", start);
    }
    let start = Instant::now();
    drop(read);
    spent("(dropped: model)", start);
}

fn print_times(list: &str, pedantic: bool) {
    let read = |path| {
        let (root, name) = split(path);
        let text = std::fs::read_to_string(Path::new(path)).ok()?;
        (FileKind::of(name) == Some(FileKind::Workflow)).then_some((root, name, text))
    };
    let texts: Vec<_> = list.lines().filter_map(read).collect();
    let mut times: Vec<_> = times(&texts, pedantic).into_iter().collect();
    times.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (what, time) in &times {
        println!("{time:8.3} ms  {what}");
    }
    println!("{:8.3} ms", times.iter().map(|(_, time)| time).sum::<f64>());
}

fn main() {
    let (flags, words): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let Some((list, rules)) = words.split_first() else { panic!("name a file with a list of paths") };
    let list = std::fs::read_to_string(list).expect("the list can be read");
    if flags.iter().any(|flag| flag == "--times") {
        return print_times(&list, flags.iter().any(|flag| flag == "--pedantic"));
    }
    let settings = Settings { pedantic: flags.iter().any(|flag| flag == "--pedantic"), ..Settings::default() };
    let checker = Checker::new(&settings);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut workflows: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let start = Instant::now();
    for path in list.lines() {
        let Ok(text) = std::fs::read_to_string(Path::new(path)) else { continue };
        let (root, name) = split(path);
        let Some(kind) = FileKind::of(name) else { continue };
        let folder = Folder(PathBuf::from(root), flags.iter().any(|flag| flag == "--lint"));
        let checked = checker.check(Source::new(name, text), kind, &Project::new(&folder));
        workflows.entry(root.to_owned()).or_default().extend(checked.workflow);
        for finding in checked.findings {
            let found = &finding.diagnostic;
            if !rules.is_empty() && !rules.iter().any(|rule| *rule == found.code) {
                continue;
            }
            *counts.entry(format!("{:?} {}", found.severity, found.code)).or_default() += 1;
            if !flags.iter().any(|flag| flag == "--quiet") {
                let place = checked.source.position(found.span.unwrap_or_default().start);
                println!("{path}:{place}: {:?}[{}] {}", found.severity, found.code, found.message);
            }
        }
    }
    for (root, workflows) in &workflows {
        let folder = Folder(PathBuf::from(root), false);
        let repository = Repository { workflows, policy: None, project: &Project::new(&folder) };
        for (path, finding) in checker.check_repository(&repository) {
            let found = &finding.diagnostic;
            if rules.is_empty() || rules.iter().any(|rule| *rule == found.code) {
                *counts.entry(format!("{:?} {}", found.severity, found.code)).or_default() += 1;
                if !flags.iter().any(|flag| flag == "--quiet") {
                    println!("{root}/{path}: {:?}[{}] {}", found.severity, found.code, found.message);
                }
            }
        }
    }
    println!("-- {:.1} ms", start.elapsed().as_secs_f64() * 1000.0);
    for (what, count) in counts {
        println!("-- {count:6} {what}");
    }
}
