//! `fixed-cache-key`: a cache whose key never changes.

use lineclear_expr::Expr;
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/fixed-cache-key.md`.
#[derive(Debug)]
pub(super) struct FixedCacheKey;

static META: RuleMeta = RuleMeta {
    id: "fixed-cache-key",
    summary: "a cache whose key does not change with what it holds",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("fixed-cache-key"),
};

impl Rule for FixedCacheKey {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses() {
            if !["actions/cache", "actions/cache/save"].iter().any(|name| site.is(name)) {
                continue;
            }
            let Some(key) = site.input("key") else { continue };
            let is_constant = |expr: &&Expr| {
                expr.root().references().iter().all(|reference| matches!(reference.context, "runner" | "matrix"))
                    && !expr.text().contains("hashFiles")
            };
            let raw = key.raw();
            let expressions = key.template.expressions();
            // A number is a version that somebody counts up.
            let outside = expressions.iter().fold(raw.to_owned(), |text, expr| text.replace(expr.text(), ""));
            if raw.is_empty()
                || outside.bytes().any(|byte| byte.is_ascii_digit())
                || !expressions.iter().all(is_constant)
            {
                continue;
            }
            report
                .at(key.span(), "the key never changes: the cache is saved once, and stays as it was then")
                .help("put a hash of what decides the content into it: `${{ hashFiles('**/lockfile') }}`");
        }
    }
}
