import { createServer } from "node:http";

import { escapeHtml, greet, languages } from "./greeting.js";

const page = (greeting) => `<!doctype html>
<html lang="en">
<title>Greetings</title>
<form>
  <label>Name <input name="name"></label>
  <label>Language <select name="language">${languages.map((language) => `<option>${language}</option>`).join("")}</select></label>
  <button>Greet</button>
</form>
<p role="status">${escapeHtml(greeting)}</p>
</html>
`;

/** The service: `/` greets, `/healthz` says that it is alive. */
export function service() {
  return createServer((request, response) => {
    const url = new URL(request.url, "http://localhost");
    if (url.pathname === "/healthz") {
      response.writeHead(200, { "content-type": "application/json" }).end('{"status":"ok"}');
      return;
    }
    if (url.pathname !== "/") {
      response.writeHead(404).end("not found");
      return;
    }
    try {
      const greeting = greet(url.searchParams.get("name") ?? "", url.searchParams.get("language") ?? "en");
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page(greeting));
    } catch (error) {
      response.writeHead(400, { "content-type": "text/plain" }).end(error.message);
    }
  });
}
