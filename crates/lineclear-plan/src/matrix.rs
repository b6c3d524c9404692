//! Matrices: from an evaluated `strategy.matrix` to the legs to run.
//!
//! Start at [`combinations`]. [`evaluate`] gets there from the text of a job's `strategy`.

use std::sync::Arc;

use lineclear_expr::{EvaluateError, Object, Scope, Value};
use lineclear_workflow::Strategy;

use crate::tree::evaluate_tree;

/// Most combinations one matrix may have.
pub const MAX_COMBINATIONS: usize = 256;

/// Most cells that are looked at where `exclude` may bring their number down to [`MAX_COMBINATIONS`].
const MAX_CELLS: usize = 1 << 16;

/// Longest name of a job, in UTF-16 units as GitHub counts them. A suffix beyond it is never seen.
pub(crate) const MAX_NAME_LENGTH: usize = 100;

/// One leg: its values, and which of them name it.
#[derive(Clone, Debug, PartialEq)]
pub struct Combination {
    /// An object: what the `matrix` context holds.
    pub values: Value,
    /// What goes into the job's name: `3.12, linux`; empty when there is nothing to say.
    pub suffix: String,
}

/// Why a matrix gives no legs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    #[error("the matrix has {count} combinations; at most {MAX_COMBINATIONS} are allowed")]
    TooLarge { count: usize },
    #[error("matrix axis `{axis}` is empty; give it at least one value")]
    EmptyAxis { axis: String },
    /// A part of it has the wrong shape, or an expression in it has no value.
    #[error("{0}")]
    Shape(String),
}

impl From<EvaluateError> for MatrixError {
    fn from(error: EvaluateError) -> Self {
        Self::Shape(error.message)
    }
}

/// Evaluates `strategy.matrix` and expands it. `None` for a strategy without a matrix.
///
/// # Errors
/// See [`MatrixError`]; an expression that fails gives [`MatrixError::Shape`] with its message.
pub fn evaluate(strategy: &Strategy, scope: &dyn Scope) -> Result<Option<Vec<Combination>>, MatrixError> {
    match &strategy.matrix {
        Some(tree) => combinations(&evaluate_tree(tree, scope)?).map(Some),
        None => Ok(None),
    }
}

/// Expands an evaluated `strategy.matrix`.
///
/// The product of the axes comes in file order, the first axis turning slowest, without the cells that an entry of `exclude`
/// agrees with. An entry of `include` extends every remaining cell that it agrees with; one that fits none comes after them.
/// No leg at all, because every cell is excluded, is no error: such a job is skipped.
///
/// # Errors
/// [`MatrixError::EmptyAxis`] for an axis without values, [`MatrixError::TooLarge`] with the number of legs asked for beyond
/// [`MAX_COMBINATIONS`], [`MatrixError::Shape`] for everything that is no matrix.
///
/// # Source
/// `MatrixBuilder.cs` and `JobNameBuilder.cs` of GitHub's runner.
pub fn combinations(matrix: &Value) -> Result<Vec<Combination>, MatrixError> {
    let matrix = Matrix::of(matrix)?;
    let mut used = vec![false; matrix.include.len()];
    let mut legs = Vec::new();
    let mut count = 0_usize;
    matrix.each_cell(|cell| {
        if matrix.exclude.iter().any(|filter| filter.agrees_with(&cell)) {
            return;
        }
        count += 1;
        if count > MAX_COMBINATIONS {
            return;
        }
        let mut extras = Object::new();
        for (entry, used) in matrix.include.iter().zip(&mut used) {
            if entry.filter.agrees_with(&cell) {
                *used = true;
                for (key, value) in &entry.extras {
                    extras.insert(Arc::clone(key), value.clone());
                }
            }
        }
        legs.push(Combination { suffix: suffix(cell.iter().map(|(_, value)| value)), values: object(&cell, &extras) });
    })?;
    // Past the limit no cell was tried against `include` any more, so what is unused there says nothing.
    if count > MAX_COMBINATIONS {
        return Err(MatrixError::TooLarge { count });
    }
    for (entry, used) in matrix.include.iter().zip(used) {
        if used {
            continue;
        }
        let own: Vec<_> = entry.filter.0.iter().chain(&entry.extras).cloned().collect();
        legs.push(Combination {
            suffix: suffix(own.iter().map(|(_, value)| value)),
            values: object(&own, &Object::new()),
        });
    }
    match legs.len() {
        count if count > MAX_COMBINATIONS => Err(MatrixError::TooLarge { count }),
        _ => Ok(legs),
    }
}

type Pair = (Arc<str>, Value);

/// A matrix taken apart.
struct Matrix {
    axes: Vec<(Arc<str>, Arc<Vec<Value>>)>,
    include: Vec<Include>,
    exclude: Vec<Filter>,
}

struct Include {
    /// The values for axes: which cells the entry extends.
    filter: Filter,
    extras: Vec<Pair>,
}

/// Axis values that a cell has to agree with, all of them.
struct Filter(Vec<Pair>);

impl Matrix {
    fn of(value: &Value) -> Result<Self, MatrixError> {
        let Value::Object(object) = value else {
            return Err(MatrixError::Shape(format!("a matrix is a mapping of axes, not {}", kind(value))));
        };
        let is_axis = |key: &str| key != "include" && key != "exclude";
        let mut axes = Vec::new();
        for (key, value) in object.iter().filter(|(key, _)| is_axis(key)) {
            match value {
                Value::Array(values) if values.is_empty() => return Err(MatrixError::EmptyAxis { axis: key.into() }),
                Value::Array(values) => axes.push((Arc::from(key), Arc::clone(values))),
                other => {
                    let found = kind(other);
                    return Err(MatrixError::Shape(format!("matrix axis `{key}` is a list of values, not {found}")));
                }
            }
        }
        let mut this = Self { axes, include: Vec::new(), exclude: Vec::new() };
        for (key, value) in object.iter().filter(|(key, _)| !is_axis(key)) {
            for entry in entries(key, value)? {
                match key {
                    "include" => this.include.push(this.include_entry(&entry)?),
                    _ => this.exclude.push(this.exclude_entry(entry)?),
                }
            }
        }
        if this.axes.is_empty() && this.include.is_empty() {
            return Err(MatrixError::Shape("a matrix needs at least one axis or one entry of `include`".into()));
        }
        Ok(this)
    }

    fn is_axis(&self, key: &str) -> bool {
        self.axes.iter().any(|(axis, _)| axis.eq_ignore_ascii_case(key))
    }

    fn include_entry(&self, entry: &[Pair]) -> Result<Include, MatrixError> {
        if entry.is_empty() {
            return Err(MatrixError::Shape("an entry of the matrix's `include` has no values".into()));
        }
        let (filter, extras) = entry.iter().cloned().partition(|(key, _)| self.is_axis(key));
        Ok(Include { filter: Filter(filter), extras })
    }

    fn exclude_entry(&self, entry: Vec<Pair>) -> Result<Filter, MatrixError> {
        if entry.is_empty() {
            return Err(MatrixError::Shape("an entry of the matrix's `exclude` is empty".into()));
        }
        match entry.iter().find(|(key, _)| !self.is_axis(key)) {
            Some((key, _)) => {
                let axes: Vec<_> = self.axes.iter().map(|(axis, _)| format!("`{axis}`")).collect();
                let known = if axes.is_empty() { "the matrix has none".into() } else { axes.join(", ") };
                Err(MatrixError::Shape(format!("`exclude` names `{key}`, which is no axis of the matrix ({known})")))
            }
            None => Ok(Filter(entry)),
        }
    }

    /// Shows every cell of the product to `see`, the first axis turning slowest.
    fn each_cell(&self, mut see: impl FnMut(Vec<Pair>)) -> Result<(), MatrixError> {
        if self.axes.is_empty() {
            return Ok(());
        }
        let count = self.axes.iter().fold(1_usize, |count, (_, values)| count.saturating_mul(values.len()));
        if count > MAX_COMBINATIONS && (self.exclude.is_empty() || count > MAX_CELLS) {
            return Err(MatrixError::TooLarge { count });
        }
        for index in 0..count {
            let mut block = count;
            let cell = self.axes.iter().filter_map(|(axis, values)| {
                block /= values.len();
                values.get((index / block) % values.len()).map(|value| (Arc::clone(axis), value.clone()))
            });
            see(cell.collect());
        }
        Ok(())
    }
}

/// The entries of `include` or `exclude`.
fn entries(key: &str, value: &Value) -> Result<Vec<Vec<Pair>>, MatrixError> {
    let Value::Array(list) = value else {
        return Err(MatrixError::Shape(format!("the matrix's `{key}` is a list of mappings, not {}", kind(value))));
    };
    let entry = |entry: &Value| match entry {
        Value::Object(object) => Ok(object.iter().map(|(key, value)| (Arc::from(key), value.clone())).collect()),
        other => Err(MatrixError::Shape(format!("an entry of the matrix's `{key}` is a mapping, not {}", kind(other)))),
    };
    list.iter().map(entry).collect()
}

impl Filter {
    fn agrees_with(&self, cell: &[Pair]) -> bool {
        self.0.iter().all(|(key, wanted)| {
            let actual = cell.iter().find(|(axis, _)| axis.eq_ignore_ascii_case(key));
            actual.is_some_and(|(_, actual)| agrees(wanted, actual))
        })
    }
}

/// Whether every leaf of `wanted` is found in `actual`: objects and lists agree where their own parts do.
fn agrees(wanted: &Value, actual: &Value) -> bool {
    match wanted {
        Value::Object(wanted) => wanted.iter().all(|(key, wanted)| agrees(wanted, &member(actual, key))),
        Value::Array(wanted) => {
            wanted.iter().enumerate().all(|(index, wanted)| agrees(wanted, &element(actual, index)))
        }
        leaf => leaf.loosely_equals(actual),
    }
}

fn member(value: &Value, key: &str) -> Value {
    match value {
        Value::Array(_) => match key.trim().parse() {
            Ok(index) => element(value, index),
            Err(_) => Value::Null,
        },
        other => other.get(key),
    }
}

fn element(value: &Value, index: usize) -> Value {
    match value {
        Value::Array(items) => items.get(index).cloned().unwrap_or_default(),
        other => other.get(&index.to_string()),
    }
}

fn object(pairs: &[Pair], extras: &Object) -> Value {
    let mut object = Object::new();
    for (key, value) in pairs {
        object.insert(Arc::clone(key), value.clone());
    }
    for (key, value) in extras.iter() {
        object.insert(key, value.clone());
    }
    object.into()
}

/// The leaves of `values` that have a text, in order.
fn suffix<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    let mut suffix = String::new();
    for value in values {
        add_leaves(value, &mut suffix, 0);
    }
    suffix
}

fn add_leaves(value: &Value, suffix: &mut String, depth: usize) {
    // A name is cut long before, and a tree deeper than this has no leaf that anybody would read.
    if suffix.len() > 4 * MAX_NAME_LENGTH || depth > 100 {
        return;
    }
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| add_leaves(item, suffix, depth + 1)),
        Value::Object(object) => object.iter().for_each(|(_, value)| add_leaves(value, suffix, depth + 1)),
        leaf => {
            let text = leaf.to_text();
            if !text.is_empty() {
                if !suffix.is_empty() {
                    suffix.push_str(", ");
                }
                suffix.push_str(&text);
            }
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests;
