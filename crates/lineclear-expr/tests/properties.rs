//! Laws that hold for every expression, tried on made-up ones.

use std::sync::Arc;

use lineclear_expr::batch::evaluate_line;
use lineclear_expr::glob::GlobPatterns;
use lineclear_expr::{Allowed, Expr, Function, MapScope, Scope, Template, Value};
use proptest::prelude::*;

/// An expression as a plain tree, with a writer and an evaluator that know nothing of the real ones.
#[derive(Clone, Debug)]
enum Oracle {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Context(&'static str, Vec<String>),
    Not(Arc<Oracle>),
    Binary(&'static str, Arc<Oracle>, Arc<Oracle>),
    Call(&'static str, Vec<Oracle>),
}

/// What the oracle's expressions come to: no collections.
#[derive(Clone, Debug, PartialEq)]
enum Plain {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
}

impl Oracle {
    /// With parentheses around everything.
    fn write(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) if number.is_nan() => "NaN".into(),
            Self::Number(number) if number.is_infinite() => if *number > 0.0 { "Infinity" } else { "-Infinity" }.into(),
            Self::Number(number) => format!("{number:?}"),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Context(name, path) => {
                path.iter().fold((*name).to_owned(), |base, key| format!("{base}['{}']", key.replace('\'', "''")))
            }
            Self::Not(operand) => format!("!({})", operand.write()),
            Self::Binary(operator, left, right) => format!("({}) {operator} ({})", left.write(), right.write()),
            Self::Call(name, arguments) => {
                format!("{name}({})", arguments.iter().map(Self::write).collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn value(&self) -> Plain {
        match self {
            Self::Null | Self::Context(..) => Plain::Null,
            Self::Bool(value) => Plain::Bool(*value),
            Self::Number(number) => Plain::Number(*number),
            Self::Text(text) => Plain::Text(text.clone()),
            Self::Not(operand) => Plain::Bool(!operand.value().holds()),
            Self::Binary(operator, left, right) => {
                let left = left.value();
                match *operator {
                    "&&" => return if left.holds() { right.value() } else { left },
                    "||" => return if left.holds() { left } else { right.value() },
                    _ => {}
                }
                let right = right.value();
                let (less, equal, greater) = left.compare(&right);
                Plain::Bool(match *operator {
                    "==" => equal,
                    "!=" => !equal,
                    "<" => less,
                    "<=" => less || equal,
                    ">" => greater,
                    _ => greater || equal,
                })
            }
            Self::Call(..) => unreachable!("calls are written and read, not evaluated"),
        }
    }
}

impl Plain {
    fn holds(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false)) && *self != Self::Text(String::new()) && !self.is_no_number()
    }

    fn is_no_number(&self) -> bool {
        matches!(self, Self::Number(number) if *number == 0.0 || number.is_nan())
    }

    fn number(&self) -> f64 {
        match self {
            Self::Null | Self::Bool(false) => 0.0,
            Self::Bool(true) => 1.0,
            Self::Number(number) => *number,
            // The texts of the strategy below are plain words and whole numbers.
            Self::Text(text) if text.trim().is_empty() => 0.0,
            Self::Text(text) => text.trim().parse().unwrap_or(f64::NAN),
        }
    }

    /// Less, equal, greater.
    fn compare(&self, other: &Self) -> (bool, bool, bool) {
        match (self, other) {
            (Self::Null, Self::Null) => (false, true, false),
            (Self::Text(a), Self::Text(b)) => {
                let (a, b) = (a.to_ascii_uppercase(), b.to_ascii_uppercase());
                (a < b, a == b, a > b)
            }
            _ => {
                let (a, b) = (self.number(), other.number());
                (a < b, a == b, a > b)
            }
        }
    }

    fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null) => true,
            (Self::Bool(a), Value::Bool(b)) => a == b,
            (Self::Number(a), Value::Number(b)) => a == b || a.is_nan() && b.is_nan(),
            (Self::Text(a), Value::String(b)) => *a == **b,
            _ => false,
        }
    }
}

fn literal() -> impl Strategy<Value = Oracle> {
    prop_oneof![
        Just(Oracle::Null),
        any::<bool>().prop_map(Oracle::Bool),
        prop_oneof![
            (-3..4i32).prop_map(f64::from),
            prop::sample::select(vec![0.5, -0.0, 1e21, 1e-7, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
        ]
        .prop_map(Oracle::Number),
        prop::sample::select(vec!["", "a", "A", "b", "ab", "0", "1", " 2 ", "true", "_", "it's", "x y"])
            .prop_map(|text| Oracle::Text(text.to_owned())),
        prop::collection::vec("[a-z' -]{0,4}", 0..3).prop_map(|path| Oracle::Context("env", path)),
    ]
}

fn operators() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["&&", "||", "==", "!=", "<", "<=", ">", ">="])
}

fn expression() -> impl Strategy<Value = Oracle> {
    literal().prop_recursive(6, 40, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|operand| Oracle::Not(operand.into())),
            (operators(), inner.clone(), inner).prop_map(|(operator, left, right)| Oracle::Binary(
                operator,
                left.into(),
                right.into()
            )),
        ]
    })
}

fn expression_with_calls() -> impl Strategy<Value = Oracle> {
    literal().prop_recursive(6, 40, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|operand| Oracle::Not(operand.into())),
            (operators(), inner.clone(), inner.clone()).prop_map(|(operator, left, right)| Oracle::Binary(
                operator,
                left.into(),
                right.into()
            )),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|arguments| Oracle::Call("FORMAT", arguments)),
            prop::collection::vec(inner, 2..=2).prop_map(|arguments| Oracle::Call("contains", arguments)),
        ]
    })
}

/// Text that is more like an expression than arbitrary text is.
fn almost_expression() -> impl Strategy<Value = String> {
    let pieces = vec![
        "github",
        "env",
        ".",
        "*",
        "[",
        "]",
        "(",
        ")",
        "'",
        "''",
        "'a'",
        "1",
        "-",
        "0x",
        "1e9",
        "&&",
        "||",
        "!",
        "==",
        "=",
        "<",
        ">=",
        ",",
        " ",
        "contains",
        "format(",
        "fromJSON('[1,{\"a\":2}]')",
        "'{0}'",
        "case(",
        "success()",
        "always(",
        "${{",
        "}}",
        "null",
        "true",
        "NaN",
        "é",
        "\u{1f600}",
        "\u{131}",
        "\n",
        "hashFiles('x')",
        "join(",
        "toJSON(",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..25).prop_map(|pieces| pieces.concat())
}

fn everything() -> MapScope {
    let github = serde_json::json!({"a": [1, {"b": "x"}, null], "env": {"é": "\u{1f600}"}});
    let value = |name: &str| if name == "github" { Value::from_json(&github) } else { Value::Null };
    MapScope { contexts: lineclear_expr::CONTEXTS.iter().map(|name| ((*name).to_owned(), value(name))).collect() }
}

fn try_all(text: &str) {
    let scope = everything();
    for allowed in [None, Some(&Allowed::STEP_IF)] {
        for parsed in [Expr::parse(text, allowed), Expr::parse_condition(text, allowed)] {
            match parsed {
                Ok(expr) => {
                    let evaluated = expr.evaluate(&scope);
                    let explained = expr.explain(&scope);
                    assert_eq!(evaluated.is_ok(), explained.is_ok());
                    if let (Ok(value), Ok(explanation)) = (evaluated, explained) {
                        assert_eq!(value, explanation.value);
                        let _ = (explanation.sentence(text), value.to_json_pretty(), value.to_json(), value.to_text());
                    }
                    for node in expr.root().walk() {
                        assert!(text.get(node.span().range()).is_some(), "{node} has no place in {text:?}");
                    }
                    let _ = expr.root().references();
                }
                Err(errors) => {
                    assert!(!errors.is_empty());
                    for error in errors {
                        assert!(text.get(error.span.range()).is_some(), "{error:?} has no place in {text:?}");
                        let _ = error.located(text);
                    }
                }
            }
        }
        if let Ok(template) = Template::parse(text, allowed) {
            let _ = template.evaluate(&scope);
        }
    }
    let line = serde_json::json!({"expr": text, "context": {"github": {"a": [1]}, "env": {}}}).to_string();
    let answer = evaluate_line(&line, &|_| Err("no files".to_owned())).unwrap_or_default();
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("an answer is JSON");
    assert!(answer.get("value").is_some() != answer.get("error").is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        try_all(&text);
    }

    #[test]
    fn no_almost_expression_makes_it_panic(text in almost_expression()) {
        try_all(&text);
    }

    #[test]
    fn what_is_written_is_read_back(oracle in expression_with_calls()) {
        let expr = Expr::parse(&oracle.write(), None).expect("the oracle writes expressions");
        let written = expr.root().to_string();
        let again = Expr::parse(&written, None).unwrap_or_else(|errors| panic!("{written}: {errors:?}"));
        prop_assert_eq!(expr.root(), again.root());
        prop_assert_eq!(again.root().to_string(), written);
    }

    #[test]
    fn values_agree_with_the_oracle(oracle in expression()) {
        let text = oracle.write();
        let expr = Expr::parse(&text, None).expect("the oracle writes expressions");
        let scope = everything();
        let value = expr.evaluate(&scope).expect("no part can fail");
        prop_assert!(oracle.value().is(&value), "{text} is {value:?}, expected {:?}", oracle.value());
        // Neither the fewest parentheses nor `${{ }}` change the value.
        let written = expr.root().to_string();
        let template = Template::parse(&format!("${{{{ {written} }}}}"), None).expect("it was an expression before");
        prop_assert!(oracle.value().is(&template.evaluate(&scope).expect("no part can fail")), "{written}");
    }

    #[test]
    fn numbers_survive_their_text(number in any::<f64>()) {
        let back = Value::string(Value::Number(number).to_text()).to_number();
        let close = number.is_nan() && back.is_nan() || number == back || ((number - back) / number).abs() < 1e-14;
        prop_assert!(close || number.abs() < 1e-300 || number.abs() > 1e308, "{number} {back}");
    }

    #[test]
    fn json_survives_both_ways(text in "[\\PC\n\t\"\\\\]{0,20}", number in any::<i32>(), keys in prop::collection::vec("[a-z]{1,3}", 0..5)) {
        let object: lineclear_expr::Object = keys.iter().map(|key| (key.as_str(), Value::from(text.as_str()))).collect();
        let value: Value = vec![text.as_str().into(), f64::from(number).into(), object.into(), Value::Null, true.into()].into();
        let mut scope = MapScope::default();
        scope.contexts.insert("inputs".to_owned(), value.clone());
        let back = Expr::parse("fromJSON(toJSON(inputs))", None).expect("an expression").evaluate(&scope).expect("JSON");
        prop_assert_eq!(&back, &value);
        prop_assert_eq!(Value::from_json(&value.to_json()), value.clone());
        let reparsed: serde_json::Value = serde_json::from_str(&value.to_json_pretty()).expect("toJSON writes JSON");
        prop_assert_eq!(reparsed, value.to_json());
    }

    #[test]
    fn a_walk_never_leaves_out_what_matches(
        lines in prop::collection::vec("!?[ab*?/]{0,3}(\\*\\*/)?[ab*.\\[\\]]{1,3}/?", 1..4),
        path in "[ab.]{1,2}(/[ab]{1,2}){0,3}",
    ) {
        let Ok(patterns) = GlobPatterns::parse(&lines) else { return Ok(()) };
        if path.split('/').any(|name| name == "." || name == "..") || !patterns.matches(&path, false) {
            return Ok(());
        }
        let names: Vec<&str> = path.split('/').collect();
        for depth in 0..names.len() {
            let folder = names[..depth].join("/");
            prop_assert!(patterns.may_match_inside(&folder), "{lines:?} {path} {folder}");
        }
        let roots = patterns.search_roots();
        prop_assert!(
            roots.iter().any(|root| root.is_empty() || path == *root || path.starts_with(&format!("{root}/"))),
            "{lines:?} {path} {roots:?}"
        );
    }
}

#[test]
fn every_function_is_found_under_its_name() {
    for function in Function::ALL {
        assert_eq!(Function::from_name(&function.name().to_ascii_uppercase()), Some(function));
        assert!(function.usage().starts_with(function.name()));
    }
    assert!(everything().context("github").is_some());
}
