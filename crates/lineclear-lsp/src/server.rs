//! The loop: one message after the other.

use std::path::PathBuf;

use lineclear_check::{Content, Dialect, File, FileKind, Project};
use lineclear_source::Source;
use lineclear_workflow::{Action, Workflow};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeConfiguration, DidChangeTextDocument, DidChangeWatchedFiles, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Notification as _, PublishDiagnostics,
};
use lsp_types::request::{
    CodeActionRequest, Completion, DocumentSymbolRequest, GotoDefinition, HoverRequest, Request as _,
};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions, CompletionResponse,
    DocumentSymbolResponse, GotoDefinitionResponse, Hover, HoverContents, HoverProviderCapability, InitializeParams,
    Location, MarkupContent, MarkupKind, OneOf, PublishDiagnosticsParams, Range, SaveOptions, ServerCapabilities,
    TextDocumentPositionParams, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions, Uri,
};
use serde_json::{Value, json};

use crate::definition::{Target, definition, has_definitions};
use crate::document::Document;
use crate::place::Encoding;
use crate::workspace::{OpenFiles, Workspace, path_of, uri_of};
use crate::{action, completion, diagnostic, hover, symbol};

/// Why the server ended before the editor told it to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The editor did not keep to the protocol, or went away.
    #[error("the editor's messages broke off")]
    Protocol(#[from] lsp_server::ProtocolError),
    /// The editor's first message cannot be understood.
    #[error("the editor's first message cannot be understood")]
    Initialize(#[from] serde_json::Error),
    /// Nobody reads the answers any more.
    #[error("the editor does not read answers any more")]
    Closed,
}

/// Answers an editor until it says that it is done. `open_files` gives the files of a repository by its root.
///
/// # Errors
/// [`ServeError`], when the connection ends in the middle.
pub fn serve(connection: &Connection, open_files: &OpenFiles<'_>) -> Result<(), ServeError> {
    let (id, params) = connection.initialize_start()?;
    let params: InitializeParams = serde_json::from_value(params)?;
    let offered = params.capabilities.general.as_ref().and_then(|general| general.position_encodings.as_deref());
    let encoding = Encoding::choose(offered);
    let answer = json!({
        "capabilities": capabilities(encoding),
        "serverInfo": { "name": "lineclear", "version": env!("CARGO_PKG_VERSION") },
    });
    connection.initialize_finish(id, answer)?;
    let mut server = Server { connection, workspace: Workspace::new(open_files, folders(&params)), encoding };
    server.run()
}

fn folders(params: &InitializeParams) -> Vec<PathBuf> {
    let named = params.workspace_folders.iter().flatten().filter_map(|folder| path_of(&folder.uri));
    #[expect(deprecated, reason = "older editors name their folder only here")]
    let old = params.root_uri.iter().filter_map(path_of);
    named.chain(old).collect()
}

fn capabilities(encoding: Encoding) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions { include_text: Some(false) })),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some([".", ":", " ", "-", "[", "{", "/", "@"].map(str::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, CodeActionKind::SOURCE_FIX_ALL]),
            ..CodeActionOptions::default()
        })),
        ..ServerCapabilities::default()
    }
}

struct Server<'s> {
    connection: &'s Connection,
    workspace: Workspace<'s>,
    encoding: Encoding,
}

impl Server<'_> {
    fn run(&mut self) -> Result<(), ServeError> {
        while let Ok(message) = self.connection.receiver.recv() {
            match message {
                Message::Request(request) => {
                    if self.connection.handle_shutdown(&request)? {
                        return Ok(());
                    }
                    let answer = self.answer(request);
                    self.send(Message::Response(answer))?;
                }
                Message::Notification(notification) => self.take(notification)?,
                Message::Response(_) => {}
            }
            // While more is being typed there is no use in saying what was wrong before.
            if self.connection.receiver.is_empty() {
                self.publish()?;
            }
        }
        Ok(())
    }

    fn send(&self, message: Message) -> Result<(), ServeError> {
        self.connection.sender.send(message).map_err(|_| ServeError::Closed)
    }

    fn take(&mut self, notification: Notification) -> Result<(), ServeError> {
        match notification.method.as_str() {
            DidOpenTextDocument::METHOD => {
                let Some(params) = params::<lsp_types::DidOpenTextDocumentParams>(notification.params) else {
                    return Ok(());
                };
                let opened = params.text_document;
                if let Some((root, path, kind)) = self.workspace.locate(&opened.uri) {
                    self.workspace.prepare(&root);
                    let key = opened.uri.as_str().to_owned();
                    let document =
                        Document::new(opened.uri, opened.version, root, path, kind, opened.text, self.encoding);
                    self.workspace.documents.insert(key, document);
                }
            }
            DidChangeTextDocument::METHOD => {
                let Some(params) = params::<lsp_types::DidChangeTextDocumentParams>(notification.params) else {
                    return Ok(());
                };
                if let Some(document) = self.workspace.documents.get_mut(params.text_document.uri.as_str()) {
                    document.change(params.text_document.version, params.content_changes);
                }
            }
            DidCloseTextDocument::METHOD => {
                let Some(params) = params::<lsp_types::DidCloseTextDocumentParams>(notification.params) else {
                    return Ok(());
                };
                if let Some(document) = self.workspace.documents.remove(params.text_document.uri.as_str()) {
                    self.tell(document.uri, Vec::new(), None)?;
                }
            }
            DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD | DidChangeConfiguration::METHOD => {
                self.workspace.forget()
            }
            _ => {}
        }
        Ok(())
    }

    /// Checks what changed and tells what was found.
    fn publish(&mut self) -> Result<(), ServeError> {
        let waiting: Vec<String> = self
            .workspace
            .documents
            .iter()
            .filter(|(_, document)| document.findings.is_none())
            .map(|(key, _)| key.clone())
            .collect();
        for key in waiting {
            self.workspace.check(&key);
            if let Some(document) = self.workspace.documents.get(&key) {
                self.tell(document.uri.clone(), diagnostic::diagnostics(document), Some(document.version))?;
            }
        }
        Ok(())
    }

    fn tell(&self, uri: Uri, diagnostics: Vec<lsp_types::Diagnostic>, version: Option<i32>) -> Result<(), ServeError> {
        let params = PublishDiagnosticsParams { uri, diagnostics, version };
        let notification = Notification::new(PublishDiagnostics::METHOD.to_owned(), params);
        self.send(Message::Notification(notification))
    }

    fn answer(&mut self, request: Request) -> Response {
        let Request { id, method, params: given } = request;
        let result = match method.as_str() {
            HoverRequest::METHOD => params::<lsp_types::HoverParams>(given)
                .map(|asked| to_json(self.hover(&asked.text_document_position_params))),
            Completion::METHOD => params::<lsp_types::CompletionParams>(given)
                .map(|asked| to_json(self.completion(&asked.text_document_position))),
            GotoDefinition::METHOD => params::<lsp_types::GotoDefinitionParams>(given)
                .map(|asked| to_json(self.definition(&asked.text_document_position_params))),
            DocumentSymbolRequest::METHOD => params::<lsp_types::DocumentSymbolParams>(given).map(|asked| {
                let document = self.workspace.documents.get(asked.text_document.uri.as_str());
                let document = document.filter(|document| document.kind == FileKind::Workflow);
                to_json(document.map(|document| DocumentSymbolResponse::Nested(symbol::symbols(document))))
            }),
            CodeActionRequest::METHOD => params::<lsp_types::CodeActionParams>(given).map(|asked| {
                let key = asked.text_document.uri.as_str();
                self.workspace.check(key);
                to_json(self.workspace.documents.get(key).map(|document| action::actions(document, asked.range)))
            }),
            _ => {
                let message = format!("`{method}` is nothing that this server answers");
                return Response::new_err(id, ErrorCode::MethodNotFound as i32, message);
            }
        };
        match result {
            Some(value) => Response::new_ok(id, value),
            None => Response::new_err(
                id,
                ErrorCode::InvalidParams as i32,
                format!("the parameters of `{method}` cannot be understood"),
            ),
        }
    }

    fn hover(&self, asked: &TextDocumentPositionParams) -> Option<Hover> {
        let document = self.workspace.documents.get(asked.text_document.uri.as_str())?;
        let offset = document.lines.offset(&document.text, asked.position);
        let offset = u32::try_from(offset).ok()?;
        let (value, span) = self.with_file(document, None, |file| hover::hover(file, offset))??;
        let contents = HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value });
        Some(Hover { contents, range: Some(document.lines.range(&document.text, span)) })
    }

    fn completion(&self, asked: &TextDocumentPositionParams) -> Option<CompletionResponse> {
        let document = self.workspace.documents.get(asked.text_document.uri.as_str())?;
        let offset = document.lines.offset(&document.text, asked.position);
        let items = self.with_file(document, Some(offset), |file| completion::completions(document, file, offset))?;
        Some(CompletionResponse::Array(items))
    }

    fn definition(&self, asked: &TextDocumentPositionParams) -> Option<GotoDefinitionResponse> {
        let document = self
            .workspace
            .documents
            .get(asked.text_document.uri.as_str())
            .filter(|document| has_definitions(document.kind))?;
        let offset = u32::try_from(document.lines.offset(&document.text, asked.position)).ok()?;
        let target = self.with_file(document, None, |file| definition(file, offset))??;
        let location = match target {
            Target::Here(span) => {
                Location { uri: document.uri.clone(), range: document.lines.range(&document.text, span) }
            }
            Target::File(candidates) => {
                let places = candidates.iter().map(|path| document.root.join(path));
                let place = places.into_iter().find(|place| place.is_file())?;
                Location { uri: uri_of(&place)?, range: Range::default() }
            }
        };
        Some(GotoDefinitionResponse::Scalar(location))
    }

    /// Reads the document's model and hands it on. Where the text cannot be read at all, the line of `cursor` is taken out first: it is
    /// being written.
    fn with_file<R>(&self, document: &Document, cursor: Option<usize>, ask: impl FnOnce(&File<'_>) -> R) -> Option<R> {
        let around = self.workspace.around(&document.root);
        let project = Project::new(&around);
        let source = document.source();
        if document.kind == FileKind::Action {
            let action = Action::read(&source).model?;
            return Some(ask(&File::new(&source, Content::Action(&action), Dialect::GitHub, &project)));
        }
        if document.kind != FileKind::Workflow {
            return None;
        }
        if let Some(workflow) = Workflow::read(&source).model {
            return Some(ask(&File::new(&source, Content::Workflow(&workflow), Dialect::GitHub, &project)));
        }
        let source = Source::new(document.path.as_str(), without_line(&document.text, cursor?));
        // Nothing readable is left: an empty workflow still knows which keys there are.
        let workflow =
            Workflow::read(&source).model.or_else(|| Workflow::read(&Source::new("", "on: push\njobs: {}\n")).model)?;
        Some(ask(&File::new(&source, Content::Workflow(&workflow), Dialect::GitHub, &project)))
    }
}

/// The text with the line at `offset` made blank; all places stay the same.
fn without_line(text: &str, offset: usize) -> String {
    let offset = text.floor_char_boundary(offset.min(text.len()));
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
    [&text[..start], &" ".repeat(end - start), &text[end..]].concat()
}

fn params<T: serde::de::DeserializeOwned>(given: Value) -> Option<T> {
    serde_json::from_value(given).ok()
}

fn to_json<T: serde::Serialize>(answer: Option<T>) -> Value {
    // The protocol's types can always be written.
    serde_json::to_value(answer).unwrap_or(Value::Null)
}
