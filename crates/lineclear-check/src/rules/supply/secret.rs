//! Where the secrets of a file are used.

use lineclear_expr::{Expr, Segment};
use lineclear_source::Span;

use crate::{ExpressionSite, File};

/// One use of a secret.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use<'a> {
    /// The secret's name as it is written.
    pub name: &'a str,
    /// The expression that names it.
    pub site: ExpressionSite<'a>,
    /// Where the name stands, with `secrets.`.
    pub span: Span,
}

/// All uses of secrets by their names, the job's own token left out.
pub(crate) fn uses<'a>(file: &File<'a>) -> Vec<Use<'a>> {
    let mut found = Vec::new();
    for site in file.expressions() {
        for (name, range) in named(site.expr) {
            found.push(Use { name, site: *site, span: site.scalar.span_of(range) });
        }
    }
    found
}

/// The secrets that an expression names, with their places, the job's own token left out.
pub(crate) fn named(expr: &Expr) -> Vec<(&str, std::ops::Range<usize>)> {
    if !expr.text().as_bytes().windows(7).any(|word| word.eq_ignore_ascii_case(b"secrets")) {
        return Vec::new();
    }
    let references = expr.root().references().into_iter().filter(|reference| reference.context == "secrets");
    references
        .filter_map(|reference| match reference.path.first() {
            Some(Segment::Name(name)) if !name.eq_ignore_ascii_case("GITHUB_TOKEN") => {
                Some((*name, reference.span.range()))
            }
            _ => None,
        })
        .collect()
}

/// Names once each, as a list: "`A`, `B`".
pub(crate) fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.iter().any(|one| one.eq_ignore_ascii_case(name)) {
            seen.push(name);
        }
    }
    seen.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
