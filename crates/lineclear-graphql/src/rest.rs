//! REST calls on behalf of one document.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use lineclear_forge::{ApiRequest, ApiResponse, Caller, ForgeApi};
use serde_json::Value;

use crate::failure::Failure;
use crate::memory::Memory;

/// Calls that one document may cause. GitHub's own limit is by cost; this is far above what an action's query needs.
const MAX_CALLS: usize = 300;
/// Items of a page; the most that GitHub gives.
pub(crate) const PAGE: usize = 100;
/// Pages of a list that are read to its end: 5,000 items.
const MAX_PAGES: usize = 50;

/// The forge's REST API as one document sees it: each `GET` is made once, until something is changed.
pub(crate) struct Rest<'f> {
    forge: &'f dyn ForgeApi,
    pub(crate) caller: &'f Caller,
    pub(crate) memory: &'f Memory,
    /// In whose name the forge is called, as REST names it.
    pub(crate) viewer: &'f str,
    known: RefCell<HashMap<String, Result<Answer, Refusal>>>,
    calls: Cell<usize>,
    /// An answer that ends the whole call, not only a field: the token is wrong, the rate limit is used up.
    ended: RefCell<Option<ApiResponse>>,
}

/// What was read.
#[derive(Clone)]
struct Answer {
    value: Rc<Value>,
    /// Whether a further page follows, where the forge says so.
    more: Option<bool>,
}

impl Answer {
    fn of(response: &ApiResponse) -> Self {
        let more = header(response, "link").map(|links| links.contains("rel=\"next\""));
        Self { value: Rc::new(response.value()), more }
    }
}

fn header<'r>(response: &'r ApiResponse, name: &str) -> Option<&'r str> {
    response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A REST call that did not succeed.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self.status, 404 | 410)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal.status {
            401 => "UNAUTHENTICATED",
            403 => "FORBIDDEN",
            404 | 410 => "NOT_FOUND",
            429 => "RATE_LIMITED",
            409 | 422 => "UNPROCESSABLE",
            _ => "INTERNAL",
        };
        Self::new(kind, refusal.message)
    }
}

impl<'f> Rest<'f> {
    pub(crate) fn new(forge: &'f dyn ForgeApi, caller: &'f Caller, memory: &'f Memory, viewer: &'f str) -> Self {
        let (known, calls, ended) = (RefCell::default(), Cell::new(0), RefCell::new(None));
        Self { forge, caller, memory, viewer, known, calls, ended }
    }

    /// The answer that is to be given instead of any data.
    pub(crate) fn ended(&self) -> Option<ApiResponse> {
        self.ended.borrow().clone()
    }

    pub(crate) fn get(&self, path: &str) -> Result<Rc<Value>, Refusal> {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, query: &[(&str, &str)]) -> Result<Rc<Value>, Refusal> {
        self.read(path, query).map(|answer| answer.value)
    }

    fn read(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Refusal> {
        let key = query.iter().fold(path.to_owned(), |key, (name, value)| format!("{key}\n{name}={value}"));
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let request =
            query.iter().fold(ApiRequest::new("GET", path), |request, (name, value)| request.query(name, value));
        let answer = self.call(&request).map(|response| Answer::of(&response));
        self.known.borrow_mut().insert(key, answer.clone());
        answer
    }

    /// `None` where there is no such thing.
    pub(crate) fn find(&self, path: &str) -> Result<Option<Rc<Value>>, Failure> {
        match self.get(path) {
            Ok(value) => Ok(Some(value)),
            Err(refusal) if refusal.is_not_found() => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Changes something; what was read before counts no more.
    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, Refusal> {
        self.known.borrow_mut().clear();
        let request = ApiRequest::new(method, path);
        let response = self.call(&if body.is_null() { request } else { request.json(body) })?;
        Ok(response.value())
    }

    /// The items of a list from its beginning, at least `enough` where it has so many, and whether these are all.
    ///
    /// `member` names the list where the answer is an object: `check_runs`.
    pub(crate) fn list(
        &self,
        path: &str,
        query: &[(&str, &str)],
        member: Option<&str>,
        enough: usize,
    ) -> Result<(Vec<Value>, bool), Refusal> {
        let mut items = Vec::new();
        for page in 1..=MAX_PAGES {
            let (size, number) = (PAGE.to_string(), page.to_string());
            let mut query = query.to_vec();
            query.extend([("per_page", size.as_str()), ("page", number.as_str())]);
            let answer = self.read(path, &query)?;
            let list = match member {
                Some(member) => answer.value.get(member).and_then(Value::as_array),
                None => answer.value.as_array(),
            };
            let list = list.map(Vec::as_slice).unwrap_or_default();
            items.extend_from_slice(list);
            if list.is_empty() || !answer.more.unwrap_or(list.len() >= PAGE) {
                return Ok((items, true));
            }
            if items.len() >= enough {
                return Ok((items, false));
            }
        }
        Ok((items, true))
    }

    fn call(&self, request: &ApiRequest) -> Result<ApiResponse, Refusal> {
        if self.ended.borrow().is_some() || self.calls.get() >= MAX_CALLS {
            let message =
                format!("This query needs more than {MAX_CALLS} calls of the REST API: ask for less at once.");
            return Err(Refusal { status: 422, message });
        }
        // A name from the document may try to climb out of its route.
        if lineclear_forge::segments(&request.path).is_none() {
            return Err(Refusal { status: 404, message: "Not Found".to_owned() });
        }
        self.calls.set(self.calls.get() + 1);
        let response = self.forge.call(self.caller, request);
        if response.is_success() {
            return Ok(response);
        }
        let value = response.value();
        let refusal = Refusal { status: response.status, message: message(&value, response.status) };
        if response.status == 401 || is_rate_limit(&response) {
            *self.ended.borrow_mut() = Some(response);
        }
        Err(refusal)
    }
}

fn is_rate_limit(response: &ApiResponse) -> bool {
    let used_up = header(response, "x-ratelimit-remaining") == Some("0") || header(response, "retry-after").is_some();
    response.status == 429 || (response.status == 403 && used_up)
}

/// GitHub's `message`, with the first of `errors` where that says more.
fn message(value: &Value, status: u16) -> String {
    let message = value["message"].as_str().unwrap_or_default();
    let first = &value["errors"][0];
    match first.as_str().or(first["message"].as_str()) {
        Some(detail) => format!("{message}: {detail}"),
        None if message.is_empty() => format!("The forge answered with status {status}."),
        None => message.to_owned(),
    }
}
