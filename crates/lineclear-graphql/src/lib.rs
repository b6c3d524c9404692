//! GraphQL calls of popular actions, answered from a forge's REST API.
//!
//! [`GraphqlOverRest`] stands in front of a forge and answers `POST /graphql` by calling that forge's REST routes for the same
//! caller. So a job's `permissions:` hold for a query as for any other call, and a forge without GraphQL has it, too.
//! What can be asked stands in `src/schema/schema.graphql`; errors have GitHub's shapes and, where known, its words.
//!
//! A document is read (`language`), held against the schema (`validate`) and carried out (`execute`); each field asks for
//! what it needs (`resolve`, `mutate`). This crate opens no connection and keeps nothing but the ids it gave out.
//!
//! The parser is our own: of the two that are well kept, `graphql-parser` panics on wide spaces in a block string, and
//! `async-graphql-parser` brings nine crates, one with assembler, for 600 lines with limits that are ours to set.

mod connection;
mod execute;
mod failure;
mod language;
mod memory;
mod mutate;
mod node;
mod object;
mod request;
mod resolve;
mod rest;
mod schema;
mod validate;

use lineclear_forge::{ApiRequest, ApiResponse, Caller, ForgeApi};
use serde_json::{Map, Value, json};

use crate::execute::Execution;
use crate::failure::Failure;
use crate::memory::Memory;
use crate::request::Request;
use crate::rest::Rest;

/// A forge with GraphQL in front of its REST API.
#[derive(Debug)]
pub struct GraphqlOverRest<F> {
    forge: F,
    memory: Memory,
    viewer: String,
}

impl<F: ForgeApi> GraphqlOverRest<F> {
    pub fn new(forge: F) -> Self {
        Self { forge, memory: Memory::default(), viewer: resolve::APP.to_owned() }
    }

    /// In whose name the forge is called: the `login` that its comments then have. `github-actions[bot]` unless told.
    ///
    /// Actions find their own comments by it, so in front of a real forge it has to be the token's user.
    #[must_use]
    pub fn with_viewer(self, login: impl Into<String>) -> Self {
        Self { viewer: login.into(), ..self }
    }

    /// The forge behind.
    pub fn inner(&self) -> &F {
        &self.forge
    }

    fn answer(&self, caller: &Caller, body: &[u8]) -> ApiResponse {
        let request = match Request::read(body) {
            Ok(request) => request,
            Err((status, message)) => return ApiResponse::error(status, &message),
        };
        let failed = |failures: &[Failure]| reply(None, failures);
        let document = match language::parse(&request.query) {
            Ok(document) => document,
            Err(error) => return failed(&[error.into()]),
        };
        let schema = schema::schema();
        let operation = match request.operation(&document) {
            Ok(operation) => operation,
            Err(failure) => return failed(&[failure]),
        };
        let failures = validate::validate(schema, &document, operation);
        if !failures.is_empty() {
            return failed(&failures);
        }
        let variables = match request::variables(schema, operation, &request.variables) {
            Ok(variables) => variables,
            Err(failures) => return failed(&failures),
        };
        let rest = Rest::new(&self.forge, caller, &self.memory, &self.viewer);
        let (data, failures) = Execution::new(schema, &document, variables, &rest).run(operation);
        // Part of the data beside a wrong token would look like success.
        if let Some(ended) = rest.ended() {
            return ended;
        }
        reply(Some(data), &failures)
    }
}

/// `{"data": …, "errors": […]}`, with status 200 whatever went wrong, as GitHub does.
fn reply(data: Option<Value>, failures: &[Failure]) -> ApiResponse {
    let mut body = Map::new();
    if let Some(data) = data {
        body.insert("data".into(), data);
    }
    if !failures.is_empty() {
        body.insert("errors".into(), failures.iter().map(Failure::to_json).collect());
    }
    ApiResponse::json(200, &Value::Object(body))
}

impl<F: ForgeApi> ForgeApi for GraphqlOverRest<F> {
    fn call(&self, caller: &Caller, request: &ApiRequest) -> ApiResponse {
        if request.path.trim_end_matches('/') != "/graphql" {
            return self.forge.call(caller, request);
        }
        if request.method == "POST" {
            return self.answer(caller, &request.body);
        }
        let message =
            json!({ "message": "GraphQL is asked with POST.", "documentation_url": "https://docs.github.com/graphql" });
        ApiResponse::json(405, &message)
    }
}
