//! A matrix as far as it is written out: its keys with their values, and the rows that are added and taken out.

use lineclear_expr::{Template, Value};
use lineclear_source::Span;
use lineclear_workflow::{Job, Text, TextTree};

/// A matrix.
#[derive(Debug)]
pub(super) struct Matrix<'a> {
    /// The keys with lists of values.
    pub(super) axes: Vec<Axis<'a>>,
    /// The rows of `include`; none if they are not all written out.
    pub(super) include: Option<Vec<Row<'a>>>,
    /// The rows of `exclude`; none if they are not all written out.
    pub(super) exclude: Option<Vec<Row<'a>>>,
    /// Where `matrix` stands.
    pub(super) span: Span,
}

/// A key with its values.
#[derive(Debug)]
pub(super) struct Axis<'a> {
    pub(super) name: &'a str,
    /// Where the name stands.
    pub(super) span: Span,
    /// None if an expression makes them.
    pub(super) values: Option<&'a [TextTree]>,
}

/// A row of `include` or `exclude`.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) entries: &'a [(Text, TextTree)],
    pub(super) span: Span,
}

/// The matrix of a job. None where it has none, or where an expression may add keys to it.
pub(super) fn matrix(job: &Job) -> Option<Matrix<'_>> {
    let Some(TextTree::Mapping(entries)) = &job.strategy.as_ref()?.matrix else { return None };
    let mut matrix =
        Matrix { axes: Vec::new(), include: Some(Vec::new()), exclude: Some(Vec::new()), span: entries.span };
    for (key, value) in &entries.value {
        key.template.as_literal()?;
        if key.is_insert() {
            return None;
        }
        match key.raw() {
            "include" => matrix.include = rows(value),
            "exclude" => matrix.exclude = rows(value),
            name => {
                let values = if let TextTree::Sequence(items) = value { Some(&items.value[..]) } else { None };
                matrix.axes.push(Axis { name, span: key.span(), values });
            }
        }
    }
    Some(matrix)
}

fn rows<'t>(tree: &'t TextTree) -> Option<Vec<Row<'t>>> {
    let TextTree::Sequence(items) = tree else { return None };
    let row = |item: &'t TextTree| match item {
        TextTree::Mapping(entries) if entries.value.iter().all(|(key, _)| is_plain(key)) => {
            Some(Row { entries: &entries.value, span: entries.span })
        }
        _ => None,
    };
    items.value.iter().map(row).collect()
}

fn is_plain(key: &Text) -> bool {
    key.template.as_literal().is_some() && !key.is_insert()
}

impl<'a> Matrix<'a> {
    /// The key called `name`, in whatever case.
    pub(super) fn axis(&self, name: &str) -> Option<&Axis<'a>> {
        self.axes.iter().find(|axis| axis.name.eq_ignore_ascii_case(name))
    }
}

/// Whether a value is what an entry of `exclude` or `include` asks for; none if an expression decides.
///
/// Of objects and arrays only the keys that are asked for count.
pub(super) fn matches(asked: &TextTree, value: &TextTree) -> Option<bool> {
    match (asked, value) {
        (TextTree::Scalar(asked), TextTree::Scalar(value)) => Some(literal(asked)?.loosely_equals(literal(value)?)),
        (TextTree::Sequence(asked), TextTree::Sequence(value)) => {
            let pairs = asked.value.iter().enumerate().map(|(at, asked)| (asked, value.value.get(at)));
            all(pairs)
        }
        (TextTree::Mapping(asked), TextTree::Mapping(value)) => {
            if asked.value.iter().chain(&value.value).any(|(key, _)| !is_plain(key)) {
                return None;
            }
            let find = |name: &Text| {
                value.value.iter().find(|(key, _)| key.raw().eq_ignore_ascii_case(name.raw())).map(|(_, value)| value)
            };
            all(asked.value.iter().map(|(key, asked)| (asked, find(key))))
        }
        // An expression may give a collection, too.
        (TextTree::Scalar(text), _) | (_, TextTree::Scalar(text)) => literal(text).map(|_| false),
        _ => Some(false),
    }
}

fn all<'t>(pairs: impl Iterator<Item = (&'t TextTree, Option<&'t TextTree>)>) -> Option<bool> {
    let mut is_sure = true;
    for (asked, value) in pairs {
        match value.map_or(Some(false), |value| matches(asked, value)) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => is_sure = false,
        }
    }
    is_sure.then_some(true)
}

fn literal(text: &Text) -> Option<&Value> {
    if let Template::Literal(value) = &text.template { Some(value) } else { None }
}

/// Whether both are written out and the same.
pub(super) fn is_same(one: &TextTree, other: &TextTree) -> bool {
    match (one, other) {
        (TextTree::Scalar(one), TextTree::Scalar(other)) => {
            matches!((literal(one), literal(other)), (Some(one), Some(other)) if one == other)
        }
        (TextTree::Sequence(one), TextTree::Sequence(other)) => {
            one.value.len() == other.value.len()
                && one.value.iter().zip(&other.value).all(|(one, other)| is_same(one, other))
        }
        (TextTree::Mapping(one), TextTree::Mapping(other)) => is_same_row(&one.value, &other.value),
        _ => false,
    }
}

/// Whether two rows have the same keys with the same values, in whatever order.
pub(super) fn is_same_row(one: &[(Text, TextTree)], other: &[(Text, TextTree)]) -> bool {
    let has = |(key, value): &(Text, TextTree)| {
        other.iter().any(|(own, own_value)| own.raw().eq_ignore_ascii_case(key.raw()) && is_same(own_value, value))
    };
    one.len() == other.len() && one.iter().all(has)
}

/// More combinations than these are not made to look at them: a matrix has 256 at most.
const LOOKED_AT: usize = 20_000;

/// How many combinations there are in the end, and how many before rows are taken out; none if an expression decides.
pub(super) fn count(matrix: &Matrix<'_>) -> Option<(usize, usize)> {
    let values: Vec<&[TextTree]> = matrix.axes.iter().map(|axis| axis.values).collect::<Option<_>>()?;
    if values
        .iter()
        .any(|values| values.iter().any(|value| matches!(value, TextTree::Scalar(text) if literal(text).is_none())))
    {
        return None;
    }
    let include = matrix.include.as_ref()?;
    let exclude = matrix.exclude.as_ref()?;
    let mut all = if values.is_empty() { 0 } else { 1_usize };
    for values in &values {
        all = all.checked_mul(values.len())?;
    }
    if all > LOOKED_AT {
        return exclude.is_empty().then_some((all, all));
    }
    let mut left: Vec<Vec<&TextTree>> = Vec::new();
    for number in 0..all {
        let mut rest = number;
        let mut combination = Vec::with_capacity(values.len());
        for values in values.iter().rev() {
            combination.extend(values.get(rest % values.len()));
            rest /= values.len();
        }
        combination.reverse();
        let mut is_out = false;
        for row in exclude {
            is_out |= fits(matrix, row, &combination)?;
        }
        if !is_out {
            left.push(combination);
        }
    }
    let mut added = 0;
    for row in include {
        let has_axis = row.entries.iter().any(|(key, _)| matrix.axis(key.raw()).is_some());
        let mut extends = false;
        for combination in &left {
            extends |= !has_axis || fits(matrix, row, combination)?;
        }
        added += usize::from(!extends);
    }
    Some((left.len() + added, all))
}

/// Whether a combination has all that a row asks of its axes. Extras of an `include` count for nothing.
fn fits(matrix: &Matrix<'_>, row: &Row<'_>, combination: &[&TextTree]) -> Option<bool> {
    let pairs = row.entries.iter().filter_map(|(key, asked)| {
        let at = matrix.axes.iter().position(|axis| axis.name.eq_ignore_ascii_case(key.raw()))?;
        Some((asked, combination.get(at).copied()))
    });
    all(pairs)
}
