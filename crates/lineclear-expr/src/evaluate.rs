//! From tree to value.
//!
//! The tree is at most [`crate::MAX_DEPTH`] deep and a few levels more for what stands around a condition, so that plain
//! recursion is safe.

use std::sync::Arc;

use lineclear_source::Span;

use crate::ast::Comparison;
use crate::memory::Memory;
use crate::tree::{Kind, NodeId, Tree};
use crate::{EvaluateError, Object, Scope, Value};

/// The value of the tree at `root`, made of at most `limit` bytes.
pub(crate) fn evaluate(tree: &Tree, root: NodeId, scope: &dyn Scope, limit: usize) -> Result<Value, EvaluateError> {
    let mut evaluator = Evaluator { tree, scope, memory: Memory::new(limit), record: None };
    evaluator.value(root, 0).map(|result| result.value)
}

/// The same, with the value of every node that was looked at, by the node's index.
pub(crate) fn evaluate_recorded(
    tree: &Tree,
    root: NodeId,
    scope: &dyn Scope,
    limit: usize,
) -> Result<(Value, Vec<Option<Value>>), EvaluateError> {
    let mut evaluator = Evaluator { tree, scope, memory: Memory::new(limit), record: Some(vec![None; tree.len()]) };
    let result = evaluator.value(root, 0)?;
    Ok((result.value, evaluator.record.unwrap_or_default()))
}

pub(crate) struct Evaluator<'e> {
    pub(crate) tree: &'e Tree,
    pub(crate) scope: &'e dyn Scope,
    pub(crate) memory: Memory,
    record: Option<Vec<Option<Value>>>,
}

/// A value, and whether `*` made it: then what follows is done to each of its elements.
pub(crate) struct Evaluated {
    pub(crate) value: Value,
    filtered: bool,
}

impl From<Value> for Evaluated {
    fn from(value: Value) -> Self {
        Self { value, filtered: false }
    }
}

impl Evaluator<'_> {
    /// The value of a node at `level` below the root.
    pub(crate) fn value(&mut self, id: NodeId, level: usize) -> Result<Evaluated, EvaluateError> {
        let node = self.tree.node(id);
        let result = self.compute(id, level)?;
        let origin = match &node.kind {
            Kind::Context(_) | Kind::Property(_) | Kind::Index | Kind::Wildcard => Origin::Data,
            Kind::Call(crate::Function::FromJson) => Origin::Data,
            _ => Origin::Computed,
        };
        let primitive = result.value.is_primitive();
        let mut bytes = match (&result.value, result.filtered) {
            (Value::String(text), _) => Memory::of_text(text),
            (Value::Array(items), true) => Memory::OBJECT + items.len() * 8,
            _ => Memory::OBJECT,
        };
        if origin == Origin::Data && primitive {
            bytes += Memory::OBJECT;
        }
        if !self.memory.add(level, bytes, origin == Origin::Computed && primitive) {
            return Err(self.too_large(id));
        }
        if let Some(record) = &mut self.record {
            record[id.index()] = Some(result.value.clone());
        }
        Ok(result)
    }

    fn compute(&mut self, id: NodeId, level: usize) -> Result<Evaluated, EvaluateError> {
        let node = self.tree.node(id);
        let below = level + 1;
        match &node.kind {
            Kind::Literal(value) => Ok(value.clone().into()),
            Kind::Context(name) => match self.scope.context(name) {
                Some(value) => Ok(value.into()),
                None => Err(EvaluateError::new(format!("the context `{name}` is not available here"), node.span)),
            },
            Kind::Property(name) => {
                let base = self.only_child(id, below)?;
                Ok(select_property(&base, name))
            }
            Kind::Index => self.index(id, below),
            Kind::Wildcard => {
                let base = self.only_child(id, below)?;
                Ok(Evaluated { value: select_all(&base).into(), filtered: true })
            }
            Kind::Not => {
                let operand = self.only_child(id, below)?;
                Ok(Value::Bool(!operand.value.is_truthy()).into())
            }
            &Kind::Compare(comparison) => self.compare(id, comparison, below),
            Kind::And => self.first_where(id, below, |value| !value.is_truthy()),
            Kind::Or => self.first_where(id, below, Value::is_truthy),
            &Kind::Call(function) => self.call(function, id, below),
            Kind::Text => self.text(id, below),
        }
    }

    /// The value of the first operand that is as asked for, else that of the last.
    fn first_where(
        &mut self,
        id: NodeId,
        level: usize,
        decides: impl Fn(&Value) -> bool,
    ) -> Result<Evaluated, EvaluateError> {
        let mut last = Value::Null.into();
        for operand in self.tree.children(id) {
            last = self.value(operand, level)?;
            if decides(&last.value) {
                break;
            }
        }
        Ok(last)
    }

    fn compare(&mut self, id: NodeId, comparison: Comparison, level: usize) -> Result<Evaluated, EvaluateError> {
        let mut values = [Value::Null, Value::Null];
        for (value, child) in values.iter_mut().zip(self.tree.children(id)) {
            *value = self.value(child, level)?.value;
        }
        let [left, right] = &values;
        let holds = match comparison {
            Comparison::Equal => left.loosely_equals(right),
            Comparison::NotEqual => !left.loosely_equals(right),
            Comparison::Less => left.loosely_compare(right).is_some_and(std::cmp::Ordering::is_lt),
            Comparison::Greater => left.loosely_compare(right).is_some_and(std::cmp::Ordering::is_gt),
            Comparison::LessOrEqual => {
                left.loosely_equals(right) || left.loosely_compare(right).is_some_and(std::cmp::Ordering::is_lt)
            }
            Comparison::GreaterOrEqual => {
                left.loosely_equals(right) || left.loosely_compare(right).is_some_and(std::cmp::Ordering::is_gt)
            }
        };
        Ok(Value::Bool(holds).into())
    }

    fn index(&mut self, id: NodeId, level: usize) -> Result<Evaluated, EvaluateError> {
        let mut children = self.tree.children(id);
        let (Some(base), Some(index)) = (children.next(), children.next()) else { return Ok(Value::Null.into()) };
        let base = self.value(base, level)?;
        if base.value.is_primitive() {
            // The index is not even evaluated.
            return Ok(Value::Null.into());
        }
        let index = self.value(index, level)?.value;
        Ok(select_index(&base, &index))
    }

    fn text(&mut self, id: NodeId, level: usize) -> Result<Evaluated, EvaluateError> {
        let mut text = String::new();
        for part in self.tree.children(id) {
            let value = self.value(part, level)?.value;
            text.push_str(&value.as_text());
            if Memory::of_text(&text) > self.memory.limit() {
                return Err(self.too_large(id));
            }
        }
        Ok(Value::from(text).into())
    }

    fn only_child(&mut self, id: NodeId, level: usize) -> Result<Evaluated, EvaluateError> {
        match self.tree.first(id) {
            Some(child) => self.value(child, level),
            None => Ok(Value::Null.into()),
        }
    }

    pub(crate) fn span(&self, id: NodeId) -> Span {
        self.tree.node(id).span
    }

    pub(crate) fn too_large(&self, id: NodeId) -> EvaluateError {
        let node = crate::Node { tree: self.tree, id };
        let text = lineclear_source::shortened(&node.to_string(), 200);
        EvaluateError::new(
            format!("The maximum allowed memory size was exceeded while evaluating the following expression: {text}"),
            self.span(id),
        )
    }
}

/// Whether a value was there before the expression or is made by it; the runner counts their memory differently.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Data,
    Computed,
}

/// `base.name`
fn select_property(base: &Evaluated, name: &str) -> Evaluated {
    match &base.value {
        Value::Array(items) if base.filtered => filtered(items.iter().filter_map(|item| match item {
            Value::Object(object) => object.get(name),
            // A name can be a number, too: only `x['0']` gets here, but the rule is one.
            Value::Array(items) => position(&Value::from(name)).and_then(|at| items.get(at)),
            _ => None,
        })),
        Value::Object(object) => object.get(name).cloned().unwrap_or_default().into(),
        Value::Array(items) => {
            position(&Value::from(name)).and_then(|at| items.get(at)).cloned().unwrap_or_default().into()
        }
        _ => Value::Null.into(),
    }
}

/// `base[index]`
fn select_index(base: &Evaluated, index: &Value) -> Evaluated {
    if let Value::String(name) = index {
        return select_property(base, name);
    }
    let at = position(index);
    let key = index.is_primitive().then(|| index.as_text());
    let select = |value: &Value| match value {
        Value::Object(object) => key.as_deref().and_then(|key| object.get(key)).cloned(),
        Value::Array(items) => at.and_then(|at| items.get(at)).cloned(),
        _ => None,
    };
    match &base.value {
        Value::Array(items) if base.filtered => {
            Evaluated { value: items.iter().filter_map(select).collect::<Vec<_>>().into(), filtered: true }
        }
        value => select(value).unwrap_or_default().into(),
    }
}

fn filtered<'v>(values: impl Iterator<Item = &'v Value>) -> Evaluated {
    Evaluated { value: values.cloned().collect::<Vec<_>>().into(), filtered: true }
}

/// `base.*`
fn select_all(base: &Evaluated) -> Vec<Value> {
    fn values(object: &Arc<Object>) -> impl Iterator<Item = Value> + '_ {
        object.iter().map(|(_, value)| value.clone())
    }
    match &base.value {
        Value::Array(items) if base.filtered => {
            let mut all = Vec::new();
            for item in items.iter() {
                match item {
                    Value::Array(items) => all.extend(items.iter().cloned()),
                    Value::Object(object) => all.extend(values(object)),
                    _ => {}
                }
            }
            all
        }
        Value::Array(items) => items.to_vec(),
        Value::Object(object) => values(object).collect(),
        _ => Vec::new(),
    }
}

/// The place in an array that a value stands for: its number rounded down, if that is not negative.
fn position(index: &Value) -> Option<usize> {
    let number = index.to_number().floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range by the check")]
    (0.0..=f64::from(i32::MAX)).contains(&number).then_some(number as usize)
}
