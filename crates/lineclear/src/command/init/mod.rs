//! `lineclear init`: looks at the repository, and writes a policy and what workflows are missing.

mod policy_draft;
mod survey;
mod workflow_draft;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use clap::{Args, ValueEnum};
use lineclear_policy::{CheckClass, Preset};
use similar::TextDiff;

use crate::command::policy::preset;
use crate::exit::Exit;
use crate::local_event::Checkout;
use crate::output;
use crate::policy_file::NAME;
use crate::workflow_files;
use survey::Survey;

const CI: &str = ".github/workflows/ci.yml";
const PUBLISH: &str = ".github/workflows/publish.yml";

const EXAMPLES: &str = "\
Examples:
  lineclear init --dry-run              what it would write, as a diff
  lineclear init                        lineclear.toml, and workflows where there are none
  lineclear init --preset balanced      quality checks, smoke test and build check of the images have to succeed
  lineclear init --only policy          no workflows
  lineclear init --force                what is there may be overwritten

It goes by what it finds: languages, tests, Dockerfiles, compose files and workflows. What is there stays as it is. docs/init.md";

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InitArgs {
    /// How strict: publish-only, balanced or strict. [default: balanced where its checks are there or can be written, else publish-only]
    #[arg(long, value_name = "PRESET", value_parser = preset)]
    preset: Option<Preset>,

    /// Show what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,

    /// Overwrite files that are there.
    #[arg(long)]
    force: bool,

    /// Write only this.
    #[arg(long, value_enum)]
    only: Option<Only>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Only {
    /// lineclear.toml
    Policy,
    /// The workflows.
    Workflows,
}

/// A file that would be written.
struct Draft {
    path: &'static str,
    text: String,
    /// What is there now.
    before: Option<String>,
}

/// Carries out `init`.
pub(crate) fn run(args: &InitArgs) -> Exit {
    begun(args).unwrap_or_else(|message| {
        output::complain(&format!("error: {message}"));
        Exit::BadInput
    })
}

fn begun(args: &InitArgs) -> Result<Exit, String> {
    let here = std::env::current_dir().map_err(|error| format!("this folder cannot be used: {error}"))?;
    let checkout = Checkout::find(&here);
    let root = &checkout.root;
    let files = workflow_files::read(root, &[])?;
    let reference = checkout.default_reference();
    let branch = reference.strip_prefix("refs/heads/").unwrap_or("main");
    let survey = Survey::of(root, &files, branch.to_owned());
    let preset = match args.preset {
        Some(preset) => {
            possible(preset, &survey)?;
            preset
        }
        None if possible(Preset::Balanced, &survey).is_ok() => Preset::Balanced,
        None => {
            possible(Preset::PublishOnly, &survey)?;
            Preset::PublishOnly
        }
    };
    let drafts = drafts(args, root, preset, &survey)?;
    let mut text = String::new();
    let mut written = 0_usize;
    let mut kept = 0_usize;
    for draft in &drafts {
        let is_kept = draft.before.is_some() && !args.force;
        match &draft.before {
            Some(before) if *before == draft.text => {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{} is as it should be.", draft.path);
                continue;
            }
            Some(_) if is_kept => {
                kept += 1;
                let _ = writeln!(text, "{} is there and stays as it is; `--force` would change:", draft.path);
            }
            _ if args.dry_run => {
                let _ = writeln!(text, "{} would be written:", draft.path);
            }
            Some(_) => {
                let _ = writeln!(text, "{} is overwritten:", draft.path);
            }
            None => {
                let _ = writeln!(text, "{} is written:", draft.path);
            }
        }
        text.push_str(&difference(draft));
        if !is_kept && !args.dry_run {
            write(root, draft)?;
        }
        written += usize::from(!is_kept);
    }
    text.push_str(&next(args, preset, &survey, written, kept));
    output::print(&text);
    Ok(Exit::Success)
}

/// Whether the preset would find its checks, in the workflows that there are or in those that are written.
fn possible(preset: Preset, survey: &Survey) -> Result<(), String> {
    let writes_ci = survey.lacks_ci();
    let quality = survey.has(CheckClass::Quality) || writes_ci;
    let docker = survey.has(CheckClass::DockerBuild) || (writes_ci && !survey.dockerfiles.is_empty());
    let smoke = survey.has(CheckClass::Smoke) || (writes_ci && survey.compose.is_some());
    let name = preset.as_str();
    if survey.has_unreadable {
        return Err("a workflow here cannot be understood: `lineclear check` says why; mend it first".to_owned());
    }
    if !quality {
        return Err(format!(
            "the preset `{name}` asks for quality checks, and neither is there a workflow with one nor code in a language that `init` knows \
             (Python, Node, Rust, Go): write a workflow with a job `quality` first"
        ));
    }
    if preset == Preset::PublishOnly {
        return Ok(());
    }
    if !docker {
        return Err(format!(
            "the preset `{name}` asks for a check that builds the images, and there is no job called so and no Dockerfile to write one for: take `--preset publish-only`"
        ));
    }
    if !smoke {
        return Err(format!(
            "the preset `{name}` asks for a smoke test, and there is no job called so and no compose.yml to write one for: take `--preset publish-only`"
        ));
    }
    Ok(())
}

fn drafts(args: &InitArgs, root: &Path, preset: Preset, survey: &Survey) -> Result<Vec<Draft>, String> {
    let mut texts: Vec<(&'static str, String)> = Vec::new();
    if args.only != Some(Only::Workflows) {
        texts.push((NAME, policy_draft::text(preset, survey)));
    }
    if args.only != Some(Only::Policy) {
        if survey.lacks_ci() {
            texts.push((CI, workflow_draft::ci(survey)));
        }
        let follows_ci = survey.lacks_ci() || survey.workflows.iter().any(|name| name == "CI");
        // One that was written for another preset is changed with it.
        let there = std::fs::read_to_string(root.join(PUBLISH)).unwrap_or_default();
        let is_of_init = Preset::ALL.iter().any(|other| workflow_draft::publish(*other, survey) == there);
        if (survey.lacks_publication() && follows_ci) || is_of_init {
            texts.push((PUBLISH, workflow_draft::publish(preset, survey)));
        }
    }
    let mut drafts = Vec::new();
    for (path, text) in texts {
        let before = match std::fs::read(root.join(path)) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("`{path}` cannot be read: {error}")),
        };
        drafts.push(Draft { path, text, before });
    }
    Ok(drafts)
}

fn difference(draft: &Draft) -> String {
    let before = draft.before.as_deref().unwrap_or_default();
    let diff = TextDiff::from_lines(before, &draft.text);
    let old = if draft.before.is_some() { draft.path } else { "/dev/null" };
    format!("{}\n", diff.unified_diff().context_radius(3).header(old, draft.path))
}

/// Writes the file whole or not at all; a link is not followed out of the repository.
fn write(root: &Path, draft: &Draft) -> Result<(), String> {
    let path = root.join(draft.path);
    let wrong = |error: std::io::Error| format!("`{}` cannot be written: {error}", draft.path);
    let folder = path.parent().unwrap_or(root);
    std::fs::create_dir_all(folder).map_err(wrong)?;
    let is_outside = |path: &Path| {
        let (Ok(real), Ok(root)) = (path.canonicalize(), root.canonicalize()) else { return false };
        !real.starts_with(root)
    };
    if is_outside(folder) || path.is_symlink() {
        return Err(format!("`{}` is a link: write the file that it leads to yourself", draft.path));
    }
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(wrong)?;
    file.write_all(draft.text.as_bytes()).map_err(wrong)?;
    // Temporary files are for their owner alone; this one is to be read like its neighbours.
    std::fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).map_err(wrong)?;
    if draft.before.is_none() {
        file.persist_noclobber(&path).map_err(|error| wrong(error.error))?;
    } else {
        file.persist(&path).map_err(|error| wrong(error.error))?;
    }
    Ok(())
}

/// What to do now.
fn next(args: &InitArgs, preset: Preset, survey: &Survey, written: usize, kept: usize) -> String {
    let mut text = format!("The preset is `{}`.", preset.as_str());
    if survey.parts.is_empty() {
        text.push_str(
            " No code was found in a language that `init` knows; the workflows that are there say what is tested.",
        );
    } else if !survey.lacks_ci() {
        text.push_str(" The workflows that are there test the code, so no other is written.");
    }
    if !survey.dockerfiles.is_empty() && survey.publishes {
        text.push_str(" One of them pushes images already.");
    }
    text.push('\n');
    if args.dry_run {
        text.push_str("Nothing was written. Without --dry-run it is.\n");
        return text;
    }
    if written == 0 && kept > 0 {
        return text;
    }
    text.push_str(
        "\nType next:
  lineclear check             whether anything is wrong with it
  lineclear plan              what a push of this branch would run, and why
  lineclear run               run it, here and now
  lineclear status            what this repository is held to, and how it stands
",
    );
    if preset == Preset::Strict && !survey.dockerfiles.is_empty() {
        text.push_str(
            "\nThen, of what was built:
  lineclear vulnerabilities import FILE…
                              what is known of vulnerabilities (docs/scan.md)
  lineclear key generate release
                              a key to sign with; `[signing]` of lineclear.toml names it
  lineclear image scan sha256:…
  lineclear publish           signs it, lists what is in it, and gives it its names
",
        );
    }
    text
}
