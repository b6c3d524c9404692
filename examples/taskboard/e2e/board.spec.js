import { expect, test } from "@playwright/test";

// Each test has tasks of its own by their title, so it may run against a board that is in use.
const unique = (title) => `${title} ${Date.now()}-${Math.floor(Math.random() * 1e6)}`;

async function add(page, title) {
  await page.getByLabel("New task").fill(title);
  await page.getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("region", { name: "To do" }).getByText(title)).toBeVisible();
}

test("the board opens with its three columns @quick", async ({ page }) => {
  await page.goto("/");
  await expect(page).toHaveTitle("Taskboard");
  for (const name of ["To do", "Doing", "Done"]) {
    await expect(page.getByRole("region", { name })).toBeVisible();
  }
});

test("a new task is there after a reload @quick", async ({ page }) => {
  const title = unique("Water the beans");
  await page.goto("/");
  await add(page, title);
  await page.reload();
  await expect(page.getByText(title)).toBeVisible();
  await page.getByRole("button", { name: `Remove ${title}` }).click();
  await expect(page.getByText(title)).toBeHidden();
});

test("a task goes through all columns", async ({ page }) => {
  const title = unique("Paint the fence");
  await page.goto("/");
  await add(page, title);
  for (const name of ["Doing", "Done"]) {
    await page.getByRole("button", { name: `Move ${title} on` }).click();
    await expect(page.getByRole("region", { name, exact: true }).getByText(title)).toBeVisible();
  }
  await expect(page.getByRole("button", { name: `Move ${title} on` })).toBeHidden();
});

test("an empty title adds nothing", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("region", { name: "To do" })).toBeVisible();
  const cards = await page.getByRole("listitem").count();
  await page.getByLabel("New task").fill("   ");
  await page.getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("listitem")).toHaveCount(cards);
});
