//! Takes files, reads each once, and asks every rule.

use std::sync::Arc;

use lineclear_compose::Compose;
use lineclear_dockerfile::Dockerfile;
use lineclear_policy::Policy;
use lineclear_source::{Diagnostic, Source};
use lineclear_workflow::{Action, Read};
use lineclear_yaml::Limits;

use crate::project::{Repository, SharedWorkflow};
use crate::{Content, Dialect, File, FileKind, Finding, Fix, Level, Project, Report, Rule, Settings, ignore, rules};

/// Asks the rules about files.
#[derive(Debug)]
pub struct Checker<'s> {
    settings: &'s Settings,
}

/// What checking a file gave.
#[derive(Debug)]
pub struct Checked {
    /// The file.
    pub source: Source,
    /// In the order of the text.
    pub findings: Vec<Finding>,
    /// How many findings comments of the file took away.
    pub ignored: usize,
    /// The workflow, if it is one, for [`Checker::check_repository`].
    pub workflow: Option<SharedWorkflow>,
}

impl<'s> Checker<'s> {
    /// A checker with these settings.
    pub fn new(settings: &'s Settings) -> Self {
        Self { settings }
    }

    /// Checks one file. The name of `source` is its path in the repository that `project` shows.
    pub fn check(&self, source: Source, kind: FileKind, project: &Project<'_>) -> Checked {
        let mut findings = Vec::new();
        let mut workflow = None;
        let dialect = self.dialect(source.name());
        match kind {
            FileKind::Workflow => {
                let read = project.read_workflow(&source);
                self.take(&source, read.diagnostics.clone(), &mut findings);
                workflow = SharedWorkflow::of(&read);
                if let Some(model) = &workflow {
                    self.ask(kind, &File::new(&source, Content::Workflow(model), dialect, project), &mut findings);
                }
            }
            FileKind::Action => {
                let Read { model, diagnostics } = Action::read(&source);
                self.take(&source, diagnostics, &mut findings);
                if let Some(model) = &model {
                    self.ask(kind, &File::new(&source, Content::Action(model), dialect, project), &mut findings);
                }
            }
            FileKind::Dependabot => {
                let parsed = lineclear_yaml::parse(&source, &Limits::workflow());
                self.take(&source, parsed.diagnostics, &mut findings);
                self.ask(kind, &File::new(&source, Content::Dependabot, dialect, project), &mut findings);
            }
            FileKind::Dockerfile => {
                let (dockerfile, diagnostics) = Dockerfile::read(&source);
                self.take(&source, diagnostics, &mut findings);
                self.ask(kind, &File::new(&source, Content::Dockerfile(&dockerfile), dialect, project), &mut findings);
            }
            FileKind::Compose => {
                let (compose, diagnostics) = Compose::read(&source);
                self.take(&source, diagnostics, &mut findings);
                if let Some(compose) = &compose {
                    self.ask(kind, &File::new(&source, Content::Compose(compose), dialect, project), &mut findings);
                }
            }
            FileKind::Policy => {
                let (policy, diagnostics) = Policy::read(&source);
                self.take(&source, diagnostics, &mut findings);
                self.ask(kind, &File::new(&source, Content::Policy(&policy), dialect, project), &mut findings);
            }
        }
        let ignored = self.finish(&source, &mut findings);
        Checked { source, findings, ignored, workflow }
    }

    /// Asks the rules that look at several files at once. Each finding comes with the path of the file it stands in.
    pub fn check_repository(&self, repository: &Repository<'_>) -> Vec<(Arc<str>, Finding)> {
        let mut all = Vec::new();
        for rule in rules::of_repositories() {
            let meta = rule.meta();
            let mut found = Vec::new();
            rule.check(repository, &mut Report::new(meta, self.settings.fixes, &mut found));
            for (file, mut finding) in found {
                let file = file.unwrap_or_else(|| "lineclear.toml".into());
                if self.settings.is_on(meta, &file) {
                    self.level(&file, &mut finding);
                    all.push((file, finding));
                }
            }
        }
        all
    }

    fn dialect(&self, path: &str) -> Dialect {
        let is_in = |folder: &str| path.starts_with(folder) || path.contains(&format!("/{folder}"));
        match () {
            () if is_in(".gitea/") || is_in(".forgejo/") => Dialect::Gitea,
            () if is_in(".github/") => Dialect::GitHub,
            () => self.settings.dialect,
        }
    }

    /// The findings of a reader, unless the settings switch their rule off.
    fn take(&self, source: &Source, diagnostics: Vec<Diagnostic>, findings: &mut Vec<Finding>) {
        for diagnostic in diagnostics {
            let is_asked = self.settings.only.as_ref().is_none_or(|only| only.contains(&*diagnostic.code));
            // Gitea takes actions by their whole address.
            let is_address = diagnostic.code == "uses-syntax"
                && diagnostic.span.is_some_and(|span| source.slice(span).trim_matches(['"', '\'']).starts_with("http"));
            if is_address && self.dialect(source.name()) == Dialect::Gitea {
                continue;
            }
            if is_asked && self.settings.level(&diagnostic.code, source.name()) != Some(Level::Off) {
                findings.push(Finding { diagnostic, fix: None });
            }
        }
    }

    fn ask(&self, kind: FileKind, file: &File<'_>, findings: &mut Vec<Finding>) {
        let mut found = Vec::new();
        for rule in rules::of_files() {
            let meta = rule.meta();
            let applies = meta.files.contains(&kind) && meta.dialects.contains(&file.dialect());
            if applies && self.settings.is_on(meta, file.path()) {
                ask_one(*rule, file, self.settings.fixes, &mut found);
            }
        }
        findings.extend(found.into_iter().map(|(_, finding)| finding));
    }

    /// Ignores, levels and order.
    fn finish(&self, source: &Source, findings: &mut Vec<Finding>) -> usize {
        let ignored = ignore::apply(source, findings, self.settings.report_unused_ignores);
        if self.settings.fixes && source.text().contains("\r\n") {
            findings
                .iter_mut()
                .filter_map(|finding| finding.fix.as_mut())
                .for_each(Fix::end_lines_with_carriage_return);
        }
        for finding in findings.iter_mut() {
            self.level(source.name(), finding);
        }
        findings.sort_by(|a, b| {
            let key = |finding: &Finding| (finding.diagnostic.span, std::cmp::Reverse(finding.diagnostic.severity));
            key(a).cmp(&key(b)).then_with(|| a.diagnostic.code.cmp(&b.diagnostic.code))
        });
        findings.dedup_by(|a, b| a.diagnostic == b.diagnostic);
        ignored
    }

    fn level(&self, path: &str, finding: &mut Finding) {
        if let Some(Level::As(severity)) = self.settings.level(&finding.diagnostic.code, path) {
            finding.diagnostic.severity = severity;
        }
    }
}

fn ask_one(rule: &dyn Rule, file: &File<'_>, fixes: bool, found: &mut Vec<(Option<Arc<str>>, Finding)>) {
    rule.check(file, &mut Report::new(rule.meta(), fixes, found));
}
