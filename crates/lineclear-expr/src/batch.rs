//! Expressions against contexts that come as JSON: what `lineclear eval` does, without files and streams.
//!
//! ```
//! use lineclear_expr::batch::evaluate_line;
//!
//! let no_files = |_: &[String]| Err("there are no files here".to_owned());
//! let line = r#"{"expr": "github.ref == 'refs/heads/main' && 1.50", "context": {"github": {"ref": "REFS/heads/main"}}}"#;
//! assert_eq!(evaluate_line(line, &no_files).as_deref(), Some(r#"{"value":1.5}"#));
//! ```

use serde_json::{Map, json};

use crate::{EvaluateError, Expr, ParseError, Scope, StatusFunction, Template, Value};

/// Answers `hashFiles`; the error is a sentence for the user.
pub type HashFiles<'h> = &'h dyn Fn(&[String]) -> Result<String, String>;

/// A scope whose contexts are the keys of a JSON object. No other context is known, and every function is.
///
/// The status functions look at `job.status` (`success` if there is none), those with job ids at `needs.<id>.result`.
pub struct JsonScope<'h> {
    /// Lower-case names, in the order of the object.
    names: Vec<String>,
    values: Vec<Value>,
    hash_files: HashFiles<'h>,
}

impl std::fmt::Debug for JsonScope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonScope").field("names", &self.names).finish_non_exhaustive()
    }
}

impl<'h> JsonScope<'h> {
    /// A scope of these contexts. The names of `env` keep their case, as on Linux.
    pub fn new(contexts: &Map<String, serde_json::Value>, hash_files: HashFiles<'h>) -> Self {
        let mut scope = Self { names: Vec::new(), values: Vec::new(), hash_files };
        for (name, value) in contexts {
            let name = name.to_ascii_lowercase();
            if scope.names.contains(&name) {
                continue;
            }
            let value = if name == "env" { Value::from_json_case_sensitive(value) } else { Value::from_json(value) };
            scope.names.push(name);
            scope.values.push(value);
        }
        scope
    }

    /// The value of `text` in this scope.
    ///
    /// The text is an expression with or without `${{ }}` around it, or text with several of them in it. Nothing but
    /// white space is null.
    ///
    /// # Errors
    /// [`Fault`]; its spans are in `text`.
    pub fn evaluate(&self, text: &str) -> Result<Value, Fault> {
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        let template = |text: &str| Template::parse_with_contexts(text, &self.names);
        let evaluated = if text.trim_start().starts_with("${{") {
            // White space around an expression makes a text of it in a workflow, but is hardly meant here.
            match template(text.trim()) {
                Ok(parsed) => {
                    let skipped = text.len() - text.trim_start().len();
                    let shift = |error: EvaluateError| EvaluateError::new(error.message, error.span.shifted(skipped));
                    parsed.evaluate(self).map_err(shift)
                }
                Err(_) => template(text)?.evaluate(self),
            }
        } else {
            match Expr::parse_with_contexts(text, &self.names) {
                Ok(expr) => expr.evaluate(self),
                // `${{` may stand inside of a string, so that an expression is tried first.
                Err(_) if text.contains("${{") => template(text)?.evaluate(self),
                Err(errors) => return Err(errors.into()),
            }
        };
        Ok(evaluated?)
    }
}

impl Scope for JsonScope<'_> {
    fn context(&self, name: &str) -> Option<Value> {
        let at = self.names.iter().position(|own| own == name)?;
        self.values.get(at).cloned()
    }

    fn status(&self, function: StatusFunction, args: &[String]) -> Option<bool> {
        let result_of = |job: &String| self.context("needs").unwrap_or_default().get(job).get("result").to_text();
        let status = self.context("job").unwrap_or_default().get("status").to_text();
        Some(match function {
            StatusFunction::Always => true,
            StatusFunction::Success if args.is_empty() => status.is_empty() || status == "success",
            StatusFunction::Success => args.iter().all(|job| result_of(job) == "success"),
            StatusFunction::Failure if args.is_empty() => status == "failure",
            StatusFunction::Failure => args.iter().any(|job| result_of(job) == "failure"),
            StatusFunction::Cancelled => status == "cancelled",
        })
    }

    fn hash_files(&self, patterns: &[String]) -> Option<Result<String, String>> {
        Some((self.hash_files)(patterns))
    }
}

/// Why a text has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is no expression; there is at least one error.
    #[error("{}", .0.first().map_or("", |error| &error.message))]
    Parse(Vec<ParseError>),
    /// It is one that cannot be evaluated.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

impl From<Vec<ParseError>> for Fault {
    fn from(errors: Vec<ParseError>) -> Self {
        Self::Parse(errors)
    }
}

impl Fault {
    /// The first fault in GitHub's words, with its place in `text`.
    pub fn located(&self, text: &str) -> String {
        match self {
            Self::Parse(errors) => errors.first().map(|error| error.located(text)).unwrap_or_default(),
            Self::Evaluate(error) => error.message.clone(),
        }
    }
}

/// Answers one line `{"expr": …, "context": …}` with `{"value": …}` or `{"error": …}`, without a line break.
///
/// `context` may be missing; other keys are ignored. A line that is no such object has an error for its answer, a blank
/// one has no answer.
pub fn evaluate_line(line: &str, hash_files: HashFiles<'_>) -> Option<String> {
    if line.trim().is_empty() {
        return None;
    }
    let answer = match value_of_line(line, hash_files) {
        Ok(value) => json!({ "value": value.to_json() }),
        Err(error) => json!({ "error": error }),
    };
    Some(answer.to_string())
}

fn value_of_line(line: &str, hash_files: HashFiles<'_>) -> Result<Value, String> {
    let line: serde_json::Value =
        serde_json::from_str(line).map_err(|fault| format!("the line is not JSON: {fault}"))?;
    let entries = line.as_object().ok_or("the line is not an object with the keys `expr` and `context`")?;
    let text = match entries.get("expr") {
        Some(serde_json::Value::String(text)) => text,
        Some(_) => return Err("`expr` is not a string".to_owned()),
        None => return Err("the key `expr` is missing".to_owned()),
    };
    let no_contexts = Map::new();
    let contexts = match entries.get("context") {
        Some(serde_json::Value::Object(contexts)) => contexts,
        None | Some(serde_json::Value::Null) => &no_contexts,
        Some(_) => return Err("`context` is not an object".to_owned()),
    };
    JsonScope::new(contexts, hash_files).evaluate(text).map_err(|fault| fault.located(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(line: &str) -> Option<String> {
        evaluate_line(line, &|patterns| Ok(patterns.join("+")))
    }

    fn check(line: &str, expected: &str) {
        assert_eq!(answer(line).as_deref(), Some(expected), "{line}");
    }

    #[test]
    fn a_line_is_answered_with_a_value_of_its_own_type() {
        check(r#"{"expr":"1 == 1.0"}"#, r#"{"value":true}"#);
        check(r#"{"expr":"fromJSON('1.0')"}"#, r#"{"value":1}"#);
        check(r#"{"expr":"-0"}"#, r#"{"value":0}"#);
        check(r#"{"expr":"1e21"}"#, r#"{"value":1e+21}"#);
        check(r#"{"expr":"format('{0}', 1e21)"}"#, r#"{"value":"1E+21"}"#);
        check(r#"{"expr":"NaN"}"#, r#"{"value":"NaN"}"#);
        check(r#"{"expr":"-Infinity"}"#, r#"{"value":"-Infinity"}"#);
        check(r#"{"expr":"null","context":null,"id":7}"#, r#"{"value":null}"#);
        check(r#"{"expr":"a","context":{"a":{"z":[1,2.5,"é"],"b":{}}}}"#, r#"{"value":{"z":[1,2.5,"é"],"b":{}}}"#);
        check(r#"{"expr":""}"#, r#"{"value":null}"#);
    }

    #[test]
    fn braces_around_the_expression_may_be_there() {
        check(r#"{"expr":"${{ a.b }}","context":{"a":{"b":1}}}"#, r#"{"value":1}"#);
        check(r#"{"expr":" ${{ 1 }}\n"}"#, r#"{"value":1}"#);
        check(r#"{"expr":"v${{ 1 }}-${{ true }}"}"#, r#"{"value":"v1-true"}"#);
        check(r#"{"expr":"contains('${{ x }}', '${{')"}"#, r#"{"value":true}"#);
        check(r#"{"expr":"${{ '}}' }}"}"#, r#"{"value":"}}"}"#);
    }

    #[test]
    fn the_keys_of_the_context_are_the_contexts_that_are_known() {
        check(r#"{"expr":"FOO.Bar","context":{"foo":{"bar":"x"}}}"#, r#"{"value":"x"}"#);
        check(r#"{"expr":"env.Foo","context":{"env":{"foo":"1","Foo":"2"}}}"#, r#"{"value":"2"}"#);
        check(r#"{"expr":"env.FOO","context":{"env":{"foo":"1"}}}"#, r#"{"value":null}"#);
        check(
            r#"{"expr":"github.ref","context":{"env":{}}}"#,
            r#"{"error":"Unrecognized named-value: 'github'. Located at position 1 within expression: github.ref"}"#,
        );
    }

    #[test]
    fn the_status_functions_look_at_the_job_and_its_needs() {
        for (status, expected) in
            [("success", "true false false"), ("failure", "false true false"), ("cancelled", "false false true")]
        {
            let line = format!(
                r#"{{"expr":"format('{{0}} {{1}} {{2}}', success(), failure(), cancelled())","context":{{"job":{{"status":"{status}"}}}}}}"#
            );
            check(&line, &format!(r#"{{"value":"{expected}"}}"#));
        }
        check(r#"{"expr":"success() && always() && !failure()"}"#, r#"{"value":true}"#);
        check(
            r#"{"expr":"success('a') && failure('b') && !success('a','b')","context":{"needs":{"a":{"result":"success"},"b":{"result":"failure"}}}}"#,
            r#"{"value":true}"#,
        );
    }

    #[test]
    fn hash_files_is_asked_of_the_caller() {
        check(r#"{"expr":"hashFiles('a', 'b')"}"#, r#"{"value":"a+b"}"#);
        check(r#"{"expr":"hashFiles('--Follow-Symbolic-Links', 'b')"}"#, r#"{"value":"--follow-symbolic-links+b"}"#);
        check(
            r#"{"expr":"hashFiles('--x')"}"#,
            r#"{"error":"Invalid glob option --x, available option: '--follow-symbolic-links'"}"#,
        );
        let failing = evaluate_line(r#"{"expr":"hashFiles('a')"}"#, &|_| Err("no".to_owned()));
        assert_eq!(failing.as_deref(), Some(r#"{"error":"no"}"#));
    }

    #[test]
    fn a_line_that_is_no_question_is_answered_with_an_error() {
        for (line, expected) in [
            ("{", "the line is not JSON: "),
            ("[]", "the line is not an object"),
            ("{}", "the key `expr` is missing"),
            (r#"{"expr":1}"#, "`expr` is not a string"),
            (r#"{"expr":"1","context":[]}"#, "`context` is not an object"),
            (r#"{"expr":"1 +"}"#, "Unexpected symbol: '+'. Located at position 3 within expression: 1 +"),
        ] {
            let answer = answer(line).unwrap();
            let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
            assert!(answer["error"].as_str().unwrap().starts_with(expected), "{line}: {answer}");
        }
        assert_eq!(answer("  \t"), None);
        let deep = format!(r#"{{"expr":"1","context":{}}}"#, "[".repeat(100_000));
        assert!(answer(&deep).unwrap().starts_with(r#"{"error":"#));
    }
}
