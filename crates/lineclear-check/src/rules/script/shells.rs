//! What rules ask of a script and its shell.

use lineclear_catalog::Platform;
use lineclear_shell::{Command, Language, Part, Script, Word};
use lineclear_source::Span;
use lineclear_workflow::{Job, JobKind, StepKind, Text};

use crate::rules::job::machine::Machine;
use crate::{Edit, File, ScriptSite, Scripted};

/// The scripts of one language whose text holds any of `needles`: most scripts are never taken apart.
pub(super) fn scripts_with<'f, 'a>(
    file: &'f File<'a>,
    language: Language,
    needles: &'static [&'static str],
) -> impl Iterator<Item = &'f ScriptSite<'a>> {
    file.scripts().iter().filter(move |site| site.language == Some(language) && site.has_any(needles))
}

/// Whether the text holds any of `needles`.
pub(crate) fn has_any(text: &str, needles: &[&str]) -> bool {
    needles.iter().any(|needle| memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_some())
}

/// Where a word of the script stands in the file.
pub(crate) fn span_of_word(site: &dyn Scripted, word: &Word) -> Span {
    site.span_of(word.span.clone())
}

/// Where a command stands in the file, from its program on.
pub(crate) fn span_of_command(site: &dyn Scripted, command: &Command) -> Span {
    let start = command.program_word().or(command.words.first()).map_or(command.span.start, |word| word.span.start);
    site.span_of(start..command.span.end.max(start))
}

/// The container of the job, if its image is more than nothing.
pub(super) fn container_image(job: Option<&Job>) -> Option<&str> {
    let JobKind::Steps(steps) = &job?.kind else { return None };
    steps.container.as_ref().map(|container| container.image.raw()).filter(|image| !image.is_empty())
}

/// Whether the machine's default shell runs the script, and that is `bash -e`: no `shell`, no container, no Windows.
pub(super) fn is_default_bash(site: &ScriptSite<'_>) -> bool {
    site.shell.is_none() && site.language == Some(Language::Posix) && container_image(site.site.job).is_none()
}

/// Whether every label says that the machine is the forge's own Ubuntu or macOS.
pub(super) fn is_hosted_unix(job: Option<&Job>) -> bool {
    use lineclear_workflow::RunsOn;
    let Some(JobKind::Steps(steps)) = job.map(|job| &job.kind) else { return false };
    let RunsOn::Labels(labels) = &steps.runs_on else { return false };
    labels.value.iter().all(|label| label.raw().starts_with("ubuntu-") || label.raw().starts_with("macos-"))
}

/// Whether no machine that the job may get would read the script with another shell: one is written, or every machine's default is the
/// same.
pub(super) fn is_shell_known(site: &ScriptSite<'_>) -> bool {
    if site.shell.is_some() || site.language == Some(Language::PowerShell) || container_image(site.site.job).is_some() {
        return true;
    }
    let platforms = site.site.job.and_then(Machine::of).and_then(|machine| machine.platforms());
    platforms.is_some_and(|platforms| !platforms.has(Platform::Windows))
}

/// Whether the job says that it runs on a machine of its own.
pub(super) fn is_self_hosted(job: Option<&Job>) -> bool {
    use lineclear_workflow::RunsOn;
    let Some(JobKind::Steps(steps)) = job.map(|job| &job.kind) else { return false };
    match &steps.runs_on {
        RunsOn::Labels(labels) => labels.value.iter().any(|label| label.raw() == "self-hosted"),
        _ => false,
    }
}

/// The program of the shell as it is written: `bash` of `bash -e {0}`.
pub(super) fn shell_program<'a>(site: &ScriptSite<'a>) -> Option<&'a str> {
    let program = site.shell?.split_ascii_whitespace().next()?.rsplit(['/', '\\']).next()?;
    Some(program.trim_end_matches(".exe"))
}

/// The values that `env` of the step, the job and the workflow give the variable `name`, nearest first.
pub(super) fn env_value<'t>(file: &'t File<'_>, site: &'t ScriptSite<'_>, name: &str) -> Option<&'t Text> {
    use lineclear_workflow::Env;
    let of_job = site.site.job.and_then(|job| match &job.kind {
        JobKind::Steps(steps) => steps.env.as_ref(),
        JobKind::Call(_) => None,
    });
    let of_workflow = file.workflow().and_then(|workflow| workflow.env.as_ref());
    [site.site.step.env.as_ref(), of_job, of_workflow].into_iter().flatten().find_map(|env| match env {
        Env::Names(names) => names.iter().find(|(key, _)| key.raw() == name).map(|(_, value)| value),
        Env::Expression(_) => None,
    })
}

/// The place of an edit in a script: only where the file says it as the script has it, so that the bytes can be exchanged.
pub(super) fn edit_span(file: &File<'_>, site: &dyn Scripted, range: std::ops::Range<usize>) -> Option<Span> {
    let text = site.raw().get(range.clone())?;
    let span = site.span_of(range);
    let is_free = site.is_verbatim() && !text.contains('\n');
    (is_free && file.source().slice(span) == text).then_some(span)
}

/// The edit that adds `entry` to the step behind its script, or before everything where that is not possible.
pub(super) fn add_to_step(file: &File<'_>, site: &ScriptSite<'_>, entry: &str) -> Edit {
    let step = site.site.step.span;
    Edit::add_entry_after(file.source(), step, site.text.span(), entry)
        .filter(|_| file.source().text().as_bytes().get(step.start as usize) != Some(&b'{'))
        .unwrap_or_else(|| Edit::add_first_entry(file.source(), step, entry))
}

/// Whether one of the arguments is any of `options`, with or without `=value`.
pub(crate) fn has_option(arguments: &[Word], options: &[&str]) -> bool {
    arguments.iter().any(|word| {
        let name = word.text.split('=').next().unwrap_or_default();
        options.contains(&name)
    })
}

/// Whether one of the arguments is a bundle of short options that holds the letter: `-sSLk` holds `k`.
pub(crate) fn has_letter(arguments: &[Word], letter: char) -> bool {
    arguments.iter().any(|word| {
        let text = word.text.as_str();
        text.len() > 1 && text.starts_with('-') && !text.starts_with("--") && text.contains(letter)
    })
}

/// The arguments that are no options. What follows an option of `valued` is its value.
pub(crate) fn operands<'w>(arguments: &'w [Word], valued: &[&str]) -> Vec<&'w Word> {
    let mut found = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word.text.starts_with('-') && word.text.len() > 1 {
            if valued.contains(&word.text.as_str()) {
                words.next();
            }
        } else {
            found.push(word);
        }
    }
    found
}

/// Whether the index's command stands inside of a word of another, at any depth, for which `is` holds.
pub(super) fn holder<'s>(script: &'s Script, command: &Command) -> Option<&'s Command> {
    command.inside.and_then(|at| script.commands.get(at))
}

/// The names of files that the runner reads after a step.
pub(super) const COMMAND_FILES: &[&str] =
    &["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"];

/// The runner's file that a word names, if it is one variable and nothing else.
pub(super) fn command_file(word: &Word) -> Option<&str> {
    match word.parts.as_slice() {
        [Part::Variable { name, .. }] => COMMAND_FILES.iter().copied().find(|file| file == name),
        _ => None,
    }
}

/// The script of the step before this one, in the same job.
pub(super) fn previous_script<'f, 'a>(file: &'f File<'a>, site: &ScriptSite<'a>) -> Option<&'f ScriptSite<'a>> {
    let index = site.site.index.checked_sub(1)?;
    let job = site.site.job.map(std::ptr::from_ref);
    let is_it = |other: &&ScriptSite<'a>| other.site.index == index && other.site.job.map(std::ptr::from_ref) == job;
    file.scripts().iter().find(is_it).filter(|other| matches!(other.site.step.kind, StepKind::Run { .. }))
}
