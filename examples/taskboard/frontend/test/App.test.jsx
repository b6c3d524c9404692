import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App } from "../src/App.jsx";

// The API with its tasks in memory.
let tasks;

function answer(status, value) {
  return Promise.resolve(new Response(status === 204 ? null : JSON.stringify(value), { status }));
}

beforeEach(() => {
  tasks = [{ id: 1, title: "Sow", state: "open", due: null }];
  vi.stubGlobal("fetch", (path, { method, body }) => {
    const fields = body && JSON.parse(body);
    if (method === "POST") {
      if (fields.title === "bad") return answer(400, { errors: { title: ["no such task"] } });
      tasks.push({ id: tasks.length + 1, state: "open", due: null, title: fields.title });
      return answer(201, tasks.at(-1));
    }
    const id = Number(path.match(/tasks\/(\d+)\//)?.[1]);
    if (method === "PATCH") Object.assign(tasks.find((task) => task.id === id), fields);
    if (method === "DELETE") tasks = tasks.filter((task) => task.id !== id);
    return method === "GET" ? answer(200, { tasks }) : answer(method === "DELETE" ? 204 : 200, {});
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const column = (name) => within(screen.getByRole("region", { name }));

test("a new task stands in the first column", async () => {
  render(<App />);
  await screen.findByText("Sow");
  fireEvent.change(screen.getByLabelText("New task"), { target: { value: " Water " } });
  fireEvent.click(screen.getByText("Add"));
  expect(await column("To do").findByText("Water")).toBeTruthy();
  expect(screen.getByLabelText("New task").value).toBe("");
});

test("a task moves on, and goes", async () => {
  render(<App />);
  fireEvent.click(await screen.findByLabelText("Move Sow on"));
  expect(await column("Doing").findByText("Sow")).toBeTruthy();
  fireEvent.click(screen.getByLabelText("Remove Sow"));
  await vi.waitFor(() => expect(screen.queryByText("Sow")).toBeNull());
});

test("what the server refuses is said, and the board stays", async () => {
  render(<App />);
  await screen.findByText("Sow");
  fireEvent.change(screen.getByLabelText("New task"), { target: { value: "bad" } });
  fireEvent.click(screen.getByText("Add"));
  expect((await screen.findByRole("alert")).textContent).toBe("title: no such task");
  expect(screen.getByText("Sow")).toBeTruthy();
});
