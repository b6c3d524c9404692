//! Every page in `docs/rules/` is a test: what its examples say in comments is what the rule finds, and nothing else.
//!
//! - ` # error: text` at the end of a line: the rule finds an error there whose message contains the text; `# error@5: text` also
//!   says in which column it begins. `# error above: text` on a line of its own speaks of the last line above that is no such comment.
//! - A block without such comments is one in which the rule finds nothing.
//! - ```` ```yaml file=PATH ````: the file of a repository. All such blocks of a section (`## …`) make one repository, in which the section's
//!   other blocks stand, too.
//! - ```` ```file file=lineclear.lock ````: what the lock knows, one `owner/repo@reference commit` a line; `file=server` in the same way what a
//!   server would say, and `file=name` the repository's own name, and
//!   `file=today` the day on which it is asked.
//! - ```` ```yaml before ```` and the ```` ```yaml fixed ```` behind it: what the rule's repairs make of the one is the other.
//!
//! `PAGE=missing-timeout cargo test -p lineclear-check --test pages` runs one page.

use std::fmt::Write as _;

use lineclear_check::linter::{self, Remark, Snippet};
use lineclear_check::rules::{all, of_files};
use lineclear_check::{
    Checker, FileKind, Files, Finding, Locked, Memory, Project, Repository, RuleMeta, Settings, apply,
};
use lineclear_source::{Severity, Source};

#[derive(Debug, Clone)]
struct Block {
    path: Option<String>,
    is_before: bool,
    is_fixed: bool,
    text: String,
    /// Line in the page.
    line: usize,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Expected {
    line: u32,
    column: Option<u32>,
    severity: Severity,
    text: String,
}

#[test]
fn every_page_is_true() {
    let only = std::env::var("PAGE").ok();
    let mut wrong = String::new();
    let mut pages = 0;
    for meta in all().filter(|meta| only.as_deref().is_none_or(|only| only == meta.id)) {
        pages += 1;
        for complaint in check_page(meta) {
            let _ = writeln!(wrong, "docs/rules/{}.md:{complaint}", meta.id);
        }
    }
    assert!(pages > 0, "there is no such page");
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// What takes a huge file, or bytes that a page cannot hold. The readers' own tests and those of the command show it.
const UNSHOWN: [&str; 5] = ["file-too-large", "more-faults", "too-many-findings", "too-many-values", "unreadable-file"];

#[test]
fn every_page_shows_what_is_wrong_and_what_is_right() {
    let mut wrong = Vec::new();
    for meta in all() {
        let blocks: Vec<Block> = sections(meta.page).into_iter().flatten().collect();
        let has = |is: &dyn Fn(&Block) -> bool| blocks.iter().any(is);
        if !UNSHOWN.contains(&meta.id) && !has(&|block| !expected(&block.text).is_empty()) {
            wrong.push(format!("{} shows no finding", meta.id));
        }
        let is_reader = !of_files().any(|rule| rule.meta().id == meta.id);
        if !is_reader && !has(&|block| expected(&block.text).is_empty() && !block.is_before) {
            wrong.push(format!("{} shows nothing that is right", meta.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check_page(meta: &'static RuleMeta) -> Vec<String> {
    let mut complaints = Vec::new();
    for blocks in sections(meta.page) {
        let mut memory = Memory::default();
        for block in &blocks {
            if let Some(path) = &block.path {
                match path.strip_prefix("remote:") {
                    Some(uses) => {
                        memory.remote.insert(uses.to_owned(), block.text.clone());
                    }
                    None if path == "lineclear.lock" => memory.locked.extend(commits(&block.text)),
                    None if path == "server" => memory.resolved.extend(commits(&block.text)),
                    None if path == "today" => memory.today = block.text.trim().parse().ok(),
                    None if path == "name" => memory.own_name = Some(block.text.trim().to_owned()),
                    None => {
                        memory.files.insert(path.clone(), block.text.clone());
                    }
                }
            }
        }
        let whole = of_repository(meta, &memory);
        for (at, block) in blocks.iter().enumerate() {
            if block.is_fixed {
                continue;
            }
            let path = block.path.clone().unwrap_or_else(|| default_path(meta).to_owned());
            if path.starts_with("remote:") || FileKind::of(&path).is_none() {
                continue;
            }
            let mut memory = memory.clone();
            memory.files.insert(path.clone(), block.text.clone());
            let mut findings = findings(meta, &memory, &path, &block.text, block.is_before);
            if block.path.is_some() {
                findings.extend(whole.iter().filter(|(file, _)| *file == path).map(|(_, finding)| finding.clone()));
            } else {
                findings
                    .extend(of_repository(meta, &memory).into_iter().filter(|(file, _)| *file == path).map(|(_, f)| f));
            }
            if block.is_before {
                complaints.extend(check_repair(block, blocks.get(at + 1), &findings));
            } else {
                complaints.extend(compare(block, &Source::new(path, block.text.as_str()), &findings));
            }
        }
    }
    complaints
}

/// Lines of `owner/repo@reference commit`.
fn commits(text: &str) -> impl Iterator<Item = ((String, String), Locked)> {
    text.lines().filter_map(|line| {
        let (uses, commit) = line.split_once(' ')?;
        let (repository, reference) = uses.split_once('@')?;
        let (reference, exact) = reference.split_once('=').unwrap_or((reference, reference));
        let locked = Locked { commit: commit.to_owned(), reference: exact.to_owned() };
        Some(((repository.to_owned(), reference.to_owned()), locked))
    })
}

fn findings(meta: &RuleMeta, memory: &Memory, path: &str, text: &str, fixes: bool) -> Vec<Finding> {
    let settings = Settings { pedantic: true, fixes, ..Settings::default() };
    let linting = Linting(memory);
    let files: &dyn Files = if matches!(meta.id, "shell-fault" | "python-fault") { &linting } else { memory };
    let project = Project::new(files);
    let kind = FileKind::of(path).expect("asked before");
    let checked = Checker::new(&settings).check(Source::new(path, text), kind, &project);
    checked.findings.into_iter().filter(|finding| finding.diagnostic.code == meta.id).collect()
}

fn of_repository(meta: &RuleMeta, memory: &Memory) -> Vec<(String, Finding)> {
    let settings = Settings { pedantic: true, ..Settings::default() };
    let checker = Checker::new(&settings);
    let project = Project::new(memory);
    let workflows: Vec<_> = memory
        .files
        .iter()
        .filter(|(path, _)| FileKind::of(path) == Some(FileKind::Workflow))
        .filter_map(|(path, text)| {
            checker.check(Source::new(path.as_str(), text.as_str()), FileKind::Workflow, &project).workflow
        })
        .collect();
    let source = memory.files.get("lineclear.toml").map(|text| Source::new("lineclear.toml", text.as_str()));
    let policy = project.policy();
    let policy = source.as_ref().zip(policy.as_deref());
    let found = checker.check_repository(&Repository { workflows: &workflows, policy, project: &project });
    found
        .into_iter()
        .filter(|(_, finding)| finding.diagnostic.code == meta.id)
        .map(|(file, finding)| (file.to_string(), finding))
        .collect()
}

fn default_path(meta: &RuleMeta) -> &'static str {
    match meta.files.first() {
        Some(FileKind::Action) => "action.yml",
        Some(FileKind::Dependabot) => ".github/dependabot.yml",
        Some(FileKind::Dockerfile) => "Dockerfile",
        Some(FileKind::Compose) => "compose.yml",
        Some(FileKind::Policy) => "lineclear.toml",
        Some(FileKind::Workflow) | None => ".github/workflows/page.yml",
    }
}

fn compare(block: &Block, source: &Source, findings: &[Finding]) -> Vec<String> {
    let mut expected = expected(&block.text);
    let mut complaints = Vec::new();
    for finding in findings {
        let place = source.position(finding.diagnostic.span.unwrap_or_default().start);
        let (severity, message) = (finding.diagnostic.severity, &finding.diagnostic.message);
        let is_it = |one: &Expected| {
            one.line == place.line
                && one.column.is_none_or(|column| column == place.column)
                && one.severity == severity
                && message.contains(&one.text)
        };
        match expected.iter().position(is_it) {
            Some(at) => {
                expected.remove(at);
            }
            None => complaints.push(format!(
                "{}: found and not expected: {severity:?} in column {}: {message}",
                block.line + place.line as usize,
                place.column
            )),
        }
    }
    for missing in expected {
        complaints.push(format!(
            "{}: expected and not found: {:?}: {}",
            block.line + missing.line as usize,
            missing.severity,
            missing.text
        ));
    }
    complaints
}

fn check_repair(before: &Block, fixed: Option<&Block>, findings: &[Finding]) -> Vec<String> {
    let Some(fixed) = fixed.filter(|block| block.is_fixed) else {
        return vec![format!("{}: no `fixed` block follows", before.line)];
    };
    let edits: Vec<_> =
        findings.iter().filter_map(|finding| finding.fix.as_ref()).flat_map(|fix| fix.edits.clone()).collect();
    match apply(&before.text, &edits) {
        Ok(text) if text == fixed.text => Vec::new(),
        Ok(text) => vec![format!("{}: the repair gives\n{text}", before.line)],
        Err(error) => vec![format!("{}: the repair cannot be made: {error}", before.line)],
    }
}

/// The comments of a block that say what is found.
fn expected(text: &str) -> Vec<Expected> {
    let mut all = Vec::new();
    let mut last = 0;
    for (index, line) in text.lines().enumerate() {
        let number = u32::try_from(index + 1).expect("pages are short");
        let marks: Vec<&str> = line.split("# ").skip(1).collect();
        let mut alone = line.trim_start().starts_with('#');
        for mark in marks {
            let Some((head, message)) = mark.split_once(": ") else { continue };
            let (head, is_above) = head.strip_suffix(" above").map_or((head, false), |head| (head, true));
            let (word, column) =
                head.split_once('@').map_or((head, None), |(word, column)| (word, column.parse().ok()));
            let severity = match word {
                "error" => Severity::Error,
                "warning" => Severity::Warning,
                "info" => Severity::Info,
                _ => continue,
            };
            let line = if is_above { last } else { number };
            alone &= is_above;
            all.push(Expected { line, column, severity, text: message.trim_end().to_owned() });
        }
        if !(alone && line.contains(" above: ")) {
            last = number;
        }
    }
    all
}

/// The blocks of each section.
fn sections(page: &str) -> Vec<Vec<Block>> {
    let mut sections = vec![Vec::new()];
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        if let Some(block) = &mut open {
            if line == "```" {
                sections.last_mut().expect("there is one").extend(open.take());
            } else {
                block.text.push_str(line);
                block.text.push('\n');
            }
        } else if let Some(info) = line.strip_prefix("```") {
            let mut words = info.split_whitespace();
            let is_example =
                words.next().is_some_and(|language| matches!(language, "yaml" | "dockerfile" | "toml" | "file"));
            let words: Vec<&str> = words.collect();
            open = Some(Block {
                path: words
                    .iter()
                    .find_map(|word| word.strip_prefix("file="))
                    .map(str::to_owned)
                    .or_else(|| (!is_example).then(|| "none".to_owned())),
                is_before: words.contains(&"before"),
                is_fixed: words.contains(&"fixed"),
                text: String::new(),
                line: index + 1,
            });
        } else if line.starts_with("## ") {
            sections.push(Vec::new());
        }
    }
    sections
}

/// Files in memory, and the linters of this machine: without them, the test fails.
struct Linting<'m>(&'m Memory);

impl Files for Linting<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        self.0.read(path)
    }
    fn exists(&self, path: &str) -> bool {
        self.0.exists(path)
    }
    fn list(&self) -> Vec<String> {
        self.0.list()
    }
    fn remote(&self, uses: &str) -> Option<String> {
        self.0.remote(uses)
    }
    fn locked(&self, repository: &str, reference: &str) -> Option<Locked> {
        self.0.locked(repository, reference)
    }
    fn lint_shell(&self, snippets: &[Snippet]) -> Option<Vec<Vec<Remark>>> {
        let lint = |snippet: &Snippet| {
            let arguments = linter::shellcheck_arguments(snippet.dialect);
            let answer = output("shellcheck", &arguments, &snippet.text);
            linter::read_shellcheck(&answer).expect("an answer of shellcheck")
        };
        Some(snippets.iter().map(lint).collect())
    }
    fn lint_python(&self, snippets: &[Snippet]) -> Option<Vec<Vec<Remark>>> {
        let arguments = ["-c".to_owned(), linter::PYTHON_PROGRAM.to_owned()];
        let answer = output("python3", &arguments, &linter::python_input(snippets));
        Some(linter::read_python(&answer).expect("an answer of python3"))
    }
}

fn output(program: &str, arguments: &[String], input: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("this test needs {program}: {error}"));
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads its input");
    String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("it writes text")
}
