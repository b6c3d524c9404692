//! Values of any shape whose scalars hold expressions.

use lineclear_expr::{EvaluateError, Object, Scope, Value};
use lineclear_workflow::TextTree;

/// The value of `tree` in `scope`.
///
/// A key `${{ insert }}` puts the pairs of its value in its place; a later key wins over an equal one before it.
///
/// # Errors
/// The first expression that fails, or an `insert` of something that is no mapping; the span is that in the file.
pub fn evaluate_tree(tree: &TextTree, scope: &dyn Scope) -> Result<Value, EvaluateError> {
    match tree {
        TextTree::Scalar(text) => {
            text.template.evaluate(scope).map_err(|error| EvaluateError { span: text.span(), ..error })
        }
        TextTree::Sequence(items) => {
            let values: Result<Vec<_>, _> = items.iter().map(|item| evaluate_tree(item, scope)).collect();
            values.map(Value::from)
        }
        TextTree::Mapping(entries) => {
            let mut object = Object::new();
            for (key, value) in entries.iter() {
                let value = evaluate_tree(value, scope)?;
                if !key.is_insert() {
                    let key = key.template.evaluate_text(scope);
                    object.insert(key.map_err(|error| EvaluateError { span: tree.span(), ..error })?, value);
                    continue;
                }
                match value {
                    Value::Object(inserted) => {
                        inserted.iter().for_each(|(key, value)| object.insert(key, value.clone()));
                    }
                    Value::Null => {}
                    _ => {
                        let message = "`${{ insert }}` puts in the pairs of a mapping, and its value is none".into();
                        return Err(EvaluateError { message, span: key.span() });
                    }
                }
            }
            Ok(object.into())
        }
    }
}
