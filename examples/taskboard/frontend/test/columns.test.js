import { expect, test } from "vitest";
import { columns, next } from "../src/columns.js";

test("tasks stand in the column of their state, those due first on top", () => {
  const shown = columns([
    { id: 1, state: "open", due: null },
    { id: 2, state: "done", due: null },
    { id: 3, state: "open", due: "2024-02-29" },
    { id: 4, state: "open", due: "2024-01-31" },
  ]);
  expect(shown.map((column) => column.tasks.map((task) => task.id))).toEqual([[4, 3, 1], [], [2]]);
});

test("a task moves on until it is done", () => {
  expect([next("open"), next("doing"), next("done")]).toEqual(["doing", "done", null]);
});
