//! `adhoc-package`: packages fetched by name, in the version of the day.

use lineclear_shell::{Command, Word};
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

/// Manual and tests: `docs/rules/adhoc-package.md`.
#[derive(Debug)]
pub(super) struct AdhocPackage;

static META: RuleMeta = RuleMeta {
    id: "adhoc-package",
    summary: "a package that no lock of the repository knows",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("adhoc-package"),
};

impl Rule for AdhocPackage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        const NEEDLES: &[&str] = &["npm", "npx", "bunx", "pip", "uv", "gem ", "yarn", "pnpm", "bun", "deno"];
        for site in file.scripts().iter().filter(|site| site.language.is_some() && site.has_any(NEEDLES)) {
            for command in &site.script().commands {
                check_command(file, site, command, report);
            }
        }
    }
}

/// How a package is fetched, and which one.
pub(super) struct Fetch<'w> {
    pub(super) word: &'w Word,
    pub(super) how: &'static str,
    /// Whether the version is said exactly.
    pub(super) is_pinned: bool,
}

fn check_command(file: &File<'_>, site: &ScriptSite<'_>, command: &Command, report: &mut Report<'_>) {
    let Some((program, arguments)) = command.program() else { return };
    for fetch in fetches(program, arguments).into_iter().filter(|fetch| !fetch.is_pinned) {
        let text = fetch.word.text.as_str();
        if fetch.is_of_registry() && !(fetch.how == "npx" && is_dependency(file, text)) {
            let span = shells::span_of_word(site, fetch.word);
            report
                .at(
                    span,
                    format!("`{}` fetches whatever version of `{}` is newest on that day", fetch.how, name_of(text)),
                )
                .help("name a version, or add it to the project's dependencies and install by their lock");
        }
    }
}

impl Fetch<'_> {
    /// Whether it is plainly a package of a registry: no file, folder or something that is only known when it runs.
    pub(super) fn is_of_registry(&self) -> bool {
        let text = self.word.text.as_str();
        let is_local =
            text.starts_with(['.', '/', '$', '~', '%']) || text.contains("${{") || text.contains(['*', '\\']);
        let is_file =
            [".whl", ".tgz", ".gem", ".tar.gz"].iter().any(|end| text.ends_with(end)) && !text.contains("://");
        !is_local && !is_file
    }
}

/// `npx tool` runs the project's own, if it has one.
fn is_dependency(file: &File<'_>, text: &str) -> bool {
    !text.contains('@') && file.project().exists("package.json")
}

pub(super) fn name_of(text: &str) -> &str {
    let from = usize::from(text.starts_with('@'));
    let end = text
        .get(from..)
        .and_then(|rest| rest.find(['@', '=', '<', '>', '~', '[', ':']))
        .map_or(text.len(), |at| at + from);
    text.get(..end).unwrap_or(text)
}

pub(super) fn fetches<'w>(program: &str, arguments: &'w [Word]) -> Vec<Fetch<'w>> {
    let operands = || shells::operands(arguments, VALUED);
    let verb = operands().first().map(|word| word.text.as_str());
    let of_npm = |how: &'static str, words: Vec<&'w Word>| -> Vec<Fetch<'w>> {
        words.into_iter().map(|word| Fetch { word, how, is_pinned: is_exact(version_behind_at(&word.text)) }).collect()
    };
    match (program, verb) {
        ("npm", Some("install" | "i" | "add")) => of_npm("npm install", operands().split_off(1)),
        ("yarn", Some("add")) => of_npm("yarn add", operands().split_off(1)),
        ("yarn", Some("dlx")) => of_npm("yarn dlx", operands().into_iter().skip(1).take(1).collect()),
        ("pnpm", Some("add")) => of_npm("pnpm add", operands().split_off(1)),
        ("pnpm", Some("dlx")) => of_npm("pnpm dlx", operands().into_iter().skip(1).take(1).collect()),
        ("bun", Some("add")) => of_npm("bun add", operands().split_off(1)),
        ("npx" | "bunx", Some(_))
            if !shells::has_option(arguments, &["--no-install", "--no", "-c", "--call", "-p", "--package"]) =>
        {
            let how = if program == "npx" { "npx" } else { "bunx" };
            of_npm(how, operands().into_iter().take(1).collect())
        }
        ("gem", Some("install" | "i")) => {
            let has_version = shells::has_option(arguments, &["-v", "--version"]);
            let words = operands().split_off(1).into_iter();
            words
                .map(|word| Fetch {
                    word,
                    how: "gem install",
                    is_pinned: has_version || word.text.contains([':', '@']),
                })
                .collect()
        }
        ("pip" | "pip3", Some("install")) => of_pip(arguments, operands().split_off(1), "pip install"),
        ("pipx", Some("install" | "run")) => {
            of_pip(arguments, operands().into_iter().skip(1).take(1).collect(), "pipx")
        }
        ("uvx", Some(_)) => of_pip(arguments, operands().into_iter().take(1).collect(), "uvx"),
        ("uv", Some("pip")) if operands().get(1).is_some_and(|word| word.text == "install") => {
            of_pip(arguments, operands().split_off(2), "uv pip install")
        }
        ("uv", Some("tool")) => of_pip(arguments, operands().into_iter().skip(2).take(1).collect(), "uv tool"),
        ("python" | "python3", _) => {
            let is_pip = arguments.windows(3).any(|words| matches!(words, [m, pip, install] if m.text == "-m" && pip.text == "pip" && install.text == "install"));
            if !is_pip {
                return Vec::new();
            }
            let words = operands().into_iter().skip_while(|word| word.text != "install").skip(1).collect();
            of_pip(arguments, words, "pip install")
        }
        _ => Vec::new(),
    }
}

fn of_pip<'w>(arguments: &[Word], words: Vec<&'w Word>, how: &'static str) -> Vec<Fetch<'w>> {
    let is_bound = shells::has_option(
        arguments,
        &["-r", "--requirement", "-c", "--constraint", "--require-hashes", "-e", "--editable", "--from", "--no-index"],
    );
    // The installers themselves are brought up to date by habit.
    let is_own = |text: &str| matches!(name_of(text), "pip" | "setuptools" | "wheel" | "uv" | "pipx");
    let words = words.into_iter().filter(|word| !is_bound && !is_own(&word.text));
    words
        .map(|word| Fetch {
            word,
            how,
            is_pinned: word.text.contains("==") || is_exact(version_behind_at(&word.text)) || word.text.contains("://"),
        })
        .collect()
}

fn version_behind_at(text: &str) -> &str {
    text.get(1..).and_then(|rest| rest.rsplit_once('@')).map_or("", |(_, version)| version)
}

/// Whether a version names one release: `1.2.3`, a commit, a file, or something that is only known when it runs.
fn is_exact(version: &str) -> bool {
    let numbers = version.trim_start_matches('v').split('.').count();
    let is_release = numbers >= 3 && version.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit());
    is_release || version.contains(['$', '/', '#', '%'])
}

const VALUED: &[&str] = &[
    "--prefix",
    "--registry",
    "-C",
    "--cwd",
    "-v",
    "--version",
    "--source",
    "--index-url",
    "-i",
    "--extra-index-url",
    "-r",
    "-c",
    "-t",
    "--target",
    "--python",
    "-p",
    "--with",
    "--from",
    "-f",
    "--find-links",
    "--requirement",
    "--constraint",
    "--tag",
    "-e",
    "--upgrade-strategy",
    "--platform",
    "--no-binary",
    "--only-binary",
    "--filter",
    "--python-version",
    "--user-install",
    "--dir",
    "--root",
    "--package",
    "-w",
    "--workspace",
    "--trusted-host",
    "--retries",
    "--timeout",
    "--progress-bar",
    "-m",
    "--cache-dir",
];
