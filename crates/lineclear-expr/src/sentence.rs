//! What decided a value, as a sentence for people.

use std::borrow::Cow;

use lineclear_source::shortened;

use crate::{Explanation, Expr, Value};

/// How much of a value, and of an expression, a sentence shows, in characters.
const VALUE_SHOWN: usize = 80;
const TEXT_SHOWN: usize = 160;

/// What stands for a value that must not be shown.
pub(crate) const HIDDEN: &str = "***";

/// How a sentence is worded by someone who knows more than the language: which texts are secret, what a status is due to.
///
/// `()` is the language's own wording.
pub trait Wording {
    /// A value's text with all that is secret in it replaced. Asked for the whole text, before a long one is cut: nobody
    /// knows the half of a secret.
    fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        text.into()
    }

    /// Words for a part that decided, as it was written, and its value; `None` for "github.ref = refs/heads/x".
    fn part(&self, text: &str, value: &Value) -> Option<String> {
        let _ = (text, value);
        None
    }
}

impl Wording for () {}

impl Explanation {
    /// A sentence for people: "`github.ref == 'refs/heads/main'` is false: github.ref = refs/heads/feature/x".
    ///
    /// `text` is the expression; a long one, and long values, are shortened. Secrets are shown as `***`.
    pub fn sentence(&self, text: &str) -> String {
        self.worded(text, &())
    }

    /// The sentence about the `if` that this explains: "if: `github.ref == 'refs/heads/main'` is false: github.ref = …".
    pub fn sentence_of_if(&self, condition: &Expr, wording: &dyn Wording) -> String {
        format!("if: {}", self.worded(condition.text(), wording))
    }

    fn worded(&self, text: &str, wording: &dyn Wording) -> String {
        let value = if self.secret { HIDDEN.to_owned() } else { shown(&self.value, wording) };
        let text = shortened(text, TEXT_SHOWN);
        let parts = self.parts.iter().filter_map(|(part, value)| match wording.part(part, value) {
            Some(words) => Some(words),
            // The value of the whole was said already.
            None if *part == text => None,
            None => Some(format!("{} = {}", shortened(part, VALUE_SHOWN), shown(value, wording))),
        });
        let parts: Vec<String> = parts.collect();
        let because = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        format!("`{text}` is {value}{because}")
    }
}

impl Expr {
    /// The text in one line, a long one shortened: as the sentences about it show it.
    pub fn short_text(&self) -> String {
        shortened(self.text(), TEXT_SHOWN)
    }
}

/// A value in one short line. Text is shown as it is; what could be taken for nothing is quoted.
fn shown(value: &Value, wording: &dyn Wording) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) if text.trim().is_empty() => format!("'{}'", shortened(text, VALUE_SHOWN)),
        Value::Array(_) | Value::Object(_) => shortened(&wording.mask(&value.to_json_pretty()), VALUE_SHOWN),
        _ => shortened(&wording.mask(&value.as_text()), VALUE_SHOWN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MapScope, Object};

    /// Knows one secret, and what came before.
    struct Told;

    impl Wording for Told {
        fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
            text.replace("hunter2", "***").into()
        }
        fn part(&self, text: &str, value: &Value) -> Option<String> {
            (text == "env.STATUS").then(|| format!("the status was {}", value.to_text()))
        }
    }

    fn check(condition: &str, expected: &str) {
        let env: Object =
            [("LONG", "x".repeat(76) + "hunter2"), ("STATUS", String::new()), ("KEY", "hunter2".to_owned())]
                .into_iter()
                .collect();
        let mut scope = MapScope::default();
        scope.contexts.insert("env".into(), env.into());
        let condition = Expr::parse_plain_condition(condition, None).unwrap();
        assert_eq!(condition.explain(&scope).unwrap().sentence_of_if(&condition, &Told), expected);
    }

    #[test]
    fn a_sentence_is_worded_by_who_knows_more() {
        check("${{ env.KEY == 'x' }}", "if: `env.KEY == 'x'` is false: env.KEY = ***");
        check("env.STATUS == 'x'", "if: `env.STATUS == 'x'` is false: the status was ");
        check("env.STATUS", "if: `env.STATUS` is '': the status was ");
        check("env.KEY", "if: `env.KEY` is ***");
    }

    #[test]
    fn a_secret_across_the_cut_of_a_value_is_masked_first() {
        check("env.LONG == 'x'", &format!("if: `env.LONG == 'x'` is false: env.LONG = {}***", "x".repeat(76)));
    }
}
