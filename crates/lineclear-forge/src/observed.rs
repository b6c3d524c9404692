//! Tells a listener of each call that changes something or was refused.

use std::fmt;

use lineclear_event::Fact;

use crate::{ApiRequest, ApiResponse, Caller, ForgeApi, shown};

type Listener = Box<dyn Fn(&Caller, Fact) + Send + Sync>;

/// A forge whose changes and refusals are told.
///
/// It stands outside of the guard, so that refusals are seen, and inside of GraphQL, so that each change is told once.
pub struct Observed<F> {
    forge: F,
    listener: Listener,
}

impl<F: ForgeApi> Observed<F> {
    /// `listener` is given a [`Fact::ForgeCall`] after the call, from the thread that made it.
    pub fn new(forge: F, listener: impl Fn(&Caller, Fact) + Send + Sync + 'static) -> Self {
        Self { forge, listener: Box::new(listener) }
    }

    pub fn inner(&self) -> &F {
        &self.forge
    }
}

impl<F: fmt::Debug> fmt::Debug for Observed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("forge", &self.forge).finish_non_exhaustive()
    }
}

impl<F: ForgeApi> ForgeApi for Observed<F> {
    fn call(&self, caller: &Caller, request: &ApiRequest) -> ApiResponse {
        let response = self.forge.call(caller, request);
        let changes = !matches!(request.method.as_str(), "GET" | "HEAD");
        if changes || response.status == 403 {
            let fact = Fact::ForgeCall {
                method: request.method.clone(),
                path: request.path.clone(),
                status: response.status,
                shown: if changes { shown(request, &response) } else { String::new() },
            };
            (self.listener)(caller, fact);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use lineclear_event::{JobKey, RunId};
    use serde_json::json;

    use super::*;
    use crate::Guarded;

    #[derive(Debug)]
    struct Creates;

    impl ForgeApi for Creates {
        fn call(&self, _: &Caller, _: &ApiRequest) -> ApiResponse {
            ApiResponse::json(201, &json!({"id": 1, "number": 8}))
        }
    }

    #[test]
    fn changes_and_refusals_are_told_and_questions_are_not() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let ear = Arc::clone(&told);
        let listener = move |_: &Caller, fact: Fact| {
            if let Fact::ForgeCall { method, status, shown, .. } = fact {
                ear.lock().expect("no test panics here").push((method, status, shown));
            }
        };
        let forge = Observed::new(Guarded::new(Creates), listener);
        let caller = Caller {
            repository: "o/r".into(),
            run: RunId(1),
            job: JobKey::new("a"),
            actor: "ada".into(),
            permissions: BTreeMap::from([("issues".into(), "write".into())]),
        };
        forge.call(&caller, &ApiRequest::new("GET", "/repos/o/r/issues"));
        forge.call(&caller, &ApiRequest::new("GET", "/repos/o/r/contents/a"));
        forge.call(&caller, &ApiRequest::new("POST", "/repos/o/r/issues/7/comments").json(&json!({"body": "hello"})));
        forge.call(&caller, &ApiRequest::new("POST", "/repos/o/r/statuses/a").json(&json!({"state": "success"})));
        let told = told.lock().expect("no test panics here").clone();
        assert_eq!(
            told,
            [
                ("GET".to_owned(), 403, String::new()),
                ("POST".to_owned(), 201, "**Comment on #7**\n\nhello".to_owned()),
                ("POST".to_owned(), 403, "**Status** `default` of a: success".to_owned()),
            ]
        );
    }
}
