//! Connections: lists that are read a page at a time, with cursors.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::object::{Facts, Object, Resolved};
use crate::resolve::Ask;

/// The most items that GitHub gives at once.
const MAX_PAGE: i64 = 100;

/// One page of a connection.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) nodes: Vec<Object>,
    /// Index of the first node in the whole list.
    start: usize,
    /// All there are; only known where it was asked for, or the end was reached.
    total: Option<usize>,
    has_next: bool,
    /// What stands on an edge beside the node.
    extras: Option<fn(&Object, &str) -> Option<Value>>,
}

/// Which part of a list is asked for.
struct Window {
    first: Option<usize>,
    last: Option<usize>,
    after: usize,
    before: Option<usize>,
}

impl Window {
    fn of(ask: &Ask) -> Result<Self, Failure> {
        let size = |name: &str| -> Result<Option<usize>, Failure> {
            let Some(size) = ask.number(name) else { return Ok(None) };
            let field = ask.field;
            if size < 0 {
                return Err(Failure::new(
                    "INVALID_CURSOR_ARGUMENTS",
                    format!("`{name}` on the `{field}` connection cannot be less than zero."),
                ));
            }
            if size > MAX_PAGE {
                let message = format!(
                    "Requesting {size} records on the `{field}` connection exceeds the `{name}` limit of {MAX_PAGE} records."
                );
                return Err(Failure::new("EXCESSIVE_PAGINATION", message));
            }
            Ok(usize::try_from(size).ok())
        };
        let cursor = |name: &str| -> Result<Option<usize>, Failure> {
            let Some(text) = ask.text(name) else { return Ok(None) };
            let wrong = || {
                Failure::new(
                    "INVALID_CURSOR_ARGUMENTS",
                    format!("`{}` does not appear to be a valid cursor.", text.chars().take(60).collect::<String>()),
                )
            };
            read_cursor(text).ok_or_else(wrong).map(Some)
        };
        let (first, last) = (size("first")?, size("last")?);
        let counts_only =
            ask.wants.iter().all(|name| matches!(name.as_str(), "totalCount" | "issueCount" | "__typename"));
        if first.is_none() && last.is_none() && !counts_only {
            let message = format!(
                "You must provide a `first` or `last` value to properly paginate the `{}` connection.",
                ask.field
            );
            return Err(Failure::new("MISSING_PAGINATION_BOUNDARIES", message));
        }
        if first.is_some() && last.is_some() {
            let message =
                format!("Passing both `first` and `last` to paginate the `{}` connection is not supported.", ask.field);
            return Err(Failure::new("INVALID_CURSOR_ARGUMENTS", message));
        }
        let before = cursor("before")?.map(|position| position.saturating_sub(1));
        Ok(Self { first: first.or(last.is_none().then_some(0)), last, after: cursor("after")?.unwrap_or(0), before })
    }
}

/// Cursors tell how many items stand up to and with theirs.
fn cursor(position: usize) -> String {
    STANDARD.encode(format!("cursor:v2:{position}"))
}

fn read_cursor(text: &str) -> Option<usize> {
    let bytes = STANDARD.decode(text.get(..64).unwrap_or(text)).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_prefix("cursor:v2:")?.parse().ok().filter(|position| *position < 1 << 32)
}

/// The part of a list that `ask` wants.
///
/// `items` gets how many are enough and gives the list from its beginning, and whether that is all of it.
pub(crate) fn connection(
    of: &'static str,
    ask: &Ask,
    items: impl FnOnce(usize) -> Result<(Vec<Object>, bool), Failure>,
) -> Result<Resolved, Failure> {
    connection_with(of, ask, None, items)
}

/// As [`connection`], with fields on the edges.
pub(crate) fn connection_with(
    of: &'static str,
    ask: &Ask,
    extras: Option<fn(&Object, &str) -> Option<Value>>,
    items: impl FnOnce(usize) -> Result<(Vec<Object>, bool), Failure>,
) -> Result<Resolved, Failure> {
    let window = Window::of(ask)?;
    let counted = ask.wants.contains("totalCount") || ask.wants.contains("issueCount");
    let enough = match window.first {
        Some(first) if !counted => window.after.saturating_add(first).saturating_add(1),
        _ => usize::MAX,
    };
    let (mut all, complete) = items(enough)?;
    let known = all.len();
    let upper = window.before.map_or(known, |before| before.min(known));
    let lower = window.after.min(upper);
    let (start, end) = match (window.first, window.last) {
        (Some(first), _) => (lower, lower.saturating_add(first).min(upper)),
        (None, last) => (upper.saturating_sub(last.unwrap_or(0)).max(lower), upper),
    };
    all.truncate(end);
    let nodes = all.split_off(start.min(all.len()));
    let has_next = end < known || !complete;
    let page = Page { nodes, start, total: complete.then_some(known), has_next, extras };
    let repository: Rc<str> = page.nodes.first().map_or_else(|| Rc::from(""), |node| Rc::clone(&node.repository));
    Ok(Resolved::Object(Object { of, repository, facts: Facts::Page(Rc::new(page)) }))
}

/// A list that is known as a whole.
pub(crate) fn whole(of: &'static str, ask: &Ask, nodes: Vec<Object>) -> Result<Resolved, Failure> {
    connection(of, ask, |_| Ok((nodes, true)))
}

/// A single edge, as mutations give it.
pub(crate) fn lone_edge(of: &'static str, node: Object) -> Object {
    let repository = Rc::clone(&node.repository);
    let page = Page { nodes: vec![node], start: 0, total: Some(1), has_next: false, extras: None };
    Object { of, repository, facts: Facts::Edge(Rc::new(page), 0) }
}

/// A field of a connection.
pub(crate) fn page_field(page: &Rc<Page>, edge: &'static str, field: &str) -> Resolved {
    let count = page.nodes.len();
    match field {
        "nodes" => Resolved::Objects(page.nodes.iter().cloned().map(Some).collect()),
        "edges" => {
            let at = |index| Object { of: edge, repository: Rc::from(""), facts: Facts::Edge(Rc::clone(page), index) };
            Resolved::Objects((0..count).map(|index| Some(at(index))).collect())
        }
        "totalCount" | "issueCount" => Resolved::value(page.total.unwrap_or(page.start + count)),
        "pageInfo" => {
            let ends = (count > 0).then(|| (cursor(page.start + 1), cursor(page.start + count)));
            let (start, end) = ends.unzip();
            let facts = json!({
                "startCursor": start,
                "endCursor": end,
                "hasNextPage": page.has_next,
                "hasPreviousPage": page.start > 0,
            });
            Resolved::Object(Object::new("PageInfo", &Rc::from(""), facts))
        }
        _ => Resolved::NULL,
    }
}

/// A field of an edge.
pub(crate) fn edge_field(page: &Page, index: usize, field: &str) -> Resolved {
    let Some(node) = page.nodes.get(index) else { return Resolved::NULL };
    match field {
        "node" => Resolved::Object(node.clone()),
        "cursor" => Resolved::value(cursor(page.start + index + 1)),
        other => Resolved::value(page.extras.and_then(|extras| extras(node, other)).unwrap_or(Value::Null)),
    }
}
