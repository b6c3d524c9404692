//! One call as its handler sees it: who asks, for what, and the pieces that answers are made of.

use lineclear_event::Timestamp;
use lineclear_forge::{ApiRequest, ApiResponse, Caller, NodeId, NodeKind};
use serde_json::{Value, json};

use crate::git::{Git, GitError};
use crate::journal::JournalError;
use crate::{LocalForge, OpenError, RepositoryFacts};

/// The largest body that is read as JSON, in bytes.
const MAX_JSON: usize = 32 << 20;

/// What an answer other than success is.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) ApiResponse);

pub(crate) type Answer = Result<ApiResponse, Refusal>;

impl Refusal {
    pub(crate) fn not_found() -> Self {
        Self(ApiResponse::error(404, "Not Found"))
    }

    pub(crate) fn said(status: u16, message: &str) -> Self {
        Self(ApiResponse::error(status, message))
    }

    /// 422 with GitHub's list of errors. `code` is `missing_field`, `invalid`, `already_exists`, `missing`.
    pub(crate) fn invalid(resource: &str, field: &str, code: &str) -> Self {
        Self::failed(&json!([{"resource": resource, "code": code, "field": field}]))
    }

    /// 422 with a message of its own.
    pub(crate) fn custom(resource: &str, message: &str) -> Self {
        Self::failed(&json!([{"resource": resource, "code": "custom", "message": message}]))
    }

    fn failed(errors: &Value) -> Self {
        Self(ApiResponse::json(
            422,
            &json!({
                "message": "Validation Failed",
                "errors": errors,
                "documentation_url": "https://docs.github.com/rest",
                "status": "422",
            }),
        ))
    }
}

impl From<JournalError> for Refusal {
    fn from(error: JournalError) -> Self {
        Self::said(500, &lineclear_event::with_causes(&error))
    }
}

impl From<OpenError> for Refusal {
    fn from(error: OpenError) -> Self {
        Self::said(500, &lineclear_event::with_causes(&error))
    }
}

impl From<lineclear_store::StoreError> for Refusal {
    fn from(error: lineclear_store::StoreError) -> Self {
        match error {
            lineclear_store::StoreError::NotFound { .. } => Self::not_found(),
            other => Self::said(500, &lineclear_event::with_causes(&other)),
        }
    }
}

impl From<GitError> for Refusal {
    fn from(error: GitError) -> Self {
        Self::said(500, &lineclear_event::with_causes(&error))
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) forge: &'a LocalForge,
    pub(crate) caller: &'a Caller,
    pub(crate) request: &'a ApiRequest,
    pub(crate) now: Timestamp,
}

impl<'a> Call<'a> {
    pub(crate) fn facts(&self) -> &'a RepositoryFacts {
        self.forge.facts()
    }

    pub(crate) fn git(&self) -> Result<&'a Git, Refusal> {
        Ok(self.forge.git()?)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&'a str> {
        self.request.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as an object; an empty one is an object without fields.
    pub(crate) fn fields(&self) -> Result<Fields, Refusal> {
        match self.json()? {
            Value::Object(fields) => Ok(Fields(Value::Object(fields))),
            Value::Null => Ok(Fields(json!({}))),
            _ => Err(Refusal::said(422, "Invalid request.\n\nThe body is not an object.")),
        }
    }

    pub(crate) fn json(&self) -> Result<Value, Refusal> {
        if self.request.body.len() > MAX_JSON {
            return Err(Refusal::said(413, "Payload too big: at most 32 MiB are read"));
        }
        if self.request.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.request.body).map_err(|_| Refusal::said(400, "Problems parsing JSON"))
    }

    /// `…/repos/o/r/` with `below`.
    pub(crate) fn api(&self, below: &str) -> String {
        let base = format!("{}/repos/{}", self.forge.addresses().api, self.facts().full_name());
        if below.is_empty() { base } else { format!("{base}/{below}") }
    }

    pub(crate) fn html(&self, below: &str) -> String {
        let base = format!("{}/{}", self.forge.addresses().server, self.facts().full_name());
        if below.is_empty() { base } else { format!("{base}/{below}") }
    }

    /// One page of `all`, with the `Link` header. `shown` is called for what is on the page only.
    pub(crate) fn page<T>(&self, all: &[T], shown: impl FnMut(&T) -> Value) -> ApiResponse {
        self.page_in(all, shown, |entries, _| Value::Array(entries))
    }

    /// One page as `{"total_count": …, "<name>": […]}`.
    pub(crate) fn counted_page<T>(&self, name: &str, all: &[T], shown: impl FnMut(&T) -> Value) -> ApiResponse {
        self.page_in(all, shown, |entries, total| json!({"total_count": total, name: entries}))
    }

    pub(crate) fn page_in<T>(
        &self,
        all: &[T],
        mut shown: impl FnMut(&T) -> Value,
        wrap: impl FnOnce(Vec<Value>, usize) -> Value,
    ) -> ApiResponse {
        self.page_of(all.len(), |place| shown(&all[place]), wrap)
    }

    /// One page of `total` entries, of which only those on the page are asked for, by their place.
    pub(crate) fn page_of(
        &self,
        total: usize,
        shown: impl FnMut(usize) -> Value,
        wrap: impl FnOnce(Vec<Value>, usize) -> Value,
    ) -> ApiResponse {
        let (page, size) = self.place();
        let start = (page - 1).saturating_mul(size).min(total);
        let end = start.saturating_add(size).min(total);
        let entries: Vec<Value> = (start..end).map(shown).collect();
        let mut response = ApiResponse::json(200, &wrap(entries, total));
        if let Some(link) = self.links(page, total.div_ceil(size)) {
            response.headers.push(("link".into(), link));
        }
        response
    }

    /// Page, from one, and how many are on it. What is no number counts as not said, as on GitHub.
    pub(crate) fn place(&self) -> (usize, usize) {
        let number = |name| self.query(name).and_then(|text| text.parse::<usize>().ok()).filter(|number| *number > 0);
        (number("page").unwrap_or(1), number("per_page").unwrap_or(30).min(100))
    }

    fn links(&self, page: usize, last: usize) -> Option<String> {
        let at = |number: usize, relation: &str| {
            let others = self.request.query.iter().filter(|(name, _)| name != "page");
            let mut query: Vec<String> =
                others.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
            query.push(format!("page={number}"));
            let base = &self.forge.addresses().api;
            format!("<{base}{}?{}>; rel=\"{relation}\"", self.request.path, query.join("&"))
        };
        let mut links = Vec::new();
        if page > 1 {
            links.push(at(page - 1, "prev"));
        }
        if page < last {
            links.push(at(page + 1, "next"));
            links.push(at(last, "last"));
        }
        if page > 1 {
            links.push(at(1, "first"));
        }
        (!links.is_empty()).then(|| links.join(", "))
    }
}

/// A text for a query or one segment of a path.
pub(crate) fn encoded(text: &str) -> String {
    const KEPT: percent_encoding::AsciiSet =
        percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(text, &KEPT).to_string()
}

/// A path whose slashes stay.
pub(crate) fn encoded_path(path: &str) -> String {
    path.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

/// A time as GitHub writes it: without fractions.
pub(crate) fn time(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

pub(crate) fn node(kind: NodeKind, number: u64) -> String {
    NodeId::new(kind, number).to_string()
}

pub(crate) fn named_node(kind: NodeKind, key: &str) -> String {
    NodeId::named(kind, key).to_string()
}

/// The fields of a body, read with GitHub's complaints about what is wrong.
#[derive(Debug)]
pub(crate) struct Fields(pub(crate) Value);

impl Fields {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    pub(crate) fn value(&self, name: &str) -> &Value {
        &self.0[name]
    }

    /// A text; `None` where there is none or null.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match &self.0[name] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            other => Err(wrong(name, other, "a string")),
        }
    }

    pub(crate) fn owned(&self, name: &str) -> Result<Option<String>, Refusal> {
        Ok(self.text(name)?.map(str::to_owned))
    }

    /// A text that has to be there and not be empty.
    pub(crate) fn required(&self, resource: &str, name: &str) -> Result<&str, Refusal> {
        let missing = || Refusal::invalid(resource, name, "missing_field");
        self.text(name)?.filter(|text| !text.trim().is_empty()).ok_or_else(missing)
    }

    /// Markdown as people write it: at most 65536 characters.
    pub(crate) fn markdown(&self, name: &str) -> Result<Option<&str>, Refusal> {
        const MAX: usize = 65_536;
        match self.text(name)? {
            Some(text) if text.len() > MAX && text.chars().count() > MAX => {
                Err(Refusal::custom("Body", &format!("{name} is too long (maximum is {MAX} characters)")))
            }
            found => Ok(found),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match &self.0[name] {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            other => Err(wrong(name, other, "a boolean")),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        match &self.0[name] {
            Value::Null => Ok(None),
            value => value.as_u64().map(Some).ok_or_else(|| wrong(name, value, "an integer")),
        }
    }

    /// A list of texts, or of objects with a name; a single text is a list of one.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        texts(&self.0[name], name)
    }
}

pub(crate) fn texts(value: &Value, name: &str) -> Result<Option<Vec<String>>, Refusal> {
    let one = |entry: &Value| match entry.as_str().or(entry["name"].as_str()) {
        Some(text) => Ok(text.to_owned()),
        None => Err(wrong(name, entry, "a string")),
    };
    match value {
        Value::Null => Ok(None),
        Value::Array(list) => list.iter().map(one).collect::<Result<_, _>>().map(Some),
        Value::String(text) => Ok(Some(vec![text.clone()])),
        other => Err(wrong(name, other, "an array")),
    }
}

fn wrong(name: &str, value: &Value, expected: &str) -> Refusal {
    let shown: String = value.to_string().chars().take(100).collect();
    Refusal::said(422, &format!("Invalid request.\n\nFor 'properties/{name}', {shown} is not {expected}."))
}
