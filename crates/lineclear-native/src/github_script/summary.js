// The job summary's builder, as `core.summary` has it.
"use strict";

const fs = require("fs");
const os = require("os");

class Summary {
  constructor() {
    this._buffer = "";
  }

  filePath() {
    const file = process.env.GITHUB_STEP_SUMMARY;
    if (!file) {
      throw new Error(
        "Unable to find environment variable for $GITHUB_STEP_SUMMARY. Check if your runtime environment supports job summaries.",
      );
    }
    try {
      fs.accessSync(file, fs.constants.R_OK | fs.constants.W_OK);
    } catch {
      throw new Error(`Unable to access summary file: '${file}'. Check if the file has correct read/write permissions.`);
    }
    return file;
  }

  wrap(tag, content, attributes = {}) {
    const given = Object.entries(attributes)
      .map(([key, value]) => ` ${key}="${value}"`)
      .join("");
    return content ? `<${tag}${given}>${content}</${tag}>` : `<${tag}${given}>`;
  }

  async write(options) {
    const write = options && options.overwrite ? fs.writeFileSync : fs.appendFileSync;
    write(this.filePath(), this._buffer, { encoding: "utf8" });
    return this.emptyBuffer();
  }

  async clear() {
    return this.emptyBuffer().write({ overwrite: true });
  }

  stringify() {
    return this._buffer;
  }

  isEmptyBuffer() {
    return this._buffer.length === 0;
  }

  emptyBuffer() {
    this._buffer = "";
    return this;
  }

  addRaw(text, addEOL = false) {
    this._buffer += text;
    return addEOL ? this.addEOL() : this;
  }

  addEOL() {
    return this.addRaw(os.EOL);
  }

  addCodeBlock(code, lang) {
    return this.addRaw(this.wrap("pre", this.wrap("code", code), lang ? { lang } : {})).addEOL();
  }

  addList(items, ordered = false) {
    const list = items.map((item) => this.wrap("li", item)).join("");
    return this.addRaw(this.wrap(ordered ? "ol" : "ul", list)).addEOL();
  }

  addTable(rows) {
    const cell = (cell) => {
      if (typeof cell === "string") return this.wrap("td", cell);
      const { header, data, colspan, rowspan } = cell;
      const attributes = { ...(colspan && { colspan }), ...(rowspan && { rowspan }) };
      return this.wrap(header ? "th" : "td", data, attributes);
    };
    const body = rows.map((row) => this.wrap("tr", row.map(cell).join(""))).join("");
    return this.addRaw(this.wrap("table", body)).addEOL();
  }

  addDetails(label, content) {
    return this.addRaw(this.wrap("details", this.wrap("summary", label) + content)).addEOL();
  }

  addImage(src, alt, options) {
    const { width, height } = options || {};
    const attributes = { src, alt, ...(width && { width }), ...(height && { height }) };
    return this.addRaw(this.wrap("img", null, attributes)).addEOL();
  }

  addHeading(text, level) {
    const tag = `h${level}`;
    return this.addRaw(this.wrap(["h1", "h2", "h3", "h4", "h5", "h6"].includes(tag) ? tag : "h1", text)).addEOL();
  }

  addSeparator() {
    return this.addRaw(this.wrap("hr", null)).addEOL();
  }

  addBreak() {
    return this.addRaw(this.wrap("br", null)).addEOL();
  }

  addQuote(text, cite) {
    return this.addRaw(this.wrap("blockquote", text, cite ? { cite } : {})).addEOL();
  }

  addLink(text, href) {
    return this.addRaw(this.wrap("a", text, { href })).addEOL();
  }
}

module.exports = { Summary };
