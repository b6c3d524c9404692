//! What expressions give before a run, as far as that can be told: enough to name most environments.

use std::collections::BTreeMap;

use lineclear_expr::{Expr, MapScope, Object, Segment, Template, Value};
use lineclear_workflow::{CallJob, Text, TextTree, Workflow};

/// The environment of a job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// It names none.
    None,
    Known(String),
    /// Only the run tells; the expression as it is written.
    AtRunTime(String),
}

/// Values of contexts. What is not here is known only at run time.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownValues {
    /// `github` and `vars`, by name.
    pub(crate) contexts: BTreeMap<String, Value>,
    /// By name in lower case; an input that is not here is not known.
    pub(crate) inputs: BTreeMap<String, Value>,
}

impl KnownValues {
    /// Dispatch inputs, as the run has them.
    pub(crate) fn set_inputs(&mut self, inputs: &serde_json::Value) {
        for (name, value) in inputs.as_object().into_iter().flatten() {
            self.inputs.insert(name.to_lowercase(), Value::from_json(value));
        }
    }

    /// The names that a text gives over all legs of a matrix, each once.
    pub(super) fn names(&self, text: &Text, legs: &[serde_json::Value]) -> Vec<Named> {
        let legs: Vec<Option<&serde_json::Value>> =
            if legs.is_empty() { vec![None] } else { legs.iter().map(Some).collect() };
        let mut names: Vec<Named> = legs
            .into_iter()
            .map(|leg| match self.value(&text.template, leg) {
                Some(value) if value.to_text().is_empty() => Named::None,
                Some(value) => Named::Known(value.to_text().to_string()),
                None => Named::AtRunTime(text.raw().to_owned()),
            })
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// What a called workflow knows of its inputs.
    pub(super) fn of_call(&self, call: &CallJob, called: &Workflow, legs: &[serde_json::Value]) -> Self {
        let mut inputs = BTreeMap::new();
        // With several legs an input may have several values.
        let leg = if let [leg] = legs { Some(leg) } else { None };
        for input in called.on.get("workflow_call").map(|trigger| trigger.inputs.as_slice()).unwrap_or_default() {
            let given = call.with.iter().find(|(name, _)| name.value.eq_ignore_ascii_case(&input.name.value));
            let value = match (given, &input.default) {
                (Some((_, TextTree::Scalar(text))), _) => self.value(&text.template, leg),
                (Some(_), _) => None,
                (None, Some(default)) => default.template.as_literal().cloned(),
                (None, None) => Some(Value::string("")),
            };
            inputs.extend(value.map(|value| (input.name.value.to_lowercase(), value)));
        }
        Self { contexts: self.contexts.clone(), inputs }
    }

    /// The value of a text, if all that it reads is known.
    fn value(&self, template: &Template, leg: Option<&serde_json::Value>) -> Option<Value> {
        if let Some(literal) = template.as_literal() {
            return Some(literal.clone());
        }
        if !template.expressions().into_iter().all(|expr| self.knows(expr, leg)) {
            return None;
        }
        let mut scope = MapScope { contexts: self.contexts.clone() };
        let mut inputs = Object::new();
        for (name, value) in &self.inputs {
            inputs.insert(name.as_str(), value.clone());
        }
        scope.contexts.insert("inputs".to_owned(), inputs.into());
        if let Some(leg) = leg {
            scope.contexts.insert("matrix".to_owned(), Value::from_json(leg));
        }
        template.evaluate(&scope).ok()
    }

    fn knows(&self, expr: &Expr, leg: Option<&serde_json::Value>) -> bool {
        expr.root().references().iter().all(|reference| match reference.context {
            "matrix" => leg.is_some_and(|leg| !leg.is_null()),
            "inputs" => match reference.path.first() {
                Some(Segment::Name(name)) => self.inputs.contains_key(&name.to_lowercase()),
                Some(Segment::Position(_) | Segment::All) | None => false,
            },
            context => self.contexts.contains_key(context),
        })
    }
}

#[cfg(test)]
mod tests {
    use lineclear_source::Source;
    use lineclear_workflow::JobKind;
    use serde_json::json;

    use super::*;

    /// The environments of a job whose `environment:` is `text`.
    fn names(text: &str, values: &KnownValues, legs: &[serde_json::Value]) -> Vec<Named> {
        let text = format!(
            "on: push\njobs: {{ a: {{ runs-on: x, environment: {text}, strategy: {{ matrix: {{ e: [1] }} }}, steps: [ {{ run: x }} ] }} }}\n"
        );
        let workflow = Workflow::read(&Source::new("w.yml", text)).model.expect("a workflow");
        let Some(JobKind::Steps(job)) = workflow.job("a").map(|job| &job.kind) else { panic!("a job with steps") };
        values.names(&job.environment.as_ref().expect("an environment").name, legs)
    }

    fn known(name: &str) -> Named {
        Named::Known(name.to_owned())
    }

    #[test]
    fn an_environment_is_named_as_far_as_its_expression_is_known() {
        let mut values = KnownValues::default();
        values.contexts.insert("github".into(), Value::from_json(&json!({ "ref_name": "main" })));
        values.set_inputs(&json!({ "To": "prod" }));
        assert_eq!(names("staging", &values, &[]), [known("staging")]);
        assert_eq!(names("'${{ github.ref_name }}-eu'", &values, &[]), [known("main-eu")]);
        assert_eq!(names("'${{ inputs.to }}'", &values, &[]), [known("prod")]);
        assert_eq!(names("\"${{ inputs.to == 'x' && 'y' || '' }}\"", &values, &[]), [Named::None]);
        for unknown in ["${{ inputs.other }}", "${{ needs.a.outputs.e }}", "${{ matrix.e }}", "${{ inputs[github.x] }}"]
        {
            assert_eq!(names(&format!("'{unknown}'"), &values, &[]), [Named::AtRunTime(unknown.into())]);
        }
        let legs = [json!({ "e": "b" }), json!({ "e": "a" }), json!({ "e": "b" })];
        assert_eq!(names("'${{ matrix.e }}'", &values, &legs), [known("a"), known("b")]);
        assert_eq!(names("'${{ matrix.e }}'", &values, &[json!(null)]), [Named::AtRunTime("${{ matrix.e }}".into())]);
    }
}
