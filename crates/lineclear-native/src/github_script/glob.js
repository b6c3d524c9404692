// `glob`, as the toolkit's package of that name has it: `*`, `?`, `[…]`, `**` and `!`.
"use strict";

const crypto = require("crypto");
const fs = require("fs");
const os = require("os");
const path = require("path");

function segment(text) {
  let out = "";
  for (let at = 0; at < text.length; at += 1) {
    const c = text[at];
    const end = c === "[" ? text.indexOf("]", at + 2) : -1;
    if (c === "\\" && at + 1 < text.length) out += text[(at += 1)].replace(/[^\w]/g, "\\$&");
    else if (c === "*") out += "[^/]*";
    else if (c === "?") out += "[^/]";
    else if (end > 0) {
      out += `[${text.slice(at + 1, end).replace(/^!/, "^").replace(/\\/g, "\\\\")}]`;
      at = end;
    } else out += c.replace(/[^\w]/g, "\\$&");
  }
  return out;
}

class Pattern {
  constructor(text, root) {
    const stripped = text.replace(/^!+/, "");
    this.negate = (text.length - stripped.length) % 2 === 1;
    let full = stripped;
    if (full === "~" || full.startsWith("~/")) full = os.homedir() + full.slice(1);
    if (!path.isAbsolute(full)) full = path.join(root, full);
    if (stripped.split("/").some((part, index) => part === ".." || (part === "." && index > 0))) {
      throw new Error(`Invalid pattern '${stripped}'. Relative pathing '.' and '..' is not allowed.`);
    }
    const isFolder = full.endsWith("/");
    const segments = full.split("/").filter((part) => part !== "" && part !== ".");
    const literal = segments.findIndex((part) => /[*?[]/.test(part));
    this.searchPath = `/${(literal < 0 ? segments : segments.slice(0, literal)).join("/")}`;
    const body = segments.map((part) => (part === "**" ? "(?:/[^/]+)*" : `/${segment(part)}`)).join("");
    this.exact = new RegExp(`^${body || "/"}$`);
    this.below = new RegExp(`^${body}/`);
    this.isFolder = isFolder;
  }

  matches(file, isFolder, implicit) {
    if (this.exact.test(file)) return !this.isFolder || isFolder;
    return implicit && this.below.test(file);
  }
}

class Globber {
  constructor(patterns, options) {
    this.options = { followSymbolicLinks: true, implicitDescendants: true, matchDirectories: true, omitBrokenSymbolicLinks: true, excludeHiddenFiles: false, ...options };
    this.patterns = patterns
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line && !line.startsWith("#"))
      .map((line) => new Pattern(line, process.cwd()));
  }

  getSearchPaths() {
    const all = [...new Set(this.patterns.filter((one) => !one.negate).map((one) => one.searchPath))];
    return all.filter((one) => !all.some((other) => other !== one && one.startsWith(other === "/" ? "/" : `${other}/`)));
  }

  async glob() {
    const all = [];
    for await (const file of this.globGenerator()) all.push(file);
    return all;
  }

  async *globGenerator() {
    for (const start of this.getSearchPaths()) yield* this.walk(start, []);
  }

  async *walk(file, above) {
    const { followSymbolicLinks, implicitDescendants, matchDirectories, omitBrokenSymbolicLinks, excludeHiddenFiles } = this.options;
    if (excludeHiddenFiles && path.basename(file).startsWith(".")) return;
    let stat;
    try {
      stat = await (followSymbolicLinks ? fs.promises.stat(file) : fs.promises.lstat(file));
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
      stat = await fs.promises.lstat(file).catch(() => undefined);
      if (!stat) return;
      if (!omitBrokenSymbolicLinks) throw new Error(`No information found for the path '${file}'. This may indicate a broken symbolic link.`);
      return;
    }
    const isFolder = stat.isDirectory();
    let matched = false;
    for (const one of this.patterns) {
      if (one.matches(file, isFolder, implicitDescendants)) matched = !one.negate;
    }
    if (matched && (!isFolder || matchDirectories)) yield file;
    if (!isFolder) return;
    const real = followSymbolicLinks ? await fs.promises.realpath(file) : file;
    if (above.includes(real)) return;
    for (const name of (await fs.promises.readdir(file)).sort()) yield* this.walk(path.join(file, name), [...above, real]);
  }
}

async function create(patterns, options) {
  return new Globber(patterns, options);
}

async function hashFiles(patterns, currentWorkspace = "", options, verbose = false) {
  const say = verbose ? console.log : () => {};
  const workspace = currentWorkspace || process.env.GITHUB_WORKSPACE || process.cwd();
  const whole = crypto.createHash("sha256");
  let has = false;
  const globber = new Globber(patterns, { followSymbolicLinks: options ? options.followSymbolicLinks !== false : true });
  for await (const file of globber.globGenerator()) {
    if (!file.startsWith(`${workspace}${path.sep}`)) {
      say(`Ignore '${file}' since it is not under GITHUB_WORKSPACE.`);
      continue;
    }
    if (fs.statSync(file).isDirectory()) continue;
    whole.update(crypto.createHash("sha256").update(await fs.promises.readFile(file)).digest());
    has = true;
  }
  return has ? whole.digest("hex") : "";
}

module.exports = { create, hashFiles };
