//! Reports of scanners that a step only wrote into the workspace: found when the job ends.
//!
//! `trivy … -o trivy.json || true` uploads nothing and fails nothing; what was found still is evidence. Looked at are files that were written
//! since the job began and that the checkout did not bring: those whose names speak of a scanner, and those that the policy names.

mod git_index;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use lineclear_event::{Fact, Findings};
use lineclear_reports::{Limits, ReportKind, detect, markdown, unreadable};
use lineclear_runner::{LeftReport, LeftReports};

use crate::globs::{Dots, Glob};
use crate::report_files::{incomplete, read_file};

/// Folders below the workspace; what lies deeper has to be named by the policy.
const DEPTH: usize = 3;
/// Folders below the workspace that are entered at all.
const DEEPEST: usize = 12;
/// Most reports of a job, most files and folders that are looked at, and for how long.
const MOST_REPORTS: usize = 50;
const MOST_ENTRIES: usize = 50_000;
const TIME: Duration = Duration::from_secs(10);
/// How much of a file is read to see what it is.
const HEAD: u64 = 64 << 10;
/// Words in the names of scanners' reports.
const WORDS: [&str; 12] = [
    "audit", "bandit", "codeql", "gitleaks", "grype", "sast", "scan", "security", "semgrep", "snyk", "trivy",
    "vulnerab",
];
/// What others wrote, and what tests are made of.
const NOT_ENTERED: [&str; 7] = ["node_modules", "vendor", "target", "venv", "site-packages", "testdata", "fixtures"];

/// Looks for them.
#[derive(Debug, Default)]
pub struct WorkspaceReports {
    /// What the policy names.
    named: Vec<Glob>,
}

/// A file that may be one.
struct Candidate {
    path: PathBuf,
    name: String,
    /// Whether the policy names it.
    is_named: bool,
}

impl WorkspaceReports {
    /// Looks for files of these patterns too, from the workspace on.
    ///
    /// # Errors
    /// A sentence about a pattern that is none.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<Self, String> {
        let named = patterns.into_iter().map(|pattern| Glob::new(pattern, Dots::Matched));
        Ok(Self { named: named.collect::<Result<_, _>>()? })
    }

    fn candidates(&self, workspace: &Path, since: SystemTime, out: &mut Vec<String>) -> Vec<Candidate> {
        let start = Instant::now();
        let mut brought = git_index::Brought::of(workspace);
        let mut found = Vec::new();
        let mut folders = vec![(workspace.to_owned(), 0_usize)];
        let mut entries_seen = 0_usize;
        while let Some((folder, depth)) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                entries_seen += 1;
                if entries_seen > MOST_ENTRIES || start.elapsed() > TIME {
                    out.push(format!("only the first {entries_seen} files of the workspace were looked at"));
                    return found;
                }
                let Ok(about) = entry.metadata() else { continue };
                let name = entry.file_name().to_string_lossy().into_owned();
                if about.is_dir() {
                    let is_entered = !name.starts_with('.') && !NOT_ENTERED.contains(&name.as_str());
                    // Who names patterns may mean any folder but the history.
                    let is_for_patterns = !self.named.is_empty() && depth < DEEPEST && name != ".git";
                    if is_entered && depth < DEPTH || is_for_patterns {
                        folders.push((entry.path(), depth + 1));
                    }
                    continue;
                }
                if !about.is_file() || !has_word_or_is_named(&name, &self.named) {
                    continue;
                }
                let path = entry.path();
                let Ok(inside) = path.strip_prefix(workspace) else { continue };
                let inside = inside.to_string_lossy().into_owned();
                let is_named = self.named.iter().any(|glob| glob.matches(&inside));
                let is_well_known = depth <= DEPTH && is_well_known(&name) && is_entered_path(&inside);
                let written = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                if (is_named || is_well_known) && written >= since && !brought.has(&path, written) {
                    found.push(Candidate { path, name: inside, is_named });
                }
            }
        }
        found.sort_by(|one, other| one.name.cmp(&other.name));
        found
    }
}

impl LeftReports for WorkspaceReports {
    fn find(&self, workspace: &Path, since: SystemTime, told: &BTreeSet<String>) -> LeftReport {
        let mut left = LeftReport::default();
        let candidates = self.candidates(workspace, since, &mut left.warnings);
        let mut reports = 0_usize;
        for Candidate { path, name, is_named } in candidates {
            if told.contains(&name) {
                continue;
            }
            let kind = kind_of(&path).filter(|kind| kind.is_of_a_scanner());
            if kind.is_none() && !is_named {
                continue;
            }
            reports += 1;
            if reports > MOST_REPORTS {
                left.warnings.push(format!("only the first {MOST_REPORTS} reports that steps left were read"));
                break;
            }
            match kind.map(|kind| (kind, read_file(workspace, &path, kind))) {
                Some((_, Ok(facts))) => {
                    left.lines.push(format!("`{name}`, which a step left here, is read into the run's record"));
                    left.warnings.extend(incomplete(&facts));
                    left.facts.extend(facts);
                }
                Some((kind, Err(reason))) => {
                    left.facts.extend(unreadable(kind, &name, &head(&path), &reason));
                    left.warnings.push(format!("{reason}. It counts as no scan."));
                }
                None => {
                    let reason =
                        "the policy names it as a report, and it is none of a scanner that is known".to_owned();
                    left.warnings.push(format!("`{name}`: {reason}. It counts as no scan."));
                    let unread = Findings { name, tool: "report".into(), unreadable: reason, ..Findings::default() };
                    left.facts.push(Fact::Findings(Box::new(unread)));
                }
            }
        }
        left.summary = markdown(&left.facts);
        left
    }
}

/// Most files are none by their name alone.
fn has_word_or_is_named(name: &str, named: &[Glob]) -> bool {
    !named.is_empty() || is_well_known(name)
}

fn is_well_known(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if name.ends_with(".sarif") || name.ends_with(".sarif.json") {
        return true;
    }
    name.ends_with(".json") && WORDS.iter().any(|word| name.contains(word))
}

/// Whether it lies where one looks without being told to.
fn is_entered_path(inside: &str) -> bool {
    let Some((folders, _)) = inside.rsplit_once('/') else { return true };
    folders.split('/').all(|name| !name.starts_with('.') && !NOT_ENTERED.contains(&name))
}

fn kind_of(path: &Path) -> Option<ReportKind> {
    detect(path.file_name()?.to_str()?, &head(path))
}

/// The beginning of a file; nothing of one that cannot be read.
fn head(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let most = HEAD.min(Limits::default().bytes as u64);
    // What cannot be read here cannot be read as a whole either, and is then told.
    let _ = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    bytes
}
