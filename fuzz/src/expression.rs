//! Any text is read as an expression, a condition and a template without a panic, and what was read can be evaluated.
#![no_main]

use lineclear_expr::{Expr, MapScope, Template, Value};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut scope = MapScope::default();
    let payload = serde_free_payload();
    scope.contexts.insert("github".into(), payload.clone());
    scope.contexts.insert("env".into(), payload);
    if let Ok(expr) = Expr::parse(text, None) {
        let _ = expr.evaluate(&scope);
        let _ = expr.explain(&scope);
    }
    if let Ok(condition) = Expr::parse_condition(text, None) {
        let _ = condition.evaluate(&scope);
    }
    if let Ok(template) = Template::parse(text, None) {
        let _ = template.evaluate_text(&scope);
    }
});

fn serde_free_payload() -> Value {
    let mut object = lineclear_expr::Object::new();
    object.insert("ref", "refs/heads/main");
    object.insert("number", 7.5);
    object.insert("list", vec![Value::Null, Value::from(true), Value::from("x")]);
    Value::from(object)
}
