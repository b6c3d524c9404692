// Drives a language server as an editor does: node client.cjs SERVER ROOT FILE STEPS
// STEPS is a JSON list: {"open"}, {"change": {range, text}}, {"hover"|"complete"|"definition"|"actions": {line, character}}, {"symbols"}, {"junk"}.
// Prints one JSON answer a line; after each open and change the diagnostics that come.
const { spawn } = require("child_process");
const fs = require("fs");
const path = require("path");
const { pathToFileURL } = require("url");
const rpc = require("vscode-jsonrpc/node");
const lsp = require("vscode-languageserver-protocol");

const [, , server, root, file, steps] = process.argv;
const child = spawn(server, ["lsp", "--stdio"], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
const connection = rpc.createMessageConnection(new rpc.StreamMessageReader(child.stdout), new rpc.StreamMessageWriter(child.stdin));
const uri = pathToFileURL(path.join(root, file)).href;
let told = [];
let waiting = null;
connection.onNotification(lsp.PublishDiagnosticsNotification.type, (params) => {
  told.push(params);
  if (waiting) { const go = waiting; waiting = null; go(); }
});
const next = async () => {
  if (told.length === 0) await new Promise((go) => { waiting = go; });
  return told.shift();
};
const say = (value) => console.log(JSON.stringify(value ?? null));

(async () => {
  connection.listen();
  const rootUri = pathToFileURL(root).href;
  const started = await connection.sendRequest(lsp.InitializeRequest.type, {
    processId: process.pid, rootUri, capabilities: {}, workspaceFolders: [{ uri: rootUri, name: "root" }],
  });
  await connection.sendNotification(lsp.InitializedNotification.type, {});
  say(started.serverInfo);
  let version = 1;
  const at = (position) => ({ textDocument: { uri }, position });
  for (const step of JSON.parse(steps)) {
    const [kind, value] = Object.entries(step)[0];
    const begin = process.hrtime.bigint();
    switch (kind) {
      case "open":
        await connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, {
          textDocument: { uri, languageId: "yaml", version, text: fs.readFileSync(path.join(root, file), "utf8") },
        });
        say(await next());
        break;
      case "change":
        version += 1;
        await connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, { textDocument: { uri, version }, contentChanges: [value] });
        say(await next());
        break;
      case "hover": say(await connection.sendRequest(lsp.HoverRequest.type, at(value))); break;
      case "complete": say(await connection.sendRequest(lsp.CompletionRequest.type, at(value))); break;
      case "definition": say(await connection.sendRequest(lsp.DefinitionRequest.type, at(value))); break;
      case "symbols": say(await connection.sendRequest(lsp.DocumentSymbolRequest.type, { textDocument: { uri } })); break;
      case "actions":
        say(await connection.sendRequest(lsp.CodeActionRequest.type, { textDocument: { uri }, range: { start: value, end: value }, context: { diagnostics: [] } }));
        break;
      case "junk":
        try { say(await connection.sendRequest("no/such/request", {})); } catch (error) { say({ error: error.message }); }
        break;
    }
    if (process.env.TIMES) console.error(kind, Number(process.hrtime.bigint() - begin) / 1e6);
  }
  await connection.sendRequest(lsp.ShutdownRequest.type);
  await connection.sendNotification(lsp.ExitNotification.type);
  child.on("exit", (code) => process.exit(code ?? 9));
})().catch((error) => { console.error(error); process.exit(8); });
