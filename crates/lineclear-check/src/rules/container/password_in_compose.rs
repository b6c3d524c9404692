//! `password-in-compose`: a password that everyone who has the file knows.

use lineclear_compose::interpolation::{has_variable, with_defaults};
use lineclear_compose::{Environment, Service, Variable};
use lineclear_source::Severity;

use super::layers::is_delivered;
use super::secret_words::{is_placeholder, names_secret, token_of};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/password-in-compose.md`.
#[derive(Debug)]
pub(super) struct PasswordInCompose;

static META: RuleMeta = RuleMeta {
    id: "password-in-compose",
    summary: "a password that everyone who has the file knows",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::None,
    since: "0.1",
    page: page!("password-in-compose"),
};

impl Rule for PasswordInCompose {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(compose) = file.compose() else { return };
        let environment = Environment::of(file.path());
        for service in &compose.services {
            let is_delivered = is_delivered(environment, service);
            let is_own_machine =
                matches!(environment, Environment::Development | Environment::Test | Environment::Override);
            let arguments = service.build.iter().flat_map(|build| &build.arguments);
            for variable in service.environment.iter().chain(arguments) {
                let Some(value) = variable.value.as_deref() else { continue };
                let name = &variable.name;
                if let Some(service) = token_of(value) {
                    report
                        .at(
                            variable.value_span,
                            format!("`{name}` holds a token of {service}: who has this file has it"),
                        )
                        .severity(Severity::Error)
                        .help("revoke it, and hand the new one in by `${NAME:?}` or `secrets`");
                    continue;
                }
                if is_delivered && lets_everyone_in(name, value) {
                    report
                        .at(variable.value_span, format!("`{name}` lets everyone in who reaches `{}`", service.name()))
                        .help("set a password by `${NAME:?}` or a secret");
                    continue;
                }
                let Some(secret) = secret_in(variable, value) else { continue };
                if has_variable(value) {
                    let default = with_defaults(secret).filter(|default| default.len() > 1 && !is_placeholder(default));
                    if is_delivered && let Some(default) = default {
                        report
                            .at(
                                variable.value_span,
                                format!(
                                    "`{name}` is `{default}` if nobody sets it, as everyone who has this file knows"
                                ),
                            )
                            .help("write `${NAME:?}`: then nothing starts without it");
                    }
                    continue;
                }
                if is_placeholder(secret) {
                    continue;
                }
                let severity = match () {
                    () if is_delivered => Severity::Error,
                    () if is_own_machine || is_known_default(secret) || is_name(service, secret) => Severity::Info,
                    () => Severity::Warning,
                };
                report
                    .at(variable.value_span, format!("`{name}` has its value in the file: who has the file knows it"))
                    .severity(severity)
                    .help("write `${NAME:?}` and set it where the stack starts, or hand it in by `secrets`");
            }
        }
    }
}

/// The part of a value that is a secret: all of it by the variable's name, or the password of an address.
fn secret_in<'v>(variable: &Variable, value: &'v str) -> Option<&'v str> {
    if names_secret(&variable.name) {
        return Some(value);
    }
    let (_, rest) = value.split_once("://")?;
    let (login, host) = rest.split('/').next()?.rsplit_once('@')?;
    let (_, password) = login.split_once(':')?;
    (!password.is_empty() && !host.is_empty()).then_some(password)
}

/// Whether the variable of a well-known image switches its passwords off.
fn lets_everyone_in(name: &str, value: &str) -> bool {
    let is_yes = matches!(value.to_ascii_lowercase().as_str(), "1" | "yes" | "true");
    match name {
        "POSTGRES_HOST_AUTH_METHOD" => value == "trust",
        "MYSQL_ALLOW_EMPTY_PASSWORD" | "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD" | "ALLOW_EMPTY_PASSWORD" => is_yes,
        _ => false,
    }
}

/// Whether a password is also a name: of the service, of a user or database. Examples have such.
fn is_name(service: &Service, secret: &str) -> bool {
    let names_login = |name: &str| {
        ["USER", "USERNAME", "DB", "DATABASE", "NAME"].iter().any(|end| name.to_ascii_uppercase().ends_with(end))
    };
    service.name() == secret
        || service.environment.iter().any(|other| other.value.as_deref() == Some(secret) && names_login(&other.name))
}

/// Passwords that stand for none: they are those of examples.
fn is_known_default(value: &str) -> bool {
    let folded = value.to_ascii_lowercase();
    [
        "postgres",
        "password",
        "passwd",
        "pass",
        "root",
        "admin",
        "secret",
        "guest",
        "minioadmin",
        "mysql",
        "user",
        "dev",
        "local",
    ]
    .iter()
    .any(|known| folded.strip_prefix(known).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())))
}
