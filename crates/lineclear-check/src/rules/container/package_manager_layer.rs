//! `package-manager-layer`: an installation that fails, is stale, or leaves its lists in the image.

use lineclear_dockerfile::{InstructionKind, Stage};
use lineclear_shell::{Command, Word};
use lineclear_source::Severity;

use crate::rules::script::shells;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, RunSite, Scripted as _, page};

/// Manual and tests: `docs/rules/package-manager-layer.md`.
#[derive(Debug)]
pub(super) struct PackageManagerLayer;

static META: RuleMeta = RuleMeta {
    id: "package-manager-layer",
    summary: "an installation that fails, is stale, or leaves its lists in the image",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("package-manager-layer"),
};

impl Rule for PackageManagerLayer {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        const NEEDLES: &[&str] = &["apt", "apk", "yum", "dnf", "pip"];
        let Some(dockerfile) = file.dockerfile() else { return };
        let delivered: Vec<usize> = dockerfile
            .last_stage()
            .map(|last| dockerfile.lineage(last).map(|stage| stage.index).collect())
            .unwrap_or_default();
        for run in file.runs().iter().filter(|run| shells::has_any(run.raw(), NEEDLES)) {
            for (at, command) in run.script().commands.iter().enumerate() {
                let Some((program, arguments)) = command.program() else { continue };
                asks(run, command, program, arguments, report);
                if verb(program, arguments) == Some("update") && matches!(program, "apt-get" | "apt") {
                    updates_alone(run, command, program, at, report);
                }
                // What other stages leave behind is not in the image.
                if delivered.contains(&run.stage.index) {
                    leaves_lists(run, command, program, arguments, at, report);
                }
            }
        }
    }
}

/// The command that the arguments give a package manager.
fn verb<'w>(program: &str, arguments: &'w [Word]) -> Option<&'w str> {
    if !matches!(program, "apt-get" | "apt" | "apk" | "yum" | "dnf" | "microdnf" | "pip" | "pip3") {
        return None;
    }
    shells::operands(arguments, &["-o", "-t", "-c", "--target-release", "--option"])
        .first()
        .map(|word| word.text.as_str())
}

/// An installation that waits for an answer, which nobody gives.
fn asks(run: &RunSite<'_>, command: &Command, program: &str, arguments: &[Word], report: &mut Report<'_>) {
    let asking = matches!(program, "apt-get" | "apt" | "yum" | "dnf");
    let is_change = matches!(verb(program, arguments), Some("install" | "upgrade" | "dist-upgrade" | "full-upgrade"));
    let is_answered = shells::has_option(
        arguments,
        &["--yes", "--assume-yes", "--assumeyes", "-qq", "--download-only", "--simulate", "--help", "-s", "-d"],
    ) || shells::has_letter(arguments, 'y')
        || arguments.iter().any(|word| word.text.contains("Assume-Yes") || word.text.contains('$'))
        || command.reads_from.is_some();
    if asking && is_change && !is_answered && !answers_always(run.stage) {
        report
            .at(
                shells::span_of_command(run, command),
                format!("`{program}` asks whether to go on, and nobody answers: the build fails"),
            )
            .severity(Severity::Warning)
            .help("add `-y`");
    }
}

/// Whether the stage writes a file of settings, which may say yes.
fn answers_always(stage: &Stage) -> bool {
    stage.instructions.iter().any(|instruction| match &instruction.kind {
        InstructionKind::Run(run) => {
            run.script().is_some_and(|text| shells::has_any(text.as_str(), &["Assume-Yes", "assumeyes", "apt.conf"]))
        }
        InstructionKind::Copy(transfer) => shells::has_any(transfer.destination.raw(), &["apt.conf", "dnf.conf"]),
        _ => false,
    })
}

/// Lists that a layer of its own holds: it is taken from the cache when they are long stale.
fn updates_alone(run: &RunSite<'_>, command: &Command, program: &str, at: usize, report: &mut Report<'_>) {
    let later = run.script().commands.iter().skip(at + 1);
    let mut later = later.filter_map(Command::program);
    let is_used = later.any(|(program, arguments)| {
        matches!(verb(program, arguments), Some(verb) if verb != "update")
            // A script may install.
            || matches!(program, "bash" | "sh" | "eval" | "xargs")
            || program.contains('/')
            || program.starts_with("apt")
            || program.starts_with("install")
    });
    if !is_used && !is_cached(run, "/var/lib/apt") {
        report
            .at(
                shells::span_of_command(run, command),
                format!("`{program} update` is a layer of its own: later builds take it from the cache, and install what its stale lists name"),
            )
            .severity(Severity::Warning)
            .help("write it before the installation, in one `RUN`: `apt-get update && apt-get install -y …`");
    }
}

/// Lists and downloads that the image carries along.
fn leaves_lists(
    run: &RunSite<'_>,
    command: &Command,
    program: &str,
    arguments: &[Word],
    at: usize,
    report: &mut Report<'_>,
) {
    let verb = verb(program, arguments);
    let later = || run.script().commands.iter().skip(at + 1);
    let removes = |path: &str| later().any(|command| command.words.iter().any(|word| word.text.starts_with(path)));
    let cleans = || {
        later().any(|command| {
            command
                .program()
                .is_some_and(|(other, arguments)| other == program && arguments.iter().any(|word| word.text == "clean"))
        })
    };
    let (message, help) = match (program, verb) {
        ("apt-get" | "apt", Some("update")) if !removes("/var/lib/apt") && !is_cached(run, "/var/lib/apt") => {
            // Without an installation there is another finding.
            let installs = later().filter_map(Command::program).any(|(program, arguments)| {
                matches!(program, "apt-get" | "apt") && self::verb(program, arguments) == Some("install")
            });
            if !installs || later().any(is_unknown) {
                return;
            }
            ("the lists of packages stay in the image", "end the `RUN` with `&& rm -rf /var/lib/apt/lists/*`")
        }
        ("apk", Some("add"))
            if !shells::has_option(arguments, &["--no-cache"])
                && !removes("/var/cache/apk")
                && !is_cached(run, "/var/cache/apk")
                && !is_cached(run, "/etc/apk") =>
        {
            ("the lists of packages stay in the image", "use `apk add --no-cache`")
        }
        ("yum" | "dnf" | "microdnf", Some("install"))
            if !cleans() && !removes("/var/cache") && !is_cached(run, "/var/cache") =>
        {
            ("the lists and packages stay in the image", "end the `RUN` with `&& dnf clean all`")
        }
        ("pip" | "pip3", Some("install"))
            if keeps_downloads(run, arguments) && !removes("/.cache") && !removes("~/.cache") =>
        {
            (
                "what was downloaded stays in the image a second time",
                "add `--no-cache-dir`, or keep pip's cache outside by `RUN --mount=type=cache`",
            )
        }
        _ => return,
    };
    report.at(shells::span_of_command(run, command), message).help(help);
}

/// Whether `pip` leaves what it downloads where it becomes part of the image.
fn keeps_downloads(run: &RunSite<'_>, arguments: &[Word]) -> bool {
    let purges = || shells::has_any(run.raw(), &["cache purge"]);
    let is_told = shells::has_option(arguments, &["--no-cache-dir", "--no-cache", "--cache-dir"]);
    !is_told && !purges() && !is_cached(run, "pip") && !is_cached(run, ".cache") && !has_no_pip_cache(run.stage)
}

/// Whether a command may do anything: another script.
fn is_unknown(command: &Command) -> bool {
    command.program().is_some_and(|(program, _)| program.contains('/') && program.ends_with(".sh"))
}

/// Whether a cache is mounted at a path, or at one that holds the word.
fn is_cached(run: &RunSite<'_>, path: &str) -> bool {
    run.run.mounts.iter().filter(|mount| matches!(mount.kind.as_str(), "cache" | "tmpfs")).any(|mount| {
        ["target", "dst", "destination"]
            .iter()
            .filter_map(|key| mount.option(key))
            .any(|target| target.raw().contains(path) || target.has_variable())
    })
}

/// Whether the image's variables switch the cache off.
fn has_no_pip_cache(stage: &Stage) -> bool {
    stage.instructions.iter().any(|instruction| match &instruction.kind {
        InstructionKind::Env(pairs) => pairs.iter().any(|pair| pair.name.raw() == "PIP_NO_CACHE_DIR"),
        InstructionKind::Arg(arguments) => arguments.iter().any(|argument| argument.name.raw() == "PIP_NO_CACHE_DIR"),
        _ => false,
    })
}
