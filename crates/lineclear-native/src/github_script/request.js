// One request of the API: from a route and its parameters to an address, headers and a body, and to the answer or its error.
"use strict";

class RequestError extends Error {
  constructor(message, status, { request, response, cause }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "HttpError";
    this.status = Number.isNaN(Number.parseInt(status, 10)) ? 0 : Number.parseInt(status, 10);
    if (response) this.response = response;
    const headers = { ...request.headers };
    if (headers.authorization) headers.authorization = headers.authorization.replace(/(?<! ) .*$/, " [REDACTED]");
    this.request = { ...request, headers };
    this.request.url = request.url
      .replace(/\bclient_secret=\w+/g, "client_secret=[REDACTED]")
      .replace(/\baccess_token=\w+/g, "access_token=[REDACTED]");
  }
}

function isPlain(value) {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

// Options over defaults; plain objects one level deeper, too. What is undefined is as if not given.
function merge(defaults, route, options) {
  let given = route;
  if (typeof route === "string") {
    const [method, url] = route.trim().split(" ");
    given = { ...(url ? { method, url } : { url: method }), ...options };
  }
  const merged = { ...defaults };
  for (const [key, value] of Object.entries(given || {})) {
    if (value === undefined) {
      delete merged[key];
      continue;
    }
    merged[key] = isPlain(value) && isPlain(defaults[key]) ? { ...defaults[key], ...value } : value;
  }
  merged.headers = Object.fromEntries(
    Object.entries(merged.headers || {})
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name.toLowerCase(), value]),
  );
  return merged;
}

function encode(value) {
  return encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

// RFC 6570, as far as the API's templates go: `{a}`, `{+a}`, `{/a}`, `{?a,b}`, `{&a}`.
function expand(template, parameters) {
  return template.replace(/\{([^{}]+)\}/g, (_, expression) => {
    const operator = /^[+?&/#.;]/.test(expression) ? expression[0] : "";
    const names = (operator ? expression.slice(1) : expression).split(",").map((name) => name.replace(/(:\d+|\*)$/, ""));
    const parts = [];
    for (const name of names) {
      const value = parameters[name];
      if (value === undefined || value === null) continue;
      const one = (item) => (operator === "+" || operator === "#" ? encodeURI(item) : encode(item));
      const many = Array.isArray(value) ? value.map(one).join(",") : one(value);
      parts.push(operator === "?" || operator === "&" ? `${encode(name)}=${many}` : many);
    }
    if (parts.length === 0) return "";
    const [first, between] =
      { "": ["", ","], "+": ["", ","], "?": ["?", "&"], "&": ["&", "&"], "/": ["/", "/"], "#": ["#", ","] }[operator] || ["", ","];
    return first + parts.join(between);
  });
}

function names(template) {
  return [...template.matchAll(/\{([^{}]+)\}/g)].flatMap(([, inner]) =>
    inner.replace(/^[+?&/#.;]/, "").split(",").map((name) => name.replace(/(:\d+|\*)$/, "")),
  );
}

function withQuery(url, parameters) {
  const given = Object.keys(parameters);
  if (given.length === 0) return url;
  const query = given.map((name) =>
    name === "q"
      ? `q=${String(parameters.q).split("+").map(encodeURIComponent).join("+")}`
      : `${name}=${encodeURIComponent(parameters[name])}`,
  );
  return `${url}${url.includes("?") ? "&" : "?"}${query.join("&")}`;
}

// What is to be sent.
function parse(options) {
  const method = (options.method || "GET").toUpperCase();
  let url = (options.url || "/").replace(/:([a-z]\w+)/g, "{$1}");
  const headers = { ...options.headers };
  const parameters = { ...options };
  for (const known of ["method", "baseUrl", "url", "headers", "request", "mediaType"]) delete parameters[known];
  const inUrl = names(url);
  url = expand(url, parameters);
  if (!/^http/.test(url)) url = options.baseUrl + url;
  for (const name of [...inUrl, "baseUrl"]) delete parameters[name];
  const format = options.mediaType && options.mediaType.format;
  if (!/application\/octet-stream/i.test(headers.accept || "") && format) {
    headers.accept = headers.accept
      .split(",")
      .map((one) => one.replace(/application\/vnd(\.\w+)(\.v3)?(\.\w+)?(\+json)?$/, `application/vnd$1$2.${format}`))
      .join(",");
  }
  const previews = (options.mediaType && options.mediaType.previews) || [];
  if (previews.length > 0 && !format) {
    const named = previews.map((preview) => `application/vnd.github.${preview.replace(/-preview$/, "")}-preview+json`);
    headers.accept = [...new Set([...named, headers.accept])].join(",");
  }
  let body;
  if (method === "GET" || method === "HEAD") {
    url = withQuery(url, parameters);
  } else if ("data" in parameters) {
    body = parameters.data;
  } else if (Object.keys(parameters).length > 0) {
    body = parameters;
  }
  if (!headers["content-type"] && body !== undefined) headers["content-type"] = "application/json; charset=utf-8";
  if (["PATCH", "PUT"].includes(method) && body === undefined) body = "";
  return { method, url, headers, ...(body !== undefined && { body }), ...(options.request && { request: options.request }) };
}

function errorMessage(data) {
  if (typeof data === "string") return data;
  if (data instanceof ArrayBuffer || data === null || data === undefined) return "Unknown error";
  if ("message" in data) {
    const suffix = "documentation_url" in data ? ` - ${data.documentation_url}` : "";
    return Array.isArray(data.errors)
      ? `${data.message}: ${data.errors.map((value) => JSON.stringify(value)).join(", ")}${suffix}`
      : `${data.message}${suffix}`;
  }
  return `Unknown error: ${JSON.stringify(data)}`;
}

async function content(response) {
  const type = response.headers.get("content-type") || "";
  if (/^application\/(.*\+)?json\b/i.test(type)) {
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }
  if (/^text\/|charset=utf-8/i.test(type)) return response.text();
  return response.arrayBuffer();
}

async function send(sent, log) {
  const own = sent.request || {};
  const call = own.fetch || globalThis.fetch;
  if (typeof call !== "function") throw new Error("this Node has no `fetch`: github-script needs Node 18 or later");
  const body = isPlain(sent.body) || Array.isArray(sent.body) ? JSON.stringify(sent.body) : sent.body;
  const headers = Object.fromEntries(Object.entries(sent.headers).map(([name, value]) => [name, String(value)]));
  let answer;
  try {
    answer = await call(sent.url, {
      method: sent.method,
      body,
      headers,
      redirect: own.redirect,
      signal: own.signal,
      ...(body && typeof body === "object" && "pipe" in body && { duplex: "half" }),
    });
  } catch (error) {
    if (error && error.name === "AbortError") {
      error.status = 500;
      throw error;
    }
    const cause = error && error.cause;
    const message = cause && cause.message ? cause.message : (error && error.message) || "Unknown error";
    throw new RequestError(message, 500, { request: sent, cause: error });
  }
  const response = { url: answer.url, status: answer.status, headers: Object.fromEntries(answer.headers), data: "" };
  if (response.headers.deprecation) {
    const told = `[@octokit/request] "${sent.method} ${sent.url}" is deprecated. It is scheduled to be removed on ${response.headers.sunset}`;
    log.warn(told);
  }
  if (answer.status === 204 || answer.status === 205) return response;
  if (sent.method === "HEAD") {
    if (answer.status < 400) return response;
    throw new RequestError(answer.statusText, answer.status, { response, request: sent });
  }
  response.data = await content(answer);
  if (answer.status === 304) throw new RequestError("Not modified", 304, { response, request: sent });
  if (answer.status >= 400) {
    throw new RequestError(errorMessage(response.data), answer.status, { response, request: sent });
  }
  return response;
}

module.exports = { RequestError, merge, parse, send };
