//! What one expression reads of `secrets` and `vars`, and whether it can do without.

use lineclear_expr::{Function, Node, NodeKind, Segment};
use lineclear_secrets::Kind;
use lineclear_source::Span;

/// A name in `secrets` or `vars`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) kind: Kind,
    /// In upper case; `None` where it reads all of them, or one whose name only the run tells.
    pub(super) name: Option<String>,
    /// Whether it is only tested, or has something to fall back on.
    pub(super) is_optional: bool,
    /// In the text that the expression is part of.
    pub(super) span: Span,
}

/// Everything that an expression reads, in the order of the text. `is_condition`: its value is only asked for being true.
pub(super) fn reads(root: Node<'_>, is_condition: bool) -> Vec<Read> {
    let mut found = Vec::new();
    walk(root, is_condition, &mut found);
    found
}

fn walk(node: Node<'_>, is_optional: bool, found: &mut Vec<Read>) {
    if let Some(reference) = node.as_reference() {
        let kind = match reference.context {
            "secrets" => Some(Kind::Secret),
            "vars" => Some(Kind::Variable),
            _ => None,
        };
        if let Some(kind) = kind {
            let name = match reference.path.first() {
                Some(Segment::Name(name)) => Some(name.to_ascii_uppercase()),
                Some(Segment::Position(_) | Segment::All) | None => None,
            };
            found.push(Read { kind, name, is_optional, span: reference.span });
        }
        indexes(node, is_optional, found);
        return;
    }
    match node.kind() {
        NodeKind::Literal(_) | NodeKind::Context(_) => {}
        NodeKind::Property { of, .. } | NodeKind::Wildcard { of } => walk(of, is_optional, found),
        NodeKind::Index { of, index } => {
            walk(of, is_optional, found);
            walk(index, is_optional, found);
        }
        NodeKind::Not(operand) => walk(operand, true, found),
        NodeKind::Compare { left, right, .. } => {
            walk(left, true, found);
            walk(right, true, found);
        }
        // All but the last decide only whether the next one counts.
        NodeKind::And(operands) | NodeKind::Or(operands) => {
            let last = operands.len().saturating_sub(1);
            for (at, operand) in operands.into_iter().enumerate() {
                walk(operand, is_optional || at < last, found);
            }
        }
        NodeKind::Call { function, arguments } => {
            for (at, argument) in arguments.iter().enumerate() {
                let is_tested = match function {
                    Function::Contains | Function::StartsWith | Function::EndsWith => true,
                    // `case(condition, value, …, otherwise)`
                    Function::Case => at % 2 == 0 && at + 1 < arguments.len(),
                    Function::Format
                    | Function::Join
                    | Function::ToJson
                    | Function::FromJson
                    | Function::HashFiles
                    | Function::Status(_) => false,
                };
                walk(*argument, is_optional || is_tested, found);
            }
        }
        NodeKind::Text(parts) => parts.into_iter().for_each(|part| walk(part, is_optional, found)),
    }
}

/// What the indexes of a reference read: `secrets[vars.NAME]`.
fn indexes(mut node: Node<'_>, is_optional: bool, found: &mut Vec<Read>) {
    loop {
        node = match node.kind() {
            NodeKind::Property { of, .. } | NodeKind::Wildcard { of } => of,
            NodeKind::Index { of, index } => {
                walk(index, is_optional, found);
                of
            }
            _ => return,
        };
    }
}

#[cfg(test)]
mod tests {
    use lineclear_expr::Expr;

    use super::*;

    /// Names in the order of the text, `?` behind those that are optional, `*` for all.
    fn check(text: &str, is_condition: bool, expected: &str) {
        let expr = Expr::parse(text, None).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        let shown: Vec<String> = reads(expr.root(), is_condition)
            .into_iter()
            .map(|read| {
                let context = if read.kind == Kind::Secret { "s" } else { "v" };
                let optional = if read.is_optional { "?" } else { "" };
                format!("{context}.{}{optional}", read.name.as_deref().unwrap_or("*"))
            })
            .collect();
        assert_eq!(shown.join(" "), expected, "{text}");
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        check("secrets.Token", false, "s.TOKEN");
        check("SECRETS['token']", false, "s.TOKEN");
        check("secrets['a b']", false, "s.A B");
        check("format('{0}:{1}', secrets.USER, vars.host)", false, "s.USER v.HOST");
        check("toJSON(secrets)", false, "s.*");
        check("join(secrets.*, ',')", false, "s.*");
        check("secrets[format('{0}_KEY', matrix.os)]", false, "s.*");
        check("secrets[vars.NAME]", false, "s.* v.NAME");
        check("fromJSON(vars.LIST)[0].x", false, "v.LIST");
        check("needs[vars.X].outputs", false, "v.X");
        check("env.secrets == github.vars", false, "");
        check("'secrets.TOKEN'", false, "");
    }

    #[test]
    fn what_is_only_tested_or_has_a_fallback_is_optional() {
        check("secrets.A || 'default'", false, "s.A?");
        check("secrets.A || secrets.B", false, "s.A? s.B");
        check("secrets.A != ''", false, "s.A?");
        check("!secrets.A", false, "s.A?");
        check("github.ref == 'x' && secrets.A || secrets.B", false, "s.A? s.B");
        check("github.ref == 'x' && secrets.A", false, "s.A");
        check("secrets.A && 'set'", false, "s.A?");
        check("case(vars.A == 'x', secrets.B, secrets.C)", false, "v.A? s.B s.C");
        check("contains(vars.A, 'x')", false, "v.A?");
        check("vars.DEPLOY", true, "v.DEPLOY?");
    }
}
