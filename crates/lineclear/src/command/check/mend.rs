//! `--fix` and `--diff`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use clap::ValueEnum;
use lineclear_check::{Checker, Made, Project, Repaired, Safety, repair};
use lineclear_source::{Source, Style};
use similar::TextDiff;

use super::{Asked, CheckArgs, choose, tell};
use crate::checking::{Outcome, decode};
use crate::exit::Exit;
use crate::output;

/// Which repairs to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Which {
    /// Those that keep what the file does.
    Safe,
    /// Those that have to be read, too.
    All,
}

/// Repairs the files, or shows what would change; then tells what is left.
///
/// # Errors
/// A sentence: standard input was to be repaired with other files, or a file cannot be written.
pub(super) fn mend(args: &CheckArgs, asked: &Asked, stdin: bool) -> Result<Exit, String> {
    let up_to = match args.fix {
        Some(Which::All) => Safety::Review,
        Some(Which::Safe) | None => Safety::Safe,
    };
    if stdin {
        return Err("standard input cannot be repaired; name the file".to_owned());
    }
    let checker = Checker::new(&asked.settings);
    let mut made: BTreeMap<Made, usize> = BTreeMap::new();
    let mut files = 0;
    for input in &asked.named.inputs {
        let Some(around) = asked.around.get(&input.repository) else { continue };
        let Ok(Ok(text)) = std::fs::read(&input.path).map(decode) else { continue };
        let source = Source::new(input.shown.as_str(), text);
        let Repaired { text, made: done, refused } =
            repair(&checker, &source, input.kind, &Project::new(around), up_to);
        for one in refused {
            output::complain(&format!(
                "note: {}: `{}` is left to you, its edit would have changed more",
                input.shown, one.title
            ));
        }
        if text == source.text() {
            continue;
        }
        files += 1;
        done.into_iter().for_each(|one| *made.entry(one).or_default() += 1);
        if args.diff {
            output::print(&difference(&input.shown, source.text(), &text));
        } else {
            write(&input.path, &text).map_err(|error| format!("`{}` cannot be written: {error}", input.shown))?;
        }
    }
    report(&made, files, args.diff);
    if args.diff {
        return Ok(if files > 0 { Exit::WorkFailed } else { Exit::Success });
    }
    let mut again = choose::asked(args, &asked.root, &asked.root)?;
    again.named = crate::checking::Named {
        inputs: asked.named.inputs.clone(),
        is_whole: asked.named.is_whole,
        unknown: Vec::new(),
    };
    let outcomes: Vec<Outcome> = again.check();
    Ok(tell(args, &mut again, outcomes))
}

fn report(made: &BTreeMap<Made, usize>, files: usize, is_diff: bool) {
    for (Made { rule, title }, count) in made {
        let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
        output::complain(&format!("  {rule}: {title}{times}"));
    }
    let verb = if is_diff { "would be" } else { "were" };
    let count: usize = made.values().sum();
    output::complain(&format!("{count} repairs {verb} made in {files} files"));
}

/// A unified difference, coloured on a terminal.
fn difference(name: &str, before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let plain = diff.unified_diff().context_radius(3).header(&format!("a/{name}"), &format!("b/{name}")).to_string();
    if output::stdout_style() == Style::Plain {
        return plain;
    }
    let coloured = plain.lines().map(|line| match line.as_bytes().first() {
        _ if line.starts_with("+++") || line.starts_with("---") => format!("\x1b[1m{line}\x1b[0m\n"),
        Some(b'+') => format!("\x1b[32m{line}\x1b[0m\n"),
        Some(b'-') => format!("\x1b[31m{line}\x1b[0m\n"),
        Some(b'@') => format!("\x1b[36m{line}\x1b[0m\n"),
        _ => format!("{line}\n"),
    });
    coloured.collect()
}

/// Writes a file so that it is either as before or whole, with its permissions; a link is written through.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = std::fs::canonicalize(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".lineclear-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(std::fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}
