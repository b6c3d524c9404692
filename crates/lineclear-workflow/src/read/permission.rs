//! `permissions`.

use lineclear_source::{Diagnostic, Spanned};
use lineclear_yaml::{Entry, Node};

use super::Reader;
use super::mapping::any_of;
use crate::{Access, Permissions, code};

/// Every scope, and the levels that it has beside `none`.
///
/// Source: `permissions-mapping` of GitHub's workflow schema. `metadata` is always readable and may be named.
pub(super) const SCOPES: &[(&str, &[Access])] = &[
    ("actions", &[Access::Read, Access::Write]),
    ("artifact-metadata", &[Access::Read, Access::Write]),
    ("attestations", &[Access::Read, Access::Write]),
    ("checks", &[Access::Read, Access::Write]),
    ("code-quality", &[Access::Read, Access::Write]),
    ("contents", &[Access::Read, Access::Write]),
    ("copilot-requests", &[Access::Write]),
    ("deployments", &[Access::Read, Access::Write]),
    ("discussions", &[Access::Read, Access::Write]),
    ("drives", &[Access::Read, Access::Write]),
    ("id-token", &[Access::Write]),
    ("issues", &[Access::Read, Access::Write]),
    ("metadata", &[Access::Read]),
    ("models", &[Access::Read]),
    ("packages", &[Access::Read, Access::Write]),
    ("pages", &[Access::Read, Access::Write]),
    ("pull-requests", &[Access::Read, Access::Write]),
    ("repository-projects", &[Access::Read, Access::Write]),
    ("security-events", &[Access::Read, Access::Write]),
    ("statuses", &[Access::Read, Access::Write]),
    ("vulnerability-alerts", &[Access::Read]),
];

impl Reader {
    pub(super) fn permissions(&mut self, node: &Node) -> Option<Permissions> {
        match node {
            Node::Scalar(scalar) if !scalar.is_null() => match self.string(node, "`permissions`")?.as_str() {
                "read-all" => Some(Permissions::ReadAll(scalar.span)),
                "write-all" => Some(Permissions::WriteAll(scalar.span)),
                other => {
                    let message = format!("`{other}` is not a value of `permissions`");
                    let help = "possible are `read-all`, `write-all`, `{}` or a mapping of scopes";
                    self.report(Diagnostic::error(code::PERMISSION_SCOPE, message).at(scalar.span).help(help));
                    None
                }
            },
            _ => {
                let fields = self.mapping(node, "`permissions`")?;
                let scopes = fields.entries().iter().filter_map(|entry| self.scope(entry)).collect();
                Some(Permissions::Scopes(Spanned::new(scopes, fields.span)))
            }
        }
    }

    fn scope(&mut self, entry: &Entry) -> Option<(Spanned<String>, Spanned<Access>)> {
        let name = &entry.key.text;
        let Some((_, levels)) = SCOPES.iter().find(|(scope, _)| scope == name) else {
            let known = SCOPES.iter().map(|(scope, _)| *scope);
            let message = match self.suggest(name, known.clone()) {
                Some(near) => format!("`{name}` is not a permission; did you mean `{near}`?"),
                None => format!("`{name}` is not a permission"),
            };
            let help = format!("the permissions are {}", known.collect::<Vec<_>>().join(", "));
            self.report(Diagnostic::error(code::PERMISSION_SCOPE, message).at(entry.key.span).help(help));
            return None;
        };
        let level = self.string(&entry.value, &format!("`{name}`"))?;
        let access = match level.as_str() {
            "none" => Some(Access::None),
            "read" => Some(Access::Read),
            "write" => Some(Access::Write),
            _ => None,
        };
        let Some(access) = access.filter(|access| *access == Access::None || levels.contains(access)) else {
            let mut possible: Vec<&str> = levels.iter().map(|access| access.as_str()).collect();
            possible.push("none");
            let message = format!("`{}` is not a level of `{name}`", level.value);
            let help = format!("possible are {}", any_of(&possible));
            self.report(Diagnostic::error(code::PERMISSION_SCOPE, message).at(level.span).help(help));
            return None;
        };
        Some((Spanned::new(name.clone(), entry.key.span), Spanned::new(access, level.span)))
    }
}
