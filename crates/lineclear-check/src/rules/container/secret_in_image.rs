//! `secret-in-image`: a secret that becomes part of an image.

use lineclear_dockerfile::{Argument, InstructionKind, Pair};
use lineclear_source::Severity;

use super::secret_words::{is_placeholder, names_secret, token_of};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/secret-in-image.md`.
#[derive(Debug)]
pub(super) struct SecretInImage;

static META: RuleMeta = RuleMeta {
    id: "secret-in-image",
    summary: "a secret that becomes part of an image",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Dockerfile],
    repair: Repair::None,
    since: "0.1",
    page: page!("secret-in-image"),
};

impl Rule for SecretInImage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(dockerfile) = file.dockerfile() else { return };
        dockerfile.arguments.iter().for_each(|argument| of_argument(argument, report));
        for instruction in dockerfile.stages.iter().flat_map(|stage| &stage.instructions) {
            match &instruction.kind {
                InstructionKind::Arg(arguments) => arguments.iter().for_each(|argument| of_argument(argument, report)),
                InstructionKind::Env(pairs) => pairs.iter().for_each(|pair| of_environment(pair, report)),
                _ => {}
            }
        }
    }
}

const HELP: &str =
    "hand it to the step that needs it: `RUN --mount=type=secret,id=name …`, and at run time by the environment";

fn of_argument(argument: &Argument, report: &mut Report<'_>) {
    let name = argument.name.raw();
    let value = argument.default.as_ref().map(|word| word.unquoted()).unwrap_or_default();
    if let Some(service) = token_of(&value) {
        report
            .at(
                argument.name.span(),
                format!("`{name}` holds a token of {service}: who has the image or this file has it"),
            )
            .severity(Severity::Error)
            .help(HELP);
    } else if names_secret(name) && (value.is_empty() || !is_placeholder(&value)) {
        report
            .at(argument.name.span(), format!("the build argument `{name}` can be read in the image's history"))
            .help(HELP);
    }
}

fn of_environment(pair: &Pair, report: &mut Report<'_>) {
    let name = pair.name.raw();
    let value = pair.value.unquoted();
    if let Some(service) = token_of(&value) {
        report
            .at(pair.name.span(), format!("`{name}` holds a token of {service}: who has the image or this file has it"))
            .severity(Severity::Error)
            .help(HELP);
    } else if names_secret(name) && value.starts_with("${") {
        report.at(pair.name.span(), format!("`{name}` stays in the image: who can pull it can read it")).help(HELP);
    } else if names_secret(name) && !is_placeholder(&value) {
        report
            .at(pair.name.span(), format!("`{name}` stays in the image with its value: who can pull it can read it"))
            .severity(Severity::Error)
            .help(HELP);
    }
}
