//! What has changed: from the forge for a pull request, otherwise from git.

use lineclear_event::AnnotationLevel;
use lineclear_runner::native::{Call, NativeError, RunOptions};

use crate::caching::text;
use crate::forge;

const NULL_SHA: &str = "0000000000000000000000000000000000000000";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChangedFile {
    pub(super) name: String,
    pub(super) status: Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Added,
    Copied,
    Deleted,
    Modified,
    Renamed,
    Unmerged,
}

impl Status {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Added, "added"),
        (Self::Copied, "copied"),
        (Self::Deleted, "deleted"),
        (Self::Modified, "modified"),
        (Self::Renamed, "renamed"),
        (Self::Unmerged, "unmerged"),
    ];

    pub(super) fn read(name: &str) -> Result<Self, String> {
        let name = name.to_ascii_lowercase();
        let known = Self::ALL.iter().find(|(_, known)| *known == name).map(|(status, _)| *status);
        known.ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|(_, name)| *name).collect();
            format!("`{name}` is no kind of change; expected {}", all.join(", "))
        })
    }

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(status, _)| *status == self).map_or("", |(_, name)| name)
    }
}

/// # Errors
/// The forge or git says no.
pub(super) fn changed_files(call: &mut Call<'_>) -> Result<Vec<ChangedFile>, NativeError> {
    let github = &call.contexts.github;
    let event = text(github, "event_name").to_owned();
    let (base, reference) = (call.input("base").to_owned(), call.input("ref").to_owned());
    if base == "HEAD" {
        if !reference.is_empty() {
            let message = "'ref' input parameter is ignored when 'base' is set to HEAD";
            call.effects.annotate(AnnotationLevel::Warning, message);
        }
        let git = Git::new(call);
        call.effects.log("Change detection on HEAD");
        return git.diff(call, &["HEAD"]);
    }
    let is_pull = ["pull_request", "pull_request_review", "pull_request_review_comment", "pull_request_target"]
        .contains(&event.as_str());
    if is_pull {
        for (name, value) in [("ref", &reference), ("base", &base)] {
            if !value.is_empty() {
                let message =
                    format!("'{name}' input parameter is ignored when action is triggered by pull request event");
                call.effects.annotate(AnnotationLevel::Warning, &message);
            }
        }
        if !call.input("token").is_empty() {
            return from_forge(call);
        }
        if event == "pull_request_target" {
            return Err(NativeError(
                "'token' input parameter is required if action is triggered by 'pull_request_target' event".into(),
            ));
        }
        call.effects.log("Github token is not available - changes will be detected using git diff");
        let base = text(&call.contexts.github["event"]["pull_request"]["base"], "sha").to_owned();
        let git = Git::new(call);
        return git.diff(call, &[&base, "HEAD"]);
    }
    if event == "merge_group" && base.is_empty() {
        let base = text(&call.contexts.github["event"]["merge_group"], "base_sha").to_owned();
        let git = Git::new(call);
        return git.since(call, &base, "HEAD");
    }
    from_git(call, &base, &reference)
}

fn from_forge(call: &mut Call<'_>) -> Result<Vec<ChangedFile>, NativeError> {
    let Some(number) = forge::pull_number(call) else {
        return Err(NativeError("the event tells no number of its pull request".into()));
    };
    call.effects.log(&format!("##[group]Fetching list of changed files for PR#{number} from Github API"));
    let listed = forge::list(call, &format!("{}/pulls/{number}/files", forge::repository(call)), None);
    call.effects.log("##[endgroup]");
    let mut files = Vec::new();
    for file in listed? {
        let name = text(&file, "filename").to_owned();
        let status = match text(&file, "status") {
            // A renaming is a deletion and an addition, as git tells it here.
            "renamed" => {
                let previous = text(&file, "previous_filename").to_owned();
                files.push(ChangedFile { name, status: Status::Added });
                files.push(ChangedFile { name: previous, status: Status::Deleted });
                continue;
            }
            "added" | "copied" => Status::Added,
            "removed" => Status::Deleted,
            _ => Status::Modified,
        };
        files.push(ChangedFile { name, status });
    }
    Ok(files)
}

fn from_git(call: &mut Call<'_>, base: &str, reference: &str) -> Result<Vec<ChangedFile>, NativeError> {
    let github = &call.contexts.github;
    let default = text(&github["event"]["repository"], "default_branch").to_owned();
    let before = text(&github["event"], "before").to_owned();
    let before = if text(github, "event_name") == "push" { before } else { String::new() };
    let own = text(github, "ref").to_owned();
    let head = short(if reference.is_empty() { &own } else { reference }).to_owned();
    let base = short(if base.is_empty() { &default } else { base }).to_owned();
    if head.is_empty() {
        return Err(NativeError(
            "This action requires 'base' input to be configured or 'repository.default_branch' to be set in the event payload"
                .into(),
        ));
    }
    let git = Git::new(call);
    // The workspace is the commit of the run, unless another is named.
    let target = if reference.is_empty() { "HEAD" } else { reference };
    let is_sha = base.len() == 40 && base.chars().all(|character| character.is_ascii_hexdigit());
    if !is_sha && base != head {
        call.effects.log(&format!("Changes will be detected between {base} and {head}"));
        let base = git.resolve(call, &base)?;
        return git.since(call, &base, target);
    }
    let from = if is_sha { base.clone() } else { before };
    if from.is_empty() {
        let message = "'before' field is missing in event payload - changes will be detected from last commit";
        call.effects.annotate(AnnotationLevel::Warning, message);
        return git.last_commit(call, target);
    }
    if from == NULL_SHA {
        if !default.is_empty() && base != default {
            call.effects.log(&format!(
                "First push of a branch detected - changes will be detected against the default branch {default}"
            ));
            let base = git.resolve(call, &default)?;
            return git.since(call, &base, target);
        }
        call.effects.log("Initial push detected - all files will be listed as added");
        return git.all_as_added(call);
    }
    call.effects.log(&format!("Changes will be detected between {from} and {head}"));
    git.fetch(call, &from);
    git.diff(call, &[&from, target])
}

fn short(reference: &str) -> &str {
    reference
        .strip_prefix("refs/heads/")
        .or_else(|| reference.strip_prefix("refs/tags/"))
        .or_else(|| reference.strip_prefix("refs/"))
        .unwrap_or(reference)
}

/// The repository in the workspace.
struct Git {
    folder: std::path::PathBuf,
    depth: u32,
}

impl Git {
    fn new(call: &Call<'_>) -> Self {
        let depth = call.input("initial-fetch-depth").parse().unwrap_or(100);
        Self { folder: call.workspace().join(call.input("working-directory")), depth }
    }

    fn ask(&self, call: &mut Call<'_>, args: &[&str]) -> Result<String, NativeError> {
        let env = [("GIT_TERMINAL_PROMPT", "0")];
        call.effects.capture("git", args, RunOptions { folder: Some(&self.folder), env: &env, quiet: true })
    }

    fn has(&self, call: &mut Call<'_>, reference: &str) -> bool {
        let commit = format!("{reference}^{{commit}}");
        self.ask(call, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).is_ok()
    }

    /// Gets a commit or branch that is not here. Where that fails, what needs it says so.
    fn fetch(&self, call: &mut Call<'_>, reference: &str) {
        if !self.has(call, reference) {
            let depth = format!("--depth={}", self.depth);
            let _ = self.ask(call, &["fetch", "--no-tags", "--quiet", &depth, "origin", "--end-of-options", reference]);
        }
    }

    /// What a branch or tag is called here.
    fn resolve(&self, call: &mut Call<'_>, name: &str) -> Result<String, NativeError> {
        let names = [format!("refs/remotes/origin/{name}"), format!("refs/tags/{name}"), format!("refs/heads/{name}")];
        if let Some(known) = names.iter().find(|known| self.has(call, known)) {
            return Ok(known.clone());
        }
        let depth = format!("--depth={}", self.depth);
        let spec = format!("+refs/heads/{name}:refs/remotes/origin/{name}");
        let fetched = self.ask(call, &["fetch", "--no-tags", "--quiet", &depth, "origin", "--end-of-options", &spec]);
        match fetched {
            Ok(_) => Ok(names[0].clone()),
            Err(error) => Err(NativeError(format!("`{name}` is neither here nor at `origin`: {error}"))),
        }
    }

    /// From where the two parted; without a common ancestor, all that is different.
    fn since(&self, call: &mut Call<'_>, base: &str, head: &str) -> Result<Vec<ChangedFile>, NativeError> {
        match self.ask(call, &["merge-base", base, head]) {
            Ok(ancestor) => self.diff(call, &[ancestor.trim(), head]),
            Err(_) => {
                let message = "No merge base found - change detection will use direct <commit>..<commit> comparison";
                call.effects.annotate(AnnotationLevel::Warning, message);
                self.diff(call, &[base, head])
            }
        }
    }

    fn diff(&self, call: &mut Call<'_>, commits: &[&str]) -> Result<Vec<ChangedFile>, NativeError> {
        if let Some(wrong) = commits.iter().find(|commit| commit.starts_with('-') || commit.is_empty()) {
            return Err(NativeError(format!("`{wrong}` is no commit")));
        }
        let args: Vec<&str> =
            ["diff", "--no-renames", "--name-status", "-z"].into_iter().chain(commits.iter().copied()).collect();
        Ok(parse(&self.ask(call, &args)?))
    }

    fn last_commit(&self, call: &mut Call<'_>, head: &str) -> Result<Vec<ChangedFile>, NativeError> {
        if head.starts_with('-') {
            return Err(NativeError(format!("`{head}` is no commit")));
        }
        let args = ["log", "--format=", "--no-renames", "--name-status", "-z", "-n", "1", head];
        Ok(parse(&self.ask(call, &args)?))
    }

    fn all_as_added(&self, call: &mut Call<'_>) -> Result<Vec<ChangedFile>, NativeError> {
        let said = self.ask(call, &["ls-files", "-z"])?;
        let names = said.split('\0').filter(|name| !name.is_empty());
        Ok(names.map(|name| ChangedFile { name: name.to_owned(), status: Status::Added }).collect())
    }
}

/// `M\0path\0A\0other\0`.
fn parse(said: &str) -> Vec<ChangedFile> {
    let mut files = Vec::new();
    let mut words = said.split('\0').map(str::trim_start);
    while let (Some(letter), Some(name)) = (words.next(), words.next()) {
        let status = match letter.chars().next() {
            Some('A') => Status::Added,
            Some('C') => Status::Copied,
            Some('D') => Status::Deleted,
            Some('R') => Status::Renamed,
            Some('U') => Status::Unmerged,
            _ => Status::Modified,
        };
        files.push(ChangedFile { name: name.to_owned(), status });
    }
    files
}
