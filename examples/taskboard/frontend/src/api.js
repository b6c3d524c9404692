// The API as functions; each gives the answer's value or throws an error that a person can read.

async function call(method, path, body) {
  const answer = await fetch(`/api/v1/${path}`, {
    method,
    headers: body ? { "content-type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  if (answer.status === 204) return null;
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const errors = Object.entries(value.errors ?? {}).map(([field, texts]) => `${field}: ${texts.join(", ")}`);
    throw new Error(errors.join("; ") || `the server answered ${answer.status}`);
  }
  return value;
}

export const tasks = {
  list: async () => (await call("GET", "tasks/")).tasks,
  add: (title, board) => call("POST", "tasks/", { title, board }),
  move: (id, state) => call("PATCH", `tasks/${id}/`, { state }),
  remove: (id) => call("DELETE", `tasks/${id}/`),
};
