// Sends the same calls through the real client and through ours, and compares what reaches the forge.
"use strict";

const path = require("path");
const github = require("@actions/github");
const own = require(path.join(process.argv[2], "client.js"));

const base = "https://forge.example/api/v3";
process.env.GITHUB_API_URL = base;

function recording() {
  const sent = [];
  const fetch = async (url, options) => {
    const { accept, authorization, "content-type": type } = options.headers;
    sent.push(JSON.stringify({ url, method: options.method, body: options.body, accept, authorization, type }));
    return new Response("[]", { status: 200, headers: { "content-type": "application/json" } });
  };
  return { sent, fetch };
}

function parameters(route) {
  const given = { q: "is:open a+b", state: "open", per_page: 7, list: ["a", "b c"], nothing: undefined };
  for (const [, names] of route.matchAll(/\{[?]?([\w,]+)/g)) {
    for (const name of names.split(",")) given[name] = `a/${name} é`;
  }
  return given;
}

// What `core` says and builds.
function said(core) {
  const heard = [];
  const write = process.stdout.write;
  process.stdout.write = (text) => heard.push(String(text));
  const attempt = (call) => {
    try {
      heard.push(JSON.stringify(call()));
    } catch (error) {
      heard.push(`${error.name}: ${error.message}`);
    }
  };
  Object.assign(process.env, { "INPUT_A_B": " x ", INPUT_FLAG: "TRUE", INPUT_ODD: "yes", INPUT_LINES: "a\n\n b \n", STATE_s: "kept", RUNNER_DEBUG: "1" });
  const calls = [
    () => core.getInput("a b"),
    () => core.getInput("a b", { trimWhitespace: false }),
    () => core.getInput("none", { required: true }),
    () => core.getBooleanInput("flag"),
    () => core.getBooleanInput("odd"),
    () => core.getMultilineInput("lines"),
    () => core.getMultilineInput("lines", { trimWhitespace: false }),
    () => core.getState("s"),
    () => core.isDebug(),
    () => core.info("plain"),
    () => core.debug("a%b\r\nc"),
    () => core.notice("n", { title: "a:b,c", file: "f", startLine: 1, endLine: 2, startColumn: 3, endColumn: 4 }),
    () => core.warning(new Error("w")),
    () => core.error("e", { startLine: 5 }),
    () => core.setSecret("hush"),
    () => core.startGroup("g"),
    () => core.endGroup(),
    () => core.setCommandEcho(true),
    () => core.toPosixPath("a\\b"),
    () => core.toWin32Path("a/b"),
    () =>
      core.summary
        .addHeading("h")
        .addHeading("h", 3)
        .addRaw("raw", true)
        .addCodeBlock("x", "js")
        .addList(["a", "b"], true)
        .addTable([[{ data: "h", header: true }, { data: "w", colspan: "2" }], ["1", "2"]])
        .addDetails("l", "c")
        .addImage("s", "a", { width: "1" })
        .addSeparator()
        .addBreak()
        .addQuote("q", "c")
        .addLink("t", "h")
        .stringify(),
  ];
  calls.forEach(attempt);
  process.stdout.write = write;
  return heard;
}

async function main() {
  const differences = [];
  let count = 0;
  const unknown = [];
  const [real, ours] = [recording(), recording()];
  const theirClient = github.getOctokit("t0ken", { request: { fetch: real.fetch }, baseUrl: base, log: { debug() {}, info() {}, warn() {}, error() {} } });
  const ourClient = own.getOctokit("t0ken", { request: { fetch: ours.fetch }, baseUrl: base, log: { warn() {} } });
  const compare = async (name, call) => {
    real.sent.length = 0;
    ours.sent.length = 0;
    const outcome = async (client) => call(client).then((value) => JSON.stringify(value && value.data), (error) => `${error.name}: ${error.message}`);
    const [theirs, mine] = [await outcome(theirClient), await outcome(ourClient)];
    count += 1;
    if (theirs !== mine || real.sent.join("\n") !== ours.sent.join("\n")) {
      differences.push({ name, real: [theirs, ...real.sent], ours: [mine, ...ours.sent] });
    }
  };
  // Classic projects are gone; what has their name now are the newer ones.
  const changed = ["projects.listForOrg", "projects.listForUser"];
  for (const [namespace, methods] of Object.entries(theirClient.rest)) {
    for (const name of Object.keys(methods)) {
      const route = theirClient.rest[namespace][name].endpoint.DEFAULTS.url;
      if (changed.includes(`${namespace}.${name}`)) continue;
      if (!(name in ourClient.rest[namespace])) {
        unknown.push(`${namespace}.${name}`);
        continue;
      }
      await compare(`${namespace}.${name}`, (client) => client.rest[namespace][name](parameters(route)));
    }
  }
  const [theirCore, ourCore] = [said(require("@actions/core")), said(require(path.join(process.argv[2], "core.js")))];
  theirCore.forEach((line, index) => {
    count += 1;
    if (line !== ourCore[index]) differences.push({ name: "core", real: line, ours: ourCore[index] });
  });
  const owner = { owner: "o", repo: "r" };
  await compare("request", (client) => client.request("POST /repos/{owner}/{repo}/labels", { ...owner, name: "x", headers: { "X-A": "1" } }));
  await compare("request of options", (client) => client.request({ method: "PATCH", url: "/repos/:owner/:repo", ...owner }));
  await compare("media type", (client) => client.rest.pulls.get({ ...owner, pull_number: 1, mediaType: { format: "diff" } }));
  await compare("absolute", (client) => client.request("GET https://other.example/x{?a,b}", { a: "1 2", b: 3, c: "d" }));
  await compare("data", (client) => client.request("PUT /x", { data: "raw", headers: { "content-type": "text/plain" } }));
  await compare("put without body", (client) => client.request("PUT /x"));
  await compare("paginate", async (client) => ({ data: await client.paginate(client.rest.issues.listComments, { ...owner, issue_number: 1 }) }));
  await compare("paginate route", async (client) => ({ data: await client.paginate("GET /repos/{owner}/{repo}/pulls", owner, (answer) => answer.data) }));
  await compare("graphql", async (client) => ({ data: await client.graphql("query($a: Int) { b }", { a: 1 }) }));
  await compare("graphql with a wrong variable", async (client) => client.graphql("{ b }", { url: 1 }));
  console.log(JSON.stringify({ count, unknown, differences: differences.slice(0, 20), different: differences.length }));
}

main();
