//! `unlocked-install`: installing without the lock that the repository has.

use lineclear_shell::{Command, Word};
use lineclear_source::Severity;

use super::shells;
use crate::{
    Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, RunSite, ScriptSite, Scripted,
    page,
};

/// Manual and tests: `docs/rules/unlocked-install.md`.
#[derive(Debug)]
pub(super) struct UnlockedInstall;

static META: RuleMeta = RuleMeta {
    id: "unlocked-install",
    summary: "an installation that gives something else tomorrow",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action, FileKind::Dockerfile],
    repair: Repair::Review,
    since: "0.1",
    page: page!("unlocked-install"),
};

impl Rule for UnlockedInstall {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        const NEEDLES: &[&str] = &["npm", "yarn", "pnpm", "bun", "cargo install", "go install", "poetry", "uv sync"];
        for site in file.scripts().iter().filter(|site| site.language.is_some() && site.has_any(NEEDLES)) {
            for command in &site.script().commands {
                check_command(file, site, command, &|names| is_here(file, site, names), report);
            }
        }
        for run in file.runs().iter().filter(|run| shells::has_any(run.raw(), NEEDLES)) {
            for command in &run.script().commands {
                check_command(file, run, command, &|names| is_copied(file, run, names), report);
            }
        }
    }
}

/// `has_lock` says whether one of the files is known to lie where the command runs.
fn check_command(
    file: &File<'_>,
    site: &dyn Scripted,
    command: &Command,
    has_lock: &dyn Fn(&[&str]) -> bool,
    report: &mut Report<'_>,
) {
    let Some((program, arguments)) = command.program() else { return };
    let Some(verb) = arguments.iter().find(|word| !word.text.starts_with('-')) else { return };
    let span = || shells::span_of_command(site, command);
    let named = || shells::operands(arguments, VALUED).len() > 1;
    match (program, verb.text.as_str()) {
        ("npm", "install" | "i")
            if !named()
                && !shells::has_option(arguments, OTHER)
                && has_lock(&["package-lock.json", "npm-shrinkwrap.json"]) =>
        {
            let fix = report.wants_fixes().then(|| {
                let span = shells::edit_span(file, site, verb.span.clone())?;
                Some(Fix::review("`npm ci` installs exactly what the lock says", vec![Edit::replace(span, "ci")]))
            });
            report
                .at(span(), format!("`npm {}` may install other versions than `package-lock.json` says", verb.text))
                .help("use `npm ci`")
                .fix(fix.flatten());
        }
        ("pnpm" | "yarn" | "bun", "install" | "i") => {
            let loose = ["--no-frozen-lockfile", "--no-immutable", "--frozen-lockfile=false"];
            if let Some(word) = arguments.iter().find(|word| loose.contains(&word.text.as_str())) {
                report
                    .at(
                        shells::span_of_word(site, word),
                        format!("`{}` installs other versions than the lock says", word.text),
                    )
                    .help("leave it out, and commit the lock together with what it locks");
            }
        }
        ("cargo", "install")
            if !shells::has_option(arguments, &["--locked", "--path", "--frozen", "--list"]) && named() =>
        {
            report
                .at(span(), "`cargo install` without `--locked` builds with the newest dependencies, not with those that were released")
                .severity(Severity::Info)
                .help("add `--locked`, and a version: `cargo install --locked NAME@1.2.3`");
        }
        ("go", "install") => {
            for word in arguments.iter().filter(|word| {
                word.text.ends_with("@latest") || word.text.ends_with("@master") || word.text.ends_with("@main")
            }) {
                let (module, version) = word.text.rsplit_once('@').unwrap_or_default();
                report
                    .at(shells::span_of_word(site, word), format!("`{module}` is whatever `{version}` is on that day"))
                    .help("name a version: `@v1.2.3`");
            }
        }
        _ => {}
    }
}

const VALUED: &[&str] = &[
    "--prefix",
    "--registry",
    "-C",
    "--cwd",
    "--version",
    "--features",
    "-F",
    "--git",
    "--tag",
    "--rev",
    "--branch",
    "--root",
    "--target",
];

/// What makes `npm install` something else.
const OTHER: &[&str] =
    &["-g", "--global", "--package-lock-only", "--no-save", "--prefix", "-C", "--workspace", "-w", "--location"];

/// Whether the folder that the step works in has one of these files. Only where it is plain which folder that is.
fn is_here(file: &File<'_>, site: &ScriptSite<'_>, names: &[&str]) -> bool {
    use lineclear_workflow::StepKind;
    let StepKind::Run { working_directory, .. } = &site.site.step.kind else { return false };
    if site.script().commands.iter().any(moves) {
        return false;
    }
    let folder = match working_directory {
        Some(text) => text.raw().trim_start_matches("./").trim_end_matches('/'),
        None if has_default_folder(file, site) => return false,
        None => "",
    };
    !folder.contains("${{")
        && names.iter().any(|name| {
            let path = if folder.is_empty() || folder == "." { (*name).to_owned() } else { format!("{folder}/{name}") };
            file.project().exists(&path)
        })
}

/// Whether one of these files lies beside the Dockerfile and was copied by its name into the folder that the command runs in.
fn is_copied(file: &File<'_>, run: &RunSite<'_>, names: &[&str]) -> bool {
    use lineclear_dockerfile::InstructionKind;
    if run.script().commands.iter().any(moves) {
        return false;
    }
    let lies_beside = names.iter().any(|name| file.project().exists(&file.beside(name)));
    let copies = run.stage.instructions.iter().any(|instruction| match &instruction.kind {
        InstructionKind::Copy(transfer) => {
            transfer.from.is_none()
                && transfer.sources.iter().any(|source| {
                    let source = source.raw().trim_start_matches("./");
                    source == "package*.json" || source == "*.json" || names.contains(&source)
                })
        }
        _ => false,
    });
    lies_beside && copies
}

fn moves(command: &Command) -> bool {
    command.words.first().is_some_and(|word: &Word| matches!(word.text.as_str(), "cd" | "pushd" | "Set-Location"))
}

fn has_default_folder(file: &File<'_>, site: &ScriptSite<'_>) -> bool {
    use lineclear_workflow::JobKind;
    let of_workflow = file.workflow().and_then(|workflow| workflow.defaults.as_ref());
    let of_job = site.site.job.and_then(|job| match &job.kind {
        JobKind::Steps(steps) => steps.defaults.as_ref(),
        JobKind::Call(_) => None,
    });
    [of_workflow, of_job].into_iter().flatten().any(|defaults| defaults.working_directory.is_some())
}
