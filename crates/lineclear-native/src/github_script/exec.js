// `exec`, as the toolkit's package of that name has it.
"use strict";

const { spawn } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");
const io = require("./io");

// A command line in words; double quotes hold words together and `\"` is a quote in them.
function argStringToArray(line) {
  const words = [];
  let word = "";
  let inQuotes = false;
  let escaped = false;
  for (const c of line) {
    if (escaped) {
      word += c === '"' ? c : `\\${c}`;
      escaped = false;
    } else if (c === "\\" && inQuotes) {
      escaped = true;
    } else if (c === '"') {
      inQuotes = !inQuotes;
    } else if (c === " " && !inQuotes) {
      if (word.length > 0) words.push(word);
      word = "";
    } else {
      word += c;
    }
  }
  if (escaped) word += "\\";
  if (word.length > 0) words.push(word.trim());
  return words;
}

function lines(tell) {
  let rest = "";
  return {
    feed(data) {
      const all = (rest + data.toString()).split(os.EOL);
      rest = all.pop();
      all.forEach((line) => tell(line));
    },
    finish() {
      if (rest.length > 0) tell(rest);
    },
  };
}

async function exec(commandLine, args, options = {}) {
  const words = argStringToArray(commandLine);
  if (words.length === 0) throw new Error("Parameter 'commandLine' cannot be null or empty.");
  const all = words.slice(1).concat(args || []);
  let tool = words[0];
  if (!path.isAbsolute(tool) && tool.includes("/")) tool = path.resolve(options.cwd || process.cwd(), tool);
  tool = await io.which(tool, true);
  if (options.cwd && !fs.existsSync(options.cwd)) throw new Error(`The cwd: ${options.cwd} does not exist!`);
  const out = options.outStream || process.stdout;
  const err = options.errStream || process.stderr;
  if (!options.silent) out.write(`[command]${[tool, ...all].join(" ")}${os.EOL}`);
  const listeners = options.listeners || {};
  const outLines = lines((line) => listeners.stdline && listeners.stdline(line));
  const errLines = lines((line) => listeners.errline && listeners.errline(line));
  return new Promise((resolve, reject) => {
    const child = spawn(tool, all, { cwd: options.cwd || process.cwd(), env: options.env || process.env });
    let hasErrors = false;
    child.stdout.on("data", (data) => {
      if (listeners.stdout) listeners.stdout(data);
      if (!options.silent) out.write(data);
      outLines.feed(data);
    });
    child.stderr.on("data", (data) => {
      hasErrors = true;
      if (listeners.stderr) listeners.stderr(data);
      if (!options.silent) (options.failOnStdErr ? err : out).write(data);
      errLines.feed(data);
    });
    child.stdin.on("error", () => {});
    child.stdin.end(options.input);
    child.on("error", (error) => {
      reject(new Error(`There was an error when attempting to execute the process '${tool}'. This may indicate the process failed to start. Error: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      outLines.finish();
      errLines.finish();
      const exitCode = code === null ? 128 + (os.constants.signals[signal] || 0) : code;
      if (exitCode !== 0 && !options.ignoreReturnCode) {
        reject(new Error(`The process '${tool}' failed with exit code ${exitCode}`));
      } else if (hasErrors && options.failOnStdErr) {
        reject(new Error(`The process '${tool}' failed because one or more lines were written to the STDERR stream`));
      } else {
        resolve(exitCode);
      }
    });
  });
}

async function getExecOutput(commandLine, args, options = {}) {
  const outs = [];
  const errs = [];
  const listeners = {
    ...options.listeners,
    stdout: (data) => {
      outs.push(data);
      if (options.listeners && options.listeners.stdout) options.listeners.stdout(data);
    },
    stderr: (data) => {
      errs.push(data);
      if (options.listeners && options.listeners.stderr) options.listeners.stderr(data);
    },
  };
  const exitCode = await exec(commandLine, args, { ...options, listeners });
  return { exitCode, stdout: Buffer.concat(outs).toString(), stderr: Buffer.concat(errs).toString() };
}

module.exports = { exec, getExecOutput, argStringToArray };
