import { expect, test } from "@playwright/test";

test("the API says that it and its stores are well @quick", async ({ request }) => {
  const answer = await request.get("/api/v1/health/");
  expect(await answer.json()).toEqual({ status: "ok", checks: { database: "ok", redis: "ok" } });
});

test("what is wrong with a task is said by field", async ({ request }) => {
  const answer = await request.post("/api/v1/tasks/", { data: { title: "x", state: "lost" } });
  expect(answer.status()).toBe(400);
  expect(Object.keys((await answer.json()).errors)).toEqual(["state"]);
});

test("the summary counts what is on the board", async ({ request }) => {
  const { counts } = await (await request.get("/api/v1/summary/")).json();
  expect(Object.keys(counts)).toEqual(["open", "doing", "done"]);
});
