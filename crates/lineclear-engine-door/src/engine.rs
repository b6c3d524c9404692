//! What a door itself asks of the engine.

use std::io::{self, Read, Write};
use std::time::Duration;

use serde_json::Value;

use crate::http::{AnswerHead, Body, Headers, HttpError, Inbound, RequestHead, Target};
use crate::rewrite::Refusal;
use crate::settings::EngineAddress;
use crate::stream::Stream;

/// No answer to a question of the door itself is longer, in bytes.
const ANSWER_LIMIT: u64 = 64 * 1024 * 1024;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks questions, one connection each.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    pub(crate) address: EngineAddress,
}

/// A question that was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    #[error("the container engine does not answer")]
    Io(#[from] io::Error),
    #[error("the container engine's answer cannot be read")]
    Http(#[from] HttpError),
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self::new(502, lineclear_event::with_causes(&error))
    }
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct EngineAnswer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl EngineAnswer {
    pub(crate) fn is_fine(&self) -> bool {
        self.status < 400
    }

    /// The value that was answered; `null` for what is no JSON.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What an answer that tells of a failure says.
    pub(crate) fn problem(&self) -> String {
        let value = self.value();
        match value.get("message").and_then(Value::as_str) {
            Some(message) => message.to_owned(),
            None => format!("status {}", self.status),
        }
    }
}

impl Engine {
    pub(crate) fn get(&self, target: Target) -> Result<EngineAnswer, EngineError> {
        self.ask("GET", target, None, None)
    }

    pub(crate) fn post(&self, target: Target, body: Option<&Value>) -> Result<EngineAnswer, EngineError> {
        self.ask("POST", target, body, None)
    }

    pub(crate) fn delete(&self, target: Target) -> Result<EngineAnswer, EngineError> {
        self.ask("DELETE", target, None, None)
    }

    /// `login`: the value of `X-Registry-Auth`.
    pub(crate) fn ask(
        &self,
        method: &str,
        target: Target,
        body: Option<&Value>,
        login: Option<&str>,
    ) -> Result<EngineAnswer, EngineError> {
        let mut headers = Headers::default();
        headers.set("Host", "engine");
        headers.set("Connection", "close");
        if let Some(login) = login {
            headers.set("X-Registry-Auth", login);
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        if !body.is_empty() {
            headers.set("Content-Type", "application/json");
        }
        headers.set("Content-Length", body.len().to_string());
        let head = RequestHead { method: method.to_owned(), target: target.write(), minor: 1, headers };
        let mut stream = Stream::connect(&self.address)?;
        stream.set_timeout(Some(PATIENCE))?;
        let mut message = head.write();
        message.extend_from_slice(body.as_bytes());
        stream.write_all(&message)?;
        let mut inbound = Inbound::new(stream);
        let head = answer_head(&mut inbound)?;
        let framing = head.framing(method)?;
        let mut body = Vec::new();
        Body::new(&mut inbound, framing).take(ANSWER_LIMIT).read_to_end(&mut body)?;
        Ok(EngineAnswer { status: head.status, body })
    }
}

/// The head of the answer itself: those that only say to go on are passed over.
pub(crate) fn answer_head<S: Read>(inbound: &mut Inbound<S>) -> Result<AnswerHead, HttpError> {
    loop {
        let bytes = inbound.head()?.ok_or(HttpError::Io(io::ErrorKind::UnexpectedEof.into()))?;
        let head = AnswerHead::parse(&bytes)?;
        if head.status >= 200 || head.status == 101 {
            return Ok(head);
        }
    }
}
