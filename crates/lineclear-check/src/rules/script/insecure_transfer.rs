//! `insecure-transfer`: plain `http`, `git://`, and certificates that nobody checks.

use lineclear_shell::{Command, Word};
use lineclear_source::Severity;

use super::shells;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, Scripted, page};

/// Manual and tests: `docs/rules/insecure-transfer.md`.
#[derive(Debug)]
pub(super) struct InsecureTransfer;

static META: RuleMeta = RuleMeta {
    id: "insecure-transfer",
    summary: "what is fetched can be exchanged on its way",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action, FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("insecure-transfer"),
};

impl Rule for InsecureTransfer {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        const NEEDLES: &[&str] = &[
            "http://",
            "git://",
            "curl",
            "no-check-certificate",
            "strict-ssl",
            "SSL_NO_VERIFY",
            "sslVerify",
            "sslverify",
            "REJECT_UNAUTHORIZED",
            "trusted-host",
            "allow-unauthenticated",
            "HTTPSVERIFY",
            "SkipCertificateCheck",
            "no-gpg-check",
            "nogpgcheck",
        ];
        for site in file.scripts().iter().filter(|site| site.language.is_some() && site.has_any(NEEDLES)) {
            for command in &site.script().commands {
                check_command(site, command, report);
            }
        }
        for run in file.runs().iter().filter(|run| shells::has_any(run.raw(), NEEDLES)) {
            for command in &run.script().commands {
                check_command(run, command, report);
            }
        }
        for pair in image_variables(file) {
            if switches_off(pair.name.raw(), &pair.value.unquoted()) {
                report.at(
                    pair.name.span(),
                    format!("`{}` switches off the check of certificates for everything that runs", pair.name.raw()),
                );
            }
        }
        for_each_variable(file, |name, value| {
            if switches_off(name.raw(), value.raw()) {
                report.at(
                    name.span(),
                    format!("`{}` switches off the check of certificates for everything that runs", name.raw()),
                );
            }
        });
    }
}

fn check_command(site: &dyn Scripted, command: &Command, report: &mut Report<'_>) {
    for assignment in &command.assignments {
        if switches_off(&assignment.name, &assignment.value.text) {
            let message = format!("`{}` switches off the check of certificates", assignment.name);
            report.at(site.span_of(assignment.span.clone()), message).help(TRUST);
        }
    }
    let Some((program, arguments)) = command.program() else { return };
    let words = || arguments.iter().map(|word| word.text.as_str());
    let found: Option<&Word> = match program {
        "curl" => arguments.iter().find(|word| word.text == "--insecure" || is_short(word, 'k')),
        "wget" => arguments.iter().find(|word| word.text == "--no-check-certificate"),
        "pip" | "pip3" | "uv" => arguments
            .iter()
            .find(|word| word.text.starts_with("--trusted-host") || word.text.starts_with("--allow-insecure-host")),
        "python" | "python3" if words().any(|word| word == "pip") => {
            arguments.iter().find(|word| word.text.starts_with("--trusted-host"))
        }
        "apt-get" | "apt" => {
            arguments.iter().find(|word| matches!(word.text.as_str(), "--allow-unauthenticated" | "--force-yes"))
        }
        "yum" | "dnf" | "zypper" => {
            arguments.iter().find(|word| matches!(word.text.as_str(), "--nogpgcheck" | "--no-gpg-checks"))
        }
        "Invoke-WebRequest" | "Invoke-RestMethod" | "iwr" | "irm" => {
            arguments.iter().find(|word| word.text.eq_ignore_ascii_case("-SkipCertificateCheck"))
        }
        "git" => arguments.windows(2).find_map(|pair| match pair {
            [word, _] if word.text.eq_ignore_ascii_case("http.sslVerify=false") => Some(word),
            [word, value] if word.text.eq_ignore_ascii_case("http.sslVerify") && value.text == "false" => Some(word),
            _ => None,
        }),
        "npm" | "yarn" | "pnpm" => arguments.windows(2).find_map(|pair| match pair {
            [word, _] if word.text == "strict-ssl=false" || word.text == "--strict-ssl=false" => Some(word),
            [word, value] if word.text == "strict-ssl" && value.text == "false" => Some(word),
            _ => None,
        }),
        "export" | "set" | "setx" => arguments
            .iter()
            .find(|word| word.text.split_once('=').is_some_and(|(name, value)| switches_off(name, value))),
        _ => None,
    };
    let is_here = words().any(|word| {
        let scheme = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
        scheme.is_some_and(is_local) || is_local_word(word)
    });
    if matches!(program, "export" | "set" | "setx")
        && let Some(word) = found
    {
        let name = word.text.split('=').next().unwrap_or_default();
        report
            .at(shells::span_of_word(site, word), format!("`{name}` switches off the check of certificates"))
            .help(TRUST);
        return;
    }
    let takes_nothing = matches!(program, "curl" | "wget") && is_thrown_away(arguments);
    if let Some(word) = found.filter(|_| !is_here && !takes_nothing) {
        let message = format!("`{}` lets `{program}` take what anybody on the way sends", word.text);
        report.at(shells::span_of_word(site, word), message).help(TRUST);
    }
    if !fetches(program) || is_thrown_away(arguments) {
        return;
    }
    for word in arguments {
        // A proxy or header is not what is fetched.
        let Some((scheme, rest)) = ["http://", "git://", "ftp://"].iter().find_map(|scheme| {
            let at = word.text.find(scheme)?;
            let before = word.text.get(..at)?;
            (before.is_empty() || before.ends_with(['=', '+']))
                .then(|| (*scheme, word.text.get(at + scheme.len()..).unwrap_or_default()))
        }) else {
            continue;
        };
        if !is_local(rest) {
            let host = rest.split(['/', '?']).next().unwrap_or_default();
            report
                .at(
                    shells::span_of_word(site, word),
                    format!("what comes from `{host}` by `{scheme}` can be exchanged on its way"),
                )
                .help("use `https://`");
        }
    }
}

const TRUST: &str = "add the certificate of a private authority to the machine's store instead";

/// `curl -o /dev/null` asks whether something answers, and takes nothing from it.
fn is_thrown_away(arguments: &[Word]) -> bool {
    arguments.iter().any(|word| matches!(word.text.as_str(), "/dev/null" | "--head" | "-I" | "--spider"))
}

fn is_short(word: &Word, letter: char) -> bool {
    let text = word.text.as_str();
    // The value of another option may be glued to it: a bundle has few letters, and none of those that take values before.
    let Some(short) = text.strip_prefix('-').filter(|short| short.len() < 8 && short.chars().all(char::is_alphabetic))
    else {
        return false;
    };
    short.find(letter).is_some_and(|at| {
        !short
            .get(..at)
            .unwrap_or_default()
            .contains(['o', 'H', 'd', 'X', 'u', 'A', 'x', 'e', 'b', 'c', 'm', 'w', 'T', 'F', 'E'])
    })
}

fn fetches(program: &str) -> bool {
    matches!(
        program,
        "curl"
            | "wget"
            | "git"
            | "aria2c"
            | "pip"
            | "pip3"
            | "npm"
            | "yarn"
            | "pnpm"
            | "gem"
            | "svn"
            | "hg"
            | "iwr"
            | "irm"
            | "Invoke-WebRequest"
            | "Invoke-RestMethod"
            | "Start-BitsTransfer"
            | "brew"
            | "conda"
            | "uv"
            | "helm"
            | "go"
            | "rpm"
            | "yum"
            | "dnf"
    )
}

fn is_local_word(word: &str) -> bool {
    word.starts_with("localhost")
        || word.starts_with("127.")
        || word.starts_with("0.0.0.0")
        || word.starts_with("[::1]")
}

/// Whether a host is this machine, of a private network, or not known before it runs.
fn is_local(rest: &str) -> bool {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let is_private = host.starts_with("10.")
        || host.starts_with("192.168.")
        || host.starts_with("169.254.")
        || host.starts_with("172.");
    is_local_word(authority)
        || is_private
        || host.is_empty()
        || host.contains(['$', '%', '{', '<', '('])
        || !host.contains('.')
        || [".local", ".internal", ".localhost", ".test", ".svc", ".lan", ".example", "example.com"]
            .iter()
            .any(|end| host.ends_with(end))
}

fn switches_off(name: &str, value: &str) -> bool {
    let is_on = matches!(value, "1" | "true" | "True" | "TRUE" | "yes");
    match name {
        "GIT_SSL_NO_VERIFY" => is_on,
        "NODE_TLS_REJECT_UNAUTHORIZED" | "PYTHONHTTPSVERIFY" => value == "0",
        "npm_config_strict_ssl" | "NPM_CONFIG_STRICT_SSL" => value == "false",
        _ => false,
    }
}

/// What `ENV` of a Dockerfile sets.
fn image_variables<'a>(file: &File<'a>) -> impl Iterator<Item = &'a lineclear_dockerfile::Pair> + use<'a> {
    use lineclear_dockerfile::InstructionKind;
    let stages = file.dockerfile().map_or(&[][..], |dockerfile| &dockerfile.stages);
    stages.iter().flat_map(|stage| &stage.instructions).flat_map(|instruction| match &instruction.kind {
        InstructionKind::Env(pairs) => pairs.as_slice(),
        _ => &[],
    })
}

fn for_each_variable<'a>(
    file: &File<'a>,
    mut found: impl FnMut(&'a lineclear_workflow::Text, &'a lineclear_workflow::Text),
) {
    use lineclear_workflow::Env;
    let of_workflow = file.workflow().and_then(|workflow| workflow.env.as_ref());
    let of_jobs = file.step_jobs().filter_map(|(_, steps)| steps.env.as_ref());
    let of_steps = file.steps().iter().filter_map(|site| site.step.env.as_ref());
    for env in of_workflow.into_iter().chain(of_jobs).chain(of_steps) {
        if let Env::Names(names) = env {
            names.iter().for_each(|(name, value)| found(name, value));
        }
    }
}
