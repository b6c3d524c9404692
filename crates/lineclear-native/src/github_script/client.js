// `github`: a client of the API with the shape of Octokit, as scripts use it: `rest`, `request`, `graphql`, `paginate`.
"use strict";

const fs = require("fs");
const path = require("path");
const { RequestError, merge, parse, send } = require("./request");

class GraphqlResponseError extends Error {
  constructor(request, headers, response) {
    super(`Request failed due to following response errors:\n${response.errors.map((e) => ` - ${e.message}`).join("\n")}`);
    this.name = "GraphqlResponseError";
    this.request = request;
    this.headers = headers;
    this.response = response;
    this.errors = response.errors;
    this.data = response.data;
  }
}

const silent = { debug() {}, info() {}, warn: console.warn.bind(console), error: console.error.bind(console) };

// Functions around every request, by kind. Only `request` is a request.
class Hooks {
  constructor() {
    this.wraps = [];
  }

  wrap(_, around) {
    this.wraps.push(around);
  }

  before(_, run) {
    this.wrap("", async (request, options) => {
      await run(options);
      return request(options);
    });
  }

  after(_, run) {
    this.wrap("", async (request, options) => {
      const response = await request(options);
      await run(response, options);
      return response;
    });
  }

  error(_, run) {
    this.wrap("", async (request, options) => {
      try {
        return await request(options);
      } catch (error) {
        return run(error, options);
      }
    });
  }

  run(request, options) {
    return this.wraps.reduce((inner, around) => (given) => around(inner, given), request)(options);
  }
}

// `request`, with `defaults` and `endpoint`, over some default options.
function requester(defaults, call) {
  const request = (route, options) => call(merge(defaults, route, options));
  const endpoint = (route, options) => parse(merge(defaults, route, options));
  endpoint.DEFAULTS = defaults;
  endpoint.merge = (route, options) => merge(defaults, route, options);
  endpoint.parse = parse;
  endpoint.defaults = (more) => requester(merge(defaults, more || {}), call).endpoint;
  request.endpoint = endpoint;
  request.defaults = (more) => requester(merge(defaults, more || {}), call);
  return request;
}

function graphqlOver(request) {
  const graphql = async (query, options) => {
    const given = typeof query === "string" ? { query, ...options } : { ...query };
    if (typeof query === "string" && options) {
      for (const key of ["query", "method", "url"]) {
        if (key in options) throw new Error(`[@octokit/graphql] "${key}" cannot be used as variable name`);
      }
    }
    const sent = {};
    const variables = {};
    for (const [key, value] of Object.entries(given)) {
      if (["method", "baseUrl", "url", "headers", "request", "query", "mediaType", "operationName"].includes(key)) sent[key] = value;
      else variables[key] = value;
    }
    if (Object.keys(variables).length > 0) sent.variables = variables;
    const base = sent.baseUrl || request.endpoint.DEFAULTS.baseUrl;
    const url = /\/api\/v3\/?$/.test(base) ? base.replace(/\/api\/v3\/?$/, "/api/graphql") : "/graphql";
    const response = await request({ method: "POST", url, ...sent });
    if (response.data && response.data.errors) {
      throw new GraphqlResponseError(sent, response.headers, response.data);
    }
    return response.data.data;
  };
  graphql.defaults = (more) => graphqlOver(request.defaults(more));
  graphql.endpoint = request.endpoint;
  return graphql;
}

// Lists that come inside of an object become the answer's data.
function normalized(response) {
  if (!response.data) return { ...response, data: [] };
  const isWrapped = ("total_count" in response.data || "total_commits" in response.data) && !("url" in response.data);
  if (!isWrapped) return response;
  const { incomplete_results, repository_selection, total_count, total_commits, ...rest } = response.data;
  const key = Object.keys(rest)[0];
  const data = rest[key] || [];
  if (incomplete_results !== undefined) data.incomplete_results = incomplete_results;
  if (repository_selection !== undefined) data.repository_selection = repository_selection;
  data.total_count = total_count;
  data.total_commits = total_commits;
  return { ...response, data };
}

function paginator(request) {
  const iterator = (route, parameters) => {
    const isMethod = typeof route === "function";
    const options = isMethod ? route.endpoint(parameters) : request.endpoint(route, parameters);
    const call = isMethod ? route : request;
    let { url } = options;
    return {
      [Symbol.asyncIterator]: () => ({
        async next() {
          if (!url) return { done: true };
          try {
            const response = normalized(await call({ method: options.method, url, headers: options.headers }));
            url = ((response.headers.link || "").match(/<([^<>]+)>;\s*rel="next"/) || [])[1];
            return { value: response };
          } catch (error) {
            // A repository without commits.
            if (error.status !== 409) throw error;
            url = "";
            return { value: { status: 200, headers: {}, data: [] } };
          }
        },
      }),
    };
  };
  const paginate = async (route, parameters, map) => {
    const [given, change] = typeof parameters === "function" ? [undefined, parameters] : [parameters, map];
    let all = [];
    let isDone = false;
    for await (const response of iterator(route, given)) {
      all = all.concat(change ? change(response, () => (isDone = true)) : response.data);
      if (isDone) break;
    }
    return all;
  };
  paginate.iterator = iterator;
  return paginate;
}

// namespace → method → { route, extra }.
function endpoints() {
  const table = new Map();
  for (const line of fs.readFileSync(path.join(__dirname, "endpoints.txt"), "utf8").split("\n")) {
    const found = /^(\w+)\.(\w+) ([A-Z]+ \S+)(?: (.*))?$/.exec(line);
    if (!found) continue;
    const [, namespace, method, route, extra] = found;
    if (!table.has(namespace)) table.set(namespace, new Map());
    table.get(namespace).set(method, { route, extra: extra ? JSON.parse(extra) : {} });
  }
  return table;
}

function restMethod(request, log, called, { route, extra }) {
  const own = request.defaults({ ...(extra.baseUrl && { baseUrl: extra.baseUrl }), ...(extra.headers && { headers: extra.headers }) });
  const change = (parameters) => {
    const options = { ...parameters };
    for (const [name, alias] of Object.entries(extra.renamedParameters || {})) {
      if (!(name in options)) continue;
      log.warn(`"${name}" parameter is deprecated for "octokit.${called}()". Use "${alias}" instead`);
      if (!(alias in options)) options[alias] = options[name];
      delete options[name];
    }
    if (extra.mapToData) {
      options.data = options[extra.mapToData];
      delete options[extra.mapToData];
    }
    return options;
  };
  const given = (parameters) => {
    // What `paginate` asks for is an address already.
    if (parameters && parameters.url && parameters.method) return parameters;
    const [method, usual] = route.split(" ");
    // Routes of older versions, for who gives what they need.
    const older = Object.entries(extra.or || {}).find(([name]) => parameters && name in parameters);
    return { method, url: older ? older[1] : usual, ...change(parameters) };
  };
  const method = async (parameters) => own(given(parameters));
  method.endpoint = (parameters) => own.endpoint(given(parameters));
  const [verb, address] = route.split(" ");
  method.endpoint.DEFAULTS = { ...own.endpoint.DEFAULTS, method: verb, url: address };
  method.endpoint.merge = (parameters) => own.endpoint.merge(given(parameters));
  method.defaults = (more) => restMethod(request.defaults(more), log, called, { route, extra });
  return method;
}

// Asked for by JavaScript itself, and by what prints values; they are no methods.
const NO_METHODS = ["then", "toJSON", "constructor", "inspect", "prototype", "$$typeof", "nodeType"];

function rest(request, log) {
  const table = endpoints();
  const namespaceOf = (namespace, methods) =>
    new Proxy(
      {},
      {
        get(known, name) {
          if (typeof name !== "string" || NO_METHODS.includes(name) || Object.hasOwn(known, name)) return known[name];
          const called = `rest.${namespace}.${name}`;
          const found = methods && methods.get(name);
          if (!found) {
            return async () => {
              throw new Error(
                `the built-in github-script knows no method \`github.${called}\`: check its name, call ` +
                  "`github.request('VERB /path', parameters)`, or use the real action with --no-native-actions",
              );
            };
          }
          known[name] = restMethod(request, log, called, found);
          return known[name];
        },
        has: (_, name) => Boolean(methods && methods.has(name)),
        ownKeys: () => (methods ? [...methods.keys()] : []),
        getOwnPropertyDescriptor: (known, name) =>
          methods && methods.has(name) ? { configurable: true, enumerable: true, writable: true } : undefined,
      },
    );
  const namespaces = {};
  for (const [namespace, methods] of table) namespaces[namespace] = namespaceOf(namespace, methods);
  return new Proxy(namespaces, {
    get: (known, name) =>
      typeof name !== "string" || name in known || NO_METHODS.includes(name) ? known[name] : namespaceOf(name),
  });
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A client. `retry` is `{ enabled, doNotRetry }`, `request.retries` how often.
function getOctokit(token, options = {}, ...plugins) {
  const log = { ...silent, ...options.log };
  const hook = new Hooks();
  const retry = { enabled: false, doNotRetry: [400, 401, 403, 404, 410, 422, 451], ...options.retry };
  const defaults = {
    method: "GET",
    baseUrl: options.baseUrl || process.env.GITHUB_API_URL || "https://api.github.com",
    headers: {
      accept: "application/vnd.github.v3+json",
      "user-agent": options.userAgent || "actions/github-script",
    },
    mediaType: { format: "", previews: options.previews || [] },
    request: { ...options.request },
  };
  if (token) {
    // Installation and job tokens may be JSON web tokens, too; those of apps have three parts and go as bearers.
    const isApp = token.split(/\./).length === 3 && !token.startsWith("gh");
    defaults.headers.authorization = `${isApp ? "bearer" : "token"} ${token}`;
  }
  const once = async (given) => {
    const sent = parse(given);
    const start = Date.now();
    log.debug("request", { ...given, headers: undefined });
    const shown = sent.url.replace(given.baseUrl, "");
    try {
      const response = await send(sent, log);
      log.info(`${sent.method} ${shown} - ${response.status} in ${Date.now() - start}ms`);
      return response;
    } catch (error) {
      log.info(`${sent.method} ${shown} - ${error.status} in ${Date.now() - start}ms`);
      throw error;
    }
  };
  const call = async (given) => {
    const most = (given.request && given.request.retries) ?? (retry.enabled ? 3 : 0);
    for (let tried = 0; ; tried += 1) {
      try {
        return await hook.run(once, given);
      } catch (error) {
        const isFinal = !retry.enabled || tried >= most || !(error.status >= 400) || retry.doNotRetry.includes(error.status);
        if (isFinal) throw error;
        await wait((tried + 1) ** 2 * 1000);
      }
    }
  };
  const request = requester(defaults, call);
  const client = {
    request,
    graphql: graphqlOver(request),
    paginate: paginator(request),
    rest: rest(request, log),
    hook,
    log,
    auth: async () => ({ type: "token", token, tokenType: "oauth" }),
  };
  for (const plugin of plugins.flat()) {
    if (typeof plugin === "function") Object.assign(client, plugin(client, options));
  }
  return client;
}

module.exports = { getOctokit, GraphqlResponseError, RequestError };
