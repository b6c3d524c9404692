// `core`, as the toolkit's package of that name has it: inputs, outputs, commands, the summary.
"use strict";

const fs = require("fs");
const os = require("os");
const path = require("path");
const { randomUUID } = require("crypto");
const { Summary } = require("./summary");

const ExitCode = { Success: 0, Failure: 1 };

function text(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "string" || value instanceof String) return String(value);
  return JSON.stringify(value);
}

function data(value) {
  return text(value).replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

function property(value) {
  return data(value).replace(/:/g, "%3A").replace(/,/g, "%2C");
}

function issueCommand(command, properties, message) {
  const given = Object.entries(properties || {})
    .filter(([, value]) => value)
    .map(([key, value]) => `${key}=${property(value)}`)
    .join(",");
  process.stdout.write(`::${command}${given ? ` ${given}` : ""}::${data(message)}${os.EOL}`);
}

function fileCommand(command, message) {
  const file = process.env[`GITHUB_${command}`];
  if (!fs.existsSync(file)) throw new Error(`Missing file at path: ${file}`);
  fs.appendFileSync(file, `${text(message)}${os.EOL}`, { encoding: "utf8" });
}

function keyValue(key, value) {
  const delimiter = `ghadelimiter_${randomUUID()}`;
  return `${key}<<${delimiter}${os.EOL}${text(value)}${os.EOL}${delimiter}`;
}

function getInput(name, options) {
  const value = process.env[`INPUT_${name.replace(/ /g, "_").toUpperCase()}`] || "";
  if (options && options.required && !value) throw new Error(`Input required and not supplied: ${name}`);
  return options && options.trimWhitespace === false ? value : value.trim();
}

function getMultilineInput(name, options) {
  const lines = getInput(name, options).split("\n").filter((line) => line !== "");
  return options && options.trimWhitespace === false ? lines : lines.map((line) => line.trim());
}

function getBooleanInput(name, options) {
  const value = getInput(name, options);
  if (["true", "True", "TRUE"].includes(value)) return true;
  if (["false", "False", "FALSE"].includes(value)) return false;
  throw new TypeError(
    `Input does not meet YAML 1.2 "Core Schema" specification: ${name}\n` +
      "Support boolean input list: `true | True | TRUE | false | False | FALSE`",
  );
}

function setOutput(name, value) {
  if (process.env.GITHUB_OUTPUT) return fileCommand("OUTPUT", keyValue(name, value));
  process.stdout.write(os.EOL);
  return issueCommand("set-output", { name }, value);
}

function saveState(name, value) {
  if (process.env.GITHUB_STATE) return fileCommand("STATE", keyValue(name, value));
  return issueCommand("save-state", { name }, value);
}

function exportVariable(name, value) {
  process.env[name] = text(value);
  if (process.env.GITHUB_ENV) return fileCommand("ENV", keyValue(name, value));
  return issueCommand("set-env", { name }, value);
}

function addPath(folder) {
  if (process.env.GITHUB_PATH) fileCommand("PATH", folder);
  else issueCommand("add-path", {}, folder);
  process.env.PATH = `${folder}${path.delimiter}${process.env.PATH}`;
}

function annotation(command) {
  return (message, properties = {}) => {
    const { title, file, startLine, endLine, startColumn, endColumn } = properties;
    const given = { title, file, line: startLine, endLine, col: startColumn, endColumn };
    issueCommand(command, given, message instanceof Error ? message.toString() : message);
  };
}

const error = annotation("error");

function setFailed(message) {
  process.exitCode = ExitCode.Failure;
  error(message);
}

async function group(name, run) {
  issueCommand("group", {}, name);
  try {
    return await run();
  } finally {
    issueCommand("endgroup", {}, "");
  }
}

async function getIDToken(audience) {
  const address = process.env.ACTIONS_ID_TOKEN_REQUEST_URL;
  const token = process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN;
  try {
    if (!token) throw new Error("Unable to get ACTIONS_ID_TOKEN_REQUEST_TOKEN env variable");
    if (!address) throw new Error("Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable");
    const url = audience ? `${address}&audience=${encodeURIComponent(audience)}` : address;
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}`, accept: "application/json" } });
    if (!response.ok) {
      throw new Error(`Failed to get ID Token. \n \n        Error Code : ${response.status}\n \n        Error Message: ${await response.text()}`);
    }
    const { value } = await response.json();
    if (!value) throw new Error("Response json body do not have ID Token field");
    issueCommand("add-mask", {}, value);
    return value;
  } catch (cause) {
    throw new Error(`Error message: ${cause.message}`);
  }
}

const summary = new Summary();

module.exports = {
  ExitCode,
  getInput,
  getMultilineInput,
  getBooleanInput,
  setOutput,
  setCommandEcho: (enabled) => issueCommand("echo", {}, enabled ? "on" : "off"),
  setFailed,
  isDebug: () => process.env.RUNNER_DEBUG === "1",
  debug: (message) => issueCommand("debug", {}, message),
  error,
  warning: annotation("warning"),
  notice: annotation("notice"),
  info: (message) => void process.stdout.write(message + os.EOL),
  startGroup: (name) => issueCommand("group", {}, name),
  endGroup: () => issueCommand("endgroup", {}, ""),
  group,
  saveState,
  getState: (name) => process.env[`STATE_${name}`] || "",
  exportVariable,
  setSecret: (secret) => issueCommand("add-mask", {}, secret),
  addPath,
  getIDToken,
  summary,
  markdownSummary: summary,
  toPosixPath: (name) => name.replace(/[\\]/g, "/"),
  toWin32Path: (name) => name.replace(/[/]/g, "\\"),
  toPlatformPath: (name) => name.replace(/[/\\]/g, path.sep),
  platform: {
    platform: os.platform(),
    arch: os.arch(),
    isWindows: os.platform() === "win32",
    isMacOS: os.platform() === "darwin",
    isLinux: os.platform() === "linux",
  },
};
