// Runs the script of `actions/github-script`: what its `main.ts` does, with the client beside this file.
"use strict";

const { createRequire } = require("module");
const path = require("path");
const core = require("./core");
const { Context } = require("./context");
const { getOctokit } = require("./client");

const AsyncFunction = Object.getPrototypeOf(async () => null).constructor;

process.on("unhandledRejection", failed);
main().catch(failed);

// Modules are found from the workspace, as relative paths are.
function workspaceRequire() {
  const here = createRequire(path.join(process.cwd(), "_"));
  return new Proxy(here, {
    apply: (target, self, [name]) => target(name),
    get: (target, name) => target[name],
  });
}

async function main() {
  const token = core.getInput("github-token", { required: true });
  const debug = core.getBooleanInput("debug");
  const previews = core.getInput("previews");
  const retries = parseInt(core.getInput("retries"), 10) || 0;
  const exempt = core.getInput("retry-exempt-status-codes").split(",").filter(Boolean).map((code) => parseInt(code.trim(), 10));
  core.debug(`GitHub client configured with: (retries: ${retries}, retry-exempt-status-code: ${exempt.join()})`);
  const options = {
    log: debug ? console : undefined,
    userAgent: core.getInput("user-agent") || undefined,
    previews: previews ? previews.split(",").map((one) => one.trim()) : undefined,
    baseUrl: core.getInput("base-url") || undefined,
    retry: retries > 0 ? { enabled: true, ...(exempt.length > 0 && { doNotRetry: exempt }) } : { enabled: false },
    request: { retries },
  };
  const github = getOctokit(token, options);
  const script = core.getInput("script", { required: true });
  const given = {
    require: workspaceRequire(),
    __original_require__: require,
    github,
    octokit: github,
    getOctokit: (other, more, ...plugins) => getOctokit(other, { ...options, ...more }, ...plugins),
    context: new Context(),
    core,
    exec: require("./exec"),
    glob: require("./glob"),
    io: require("./io"),
  };
  const result = await new AsyncFunction(...Object.keys(given), script)(...Object.values(given));
  const encoding = core.getInput("result-encoding") || "json";
  if (encoding === "json") core.setOutput("result", JSON.stringify(result));
  else if (encoding === "string") core.setOutput("result", String(result));
  else throw new Error('"result-encoding" must be either "string" or "json"');
}

function failed(error) {
  console.error(error);
  core.setFailed(`Unhandled error: ${error}`);
}
