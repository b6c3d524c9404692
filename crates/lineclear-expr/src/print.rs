//! A tree as text: an expression with no more parentheses than are needed.

use std::fmt;

use crate::ast::Comparison;
use crate::lexer::is_name;
use crate::tree::Kind;
use crate::{Node, NodeKind, Value};

impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            NodeKind::Literal(value) => write_literal(value, f),
            NodeKind::Context(name) => f.write_str(name),
            NodeKind::Property { of, name } => {
                of.write_base(f)?;
                if is_name(name) { write!(f, ".{name}") } else { write!(f, "['{}']", name.replace('\'', "''")) }
            }
            NodeKind::Index { of, index } => {
                of.write_base(f)?;
                write!(f, "[{index}]")
            }
            NodeKind::Wildcard { of } => {
                of.write_base(f)?;
                f.write_str(".*")
            }
            NodeKind::Not(operand) => {
                f.write_str("!")?;
                operand.write_operand(self.precedence(), f)
            }
            NodeKind::Compare { comparison, left, right } => {
                left.write_operand(self.precedence(), f)?;
                write!(f, " {} ", comparison.symbol())?;
                right.write_operand(self.precedence() + 1, f)
            }
            NodeKind::And(operands) => self.write_chain(" && ", &operands, f),
            NodeKind::Or(operands) => self.write_chain(" || ", &operands, f),
            NodeKind::Call { function, arguments } => {
                write!(f, "{}(", function.name())?;
                write_list(&arguments, f)?;
                f.write_str(")")
            }
            NodeKind::Text(parts) => {
                let format: String = (0..parts.len()).map(|at| format!("{{{at}}}")).collect();
                write!(f, "format('{format}', ")?;
                write_list(&parts, f)?;
                f.write_str(")")
            }
        }
    }
}

impl Node<'_> {
    fn precedence(self) -> u8 {
        match &self.tree.node(self.id).kind {
            Kind::Or => 1,
            Kind::And => 2,
            Kind::Compare(Comparison::Equal | Comparison::NotEqual) => 3,
            Kind::Compare(_) => 4,
            Kind::Not => 5,
            _ => 6,
        }
    }

    fn write_operand(self, at_least: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.precedence() < at_least { write!(f, "({self})") } else { write!(f, "{self}") }
    }

    /// Literals can be looked into only with parentheses around them.
    fn write_base(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_literal = matches!(self.tree.node(self.id).kind, Kind::Literal(_));
        self.write_operand(if is_literal { 7 } else { 6 }, f)
    }

    fn write_chain(self, symbol: &str, operands: &[Self], f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, operand) in operands.iter().enumerate() {
            if at > 0 {
                f.write_str(symbol)?;
            }
            operand.write_operand(self.precedence() + 1, f)?;
        }
        Ok(())
    }
}

fn write_list(nodes: &[Node<'_>], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{node}")?;
    }
    Ok(())
}

fn write_literal(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        Value::Null => f.write_str("null"),
        Value::Bool(value) => write!(f, "{value}"),
        Value::Number(number) if number.is_infinite() => {
            f.write_str(if *number > 0.0 { "Infinity" } else { "-Infinity" })
        }
        // All digits, where the language's own text has fifteen.
        Value::Number(number) => f.write_str(format!("{number:?}").trim_end_matches(".0")),
        _ => write!(f, "'{}'", value.as_text().replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use crate::Expr;

    fn parse(text: &str) -> Expr {
        Expr::parse(text, None).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
    }

    #[test]
    fn a_tree_is_written_with_few_parentheses() {
        for (text, expected) in [
            ("((a==1)&&((b)))", "env == 1 && vars"),
            ("(a||b)&&c", "(env || vars) && job"),
            ("a||(b&&c)", "env || vars && job"),
            ("a&&(b&&c)", "env && vars && job"),
            ("!(a==b)", "!(env == vars)"),
            ("!a==b", "!env == vars"),
            ("(a<b)==(b<c)", "env < vars == vars < job"),
            ("a==(b==c)", "env == (vars == job)"),
            ("(a==b)<c", "(env == vars) < job"),
            ("('x').y", "('x').y"),
            ("(a||b)['it''s']", "(env || vars)['it''s']"),
            ("a['b-c'].*[*].d[1]", "env['b-c'].*.*.d[1]"),
            ("FROMjson('[]')[0]", "fromJSON('[]')[0]"),
        ] {
            let named = text.replace('a', "env").replace('b', "vars").replace('c', "job");
            let named = named.replace("['vars-job']", "['b-c']");
            assert_eq!(parse(&named).root().to_string(), expected);
        }
        let mixed = Expr::parse_condition("a ${{ env.x }} b", None).unwrap();
        assert_eq!(mixed.root().to_string(), "format('{0}{1}{2}', 'a ', env.x, ' b')");
    }
}
