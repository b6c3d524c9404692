//! What jobs are called: their names for people and their keys.

use std::collections::HashSet;

use lineclear_event::JobKey;
use lineclear_expr::{EvaluateError, Scope, Template, TemplatePart};
use lineclear_workflow::Job;

use crate::matrix::{Combination, MAX_NAME_LENGTH};

/// Between the name of a calling job and that of a called one.
const CALL_SEPARATOR: &str = " / ";

/// The name that people see: `name:` or the id, followed by the values of the matrix leg, such as `test (3.12, linux)`.
///
/// A `name:` with an expression in it gets no values added. A name of more than 100 characters is cut and ends in `...`.
/// `scope` is that of the leg. The name of a called job still needs [`called_name`].
///
/// # Errors
/// An expression in `name:` failed; the span is that of the name.
///
/// # Source
/// `JobNameBuilder.cs` of GitHub's runner.
pub fn job_name(job: &Job, combination: Option<&Combination>, scope: &dyn Scope) -> Result<String, EvaluateError> {
    let written = job.name.as_ref();
    let text = match written {
        Some(name) => {
            let text = name.template.evaluate_text(scope);
            text.map_err(|error| EvaluateError { span: name.span(), ..error })?
        }
        None => String::new(),
    };
    Ok(name_from(job, combination, text))
}

/// The name as far as it is known before the run: expressions stand as they were written.
pub(crate) fn unevaluated_name(job: &Job, combination: Option<&Combination>) -> String {
    name_from(job, combination, job.name.as_ref().map(|name| name.raw().to_owned()).unwrap_or_default())
}

fn name_from(job: &Job, combination: Option<&Combination>, name: String) -> String {
    let is_computed = job.name.as_ref().is_some_and(|name| match &name.template {
        Template::Literal(_) => false,
        Template::Expression(_) => true,
        Template::Mixed(parts) => parts.iter().any(|part| matches!(part, TemplatePart::Expression(_))),
    });
    let base = if name.is_empty() { job.id.value.clone() } else { name };
    match combination {
        Some(leg) if !leg.suffix.is_empty() && !is_computed => cut(format!("{base} ({})", leg.suffix)),
        _ => cut(base),
    }
}

/// The name of a job in a called workflow: `release / build`.
pub fn called_name(caller: &str, name: &str) -> String {
    format!("{caller}{CALL_SEPARATOR}{name}")
}

/// The key of a job that is no leg of a matrix, or whose legs are not known: `build`, `release/build`.
pub fn job_key(caller: Option<&JobKey>, id: &str) -> JobKey {
    match caller {
        Some(caller) => JobKey::new(format!("{caller}/{id}")),
        None => JobKey::new(id),
    }
}

/// The keys of all legs of a matrix, in order, no two equal: `test (3.12, linux)`.
///
/// Legs that have the same values, as far as they are shown, are told apart by their number: `test (a)`, `test (a) #2`.
pub fn job_keys(caller: Option<&JobKey>, id: &str, combinations: &[Combination]) -> Vec<JobKey> {
    let mut seen = HashSet::with_capacity(combinations.len());
    let plain = job_key(caller, id);
    let mut keys = Vec::with_capacity(combinations.len());
    for (index, combination) in combinations.iter().enumerate() {
        let suffix = combination.suffix.replace(char::is_control, " ");
        let key = if suffix.is_empty() { plain.to_string() } else { format!("{plain} ({})", cut(suffix)) };
        let unique = if seen.contains(&key) { format!("{key} #{}", index + 1) } else { key };
        seen.insert(unique.clone());
        keys.push(JobKey::new(unique));
    }
    keys
}

/// Cuts a name at 100 UTF-16 units, the last three of which are then dots.
fn cut(name: String) -> String {
    if name.len() <= MAX_NAME_LENGTH || name.encode_utf16().count() <= MAX_NAME_LENGTH {
        return name;
    }
    let mut units = 0;
    let kept = name.chars().take_while(|c| {
        units += c.len_utf16();
        units <= MAX_NAME_LENGTH - 3
    });
    kept.chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use lineclear_expr::Value;

    use super::*;

    fn leg(suffix: &str) -> Combination {
        Combination { values: Value::Null, suffix: suffix.into() }
    }

    #[test]
    fn a_name_is_cut_at_a_hundred_characters() {
        assert_eq!(cut("x".repeat(100)), "x".repeat(100));
        assert_eq!(cut("x".repeat(101)), format!("{}...", "x".repeat(97)));
        assert_eq!(cut("é".repeat(100)), "é".repeat(100), "characters, not bytes");
        assert_eq!(cut("😀".repeat(51)), format!("{}...", "😀".repeat(48)), "no character is split");
    }

    #[test]
    fn keys_of_equal_legs_are_told_apart() {
        let keys = job_keys(Some(&JobKey::new("release")), "test", &[leg("a"), leg("a"), leg(""), leg("")]);
        let keys: Vec<_> = keys.iter().map(JobKey::as_str).collect();
        assert_eq!(keys, ["release/test (a)", "release/test (a) #2", "release/test", "release/test #4"]);
    }

    #[test]
    fn a_key_has_no_line_break() {
        assert_eq!(job_keys(None, "t", &[leg("a\nb")])[0].as_str(), "t (a b)");
    }
}
