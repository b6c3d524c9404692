// `io`, as the toolkit's package of that name has it.
"use strict";

const fs = require("fs");
const path = require("path");

async function exists(file) {
  return fs.promises.access(file).then(() => true, () => false);
}

async function mkdirP(folder) {
  if (!folder) throw new Error("a path argument must be provided");
  await fs.promises.mkdir(folder, { recursive: true });
}

async function rmRF(target) {
  await fs.promises.rm(target, { force: true, maxRetries: 3, recursive: true, retryDelay: 300 });
}

async function cp(source, target, options = {}) {
  const force = options.force ?? true;
  const intoFolder = options.copySourceDirectory ?? true;
  const there = await fs.promises.stat(target).catch(() => undefined);
  if (there && there.isFile() && !force) return;
  const to = there && there.isDirectory() && intoFolder ? path.join(target, path.basename(source)) : target;
  if (!(await exists(source))) throw new Error(`no such file or directory: ${source}`);
  if ((await fs.promises.stat(source)).isDirectory()) {
    if (!options.recursive) throw new Error(`Failed to copy. ${source} is a directory, but tried to copy without recursive flag.`);
    await fs.promises.cp(source, to, { recursive: true, force });
    return;
  }
  if (path.relative(source, to) === "") throw new Error(`'${to}' and '${source}' are the same file`);
  await fs.promises.copyFile(source, to, force ? 0 : fs.constants.COPYFILE_EXCL).catch((error) => {
    if (force || error.code !== "EEXIST") throw error;
  });
}

async function mv(source, target, options = {}) {
  const force = options.force ?? true;
  let to = target;
  if (await exists(target)) {
    if ((await fs.promises.stat(target)).isDirectory()) to = path.join(target, path.basename(source));
    if (await exists(to)) {
      if (!force) throw new Error("Destination already exists");
      await rmRF(to);
    }
  }
  await mkdirP(path.dirname(to));
  await fs.promises.rename(source, to);
}

async function findInPath(tool) {
  if (!tool) throw new Error("parameter 'tool' is required");
  const folders = tool.includes("/") ? [] : (process.env.PATH || "").split(path.delimiter).filter(Boolean);
  const candidates = tool.includes("/") ? [tool] : folders.map((folder) => path.join(folder, tool));
  const found = [];
  for (const file of candidates) {
    const stat = await fs.promises.stat(file).catch(() => undefined);
    if (stat && stat.isFile() && (stat.mode & 0o111) !== 0) found.push(file);
  }
  return found;
}

async function which(tool, check) {
  const [found] = await findInPath(tool);
  if (found) return found;
  if (!check) return "";
  throw new Error(
    `Unable to locate executable file: ${tool}. Please verify either the file path exists or the file can be found within a directory specified by the PATH environment variable. Also check the file mode to verify the file is executable.`,
  );
}

module.exports = { cp, mv, rmRF, mkdirP, which, findInPath };
