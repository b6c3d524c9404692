//! From arguments and `lineclear.toml` to what is checked and how.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use lineclear_check::{Baseline, Checker, Dialect, FileKind, Finding, Level, Project, Settings, rules};
use lineclear_policy::{CheckPolicy, Policy};
use lineclear_source::{Diagnostic, Severity, Source, suggest};
use lineclear_workflow::FilterPattern;

use super::{Asked, CheckArgs, Forge};
use crate::checking::{Around, Named, Outcome, decode, discover};
use crate::output;
use crate::policy_file::{self, NAME};

/// Reads everything that decides.
///
/// # Errors
/// A sentence: a path that is not there, a rule that does not exist, a baseline that cannot be read.
pub(super) fn asked(args: &CheckArgs, root: &Path, here: &Path) -> Result<Asked, String> {
    let files: Vec<PathBuf> = args.paths.iter().filter(|path| path.as_os_str() != "-").cloned().collect();
    let is_stdin_only = files.is_empty() && !args.paths.is_empty();
    let mut named = if is_stdin_only { Default::default() } else { discover(root, here, &files)? };
    let mut settings = Settings { fixes: true, ..Settings::default() };
    let policy = policy(root)?.check;
    settings.take(&policy);
    settings.pedantic |= args.pedantic;
    if !is_stdin_only {
        exclude(&policy, &files, here, &mut named);
    }
    if let Some(forge) = args.dialect {
        settings.dialect = match forge {
            Forge::Github => Dialect::GitHub,
            Forge::Gitea => Dialect::Gitea,
        };
    }
    for rule in args.rules.iter().chain(&args.allow) {
        known_rule(rule)?;
    }
    for rule in &args.allow {
        settings.levels.insert(rule.clone(), Level::Off);
    }
    if !args.rules.is_empty() {
        settings.only = Some(args.rules.iter().cloned().collect());
        settings.report_unused_ignores = false;
    }
    let of_policy = policy.baseline.map(|path| root.join(path.value)).filter(|_| args.write_baseline.is_none());
    let of_policy = of_policy.filter(|path| {
        let is_there = path.exists();
        if !is_there {
            let path = path.display();
            output::complain(&format!(
                "note: the baseline {path} is not there yet; `--write-baseline {path}` writes it"
            ));
        }
        is_there
    });
    let baseline = args.baseline.clone().or(of_policy).map(|path| read_baseline(&path)).transpose()?;
    let repositories: BTreeSet<&String> = named.inputs.iter().map(|input| &input.repository).collect();
    let around = repositories
        .into_iter()
        .map(|repository| (repository.clone(), around(args, root.join(repository))))
        .collect::<BTreeMap<_, _>>();
    let threads = args.threads.filter(|&threads| threads > 0);
    let threads = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let deny = args.deny.map_or(policy.deny.map_or(Severity::Error, |deny| deny.value), Severity::from);
    Ok(Asked { root: root.to_path_buf(), named, settings, around, threads, deny, baseline })
}

fn around(args: &CheckArgs, root: PathBuf) -> Around {
    let around = Around::new(root, args.online);
    if args.no_tools { around } else { around.with_tools() }
}

/// `lineclear.toml` of the repository, whatever may be wrong with it: that is found when it is checked itself.
///
/// # Errors
/// A sentence: it cannot be read.
fn policy(root: &Path) -> Result<Policy, String> {
    let bytes = policy_file::bytes_of(&root.join(NAME), NAME)?.unwrap_or_default();
    Ok(Policy::read(&Source::new(NAME, String::from_utf8_lossy(&bytes))).0)
}

/// Leaves out what `exclude` names, unless the file was named on the command line.
fn exclude(policy: &CheckPolicy, files: &[PathBuf], here: &Path, named: &mut Named) {
    let patterns: Vec<FilterPattern> =
        policy.exclude.iter().filter_map(|pattern| FilterPattern::parse(&pattern.value).ok()).collect();
    let is_named = |path: &Path| files.iter().any(|file| here.join(file) == path);
    let excluded = |shown: &str| patterns.iter().any(|pattern| pattern.matches(shown));
    if !patterns.is_empty() {
        named.inputs.retain(|input| is_named(&input.path) || !excluded(&input.shown));
    }
}

/// # Errors
/// A sentence: there is no such rule.
pub(super) fn known_rule(id: &str) -> Result<&'static lineclear_check::RuleMeta, String> {
    rules::meta(id).ok_or_else(|| match suggest(id, rules::all().map(|meta| meta.id)) {
        Some(near) => format!("there is no rule `{id}`; did you mean `{near}`?"),
        None => format!("there is no rule `{id}`; `lineclear check --list` names them all"),
    })
}

fn read_baseline(path: &Path) -> Result<(PathBuf, Baseline), String> {
    let wrong = |error: &dyn std::fmt::Display| format!("the baseline `{}` cannot be used: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    Ok((path.to_path_buf(), Baseline::read(&text).map_err(|error| wrong(&error))?))
}

/// Checks what is on standard input.
///
/// # Errors
/// A sentence: it cannot be read.
pub(super) fn standard_input(args: &CheckArgs, asked: &Asked) -> Result<Outcome, String> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|error| format!("standard input cannot be read: {error}"))?;
    let name = args.stdin_filename.trim_start_matches("./");
    let text = match decode(bytes) {
        Ok(text) => text,
        Err((text, problem, span)) => {
            let mut diagnostic = Diagnostic::error("unreadable-file", problem);
            diagnostic.span = span;
            let findings = vec![Finding { diagnostic, fix: None }];
            return Ok(Outcome { source: Source::new(name, text), findings, ignored: 0 });
        }
    };
    let around = around(args, asked.root.clone());
    let project = Project::new(&around);
    let kind = FileKind::of(name).unwrap_or(FileKind::Workflow);
    let checked = Checker::new(&asked.settings).check(Source::new(name, text), kind, &project);
    Ok(Outcome { source: checked.source, findings: checked.findings, ignored: checked.ignored })
}
