import assert from "node:assert/strict";
import { test } from "node:test";

import { escapeHtml, greet } from "../src/greeting.js";
import { service } from "../src/server.js";

test("a greeting names whom it greets", () => {
  assert.equal(greet("Ada"), "Hello, Ada!");
  assert.equal(greet("  ", "fr"), "Bonjour, stranger!");
});

test("an unknown language is refused with those that there are", () => {
  assert.throws(() => greet("Ada", "xx"), /no greeting in "xx"; there are en, de, fr/);
});

test("text is escaped for HTML", () => {
  assert.equal(escapeHtml("<a&b>"), "&#60;a&#38;b&#62;");
});

test("the service answers", async () => {
  const server = service().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  try {
    assert.deepEqual(await (await fetch(`${base}/healthz`)).json(), { status: "ok" });
    assert.match(await (await fetch(`${base}/?name=<b>`)).text(), /Hello, &#60;b&#62;!/);
    assert.equal((await fetch(`${base}/?language=xx`)).status, 400);
    assert.equal((await fetch(`${base}/nowhere`)).status, 404);
  } finally {
    server.close();
  }
});
