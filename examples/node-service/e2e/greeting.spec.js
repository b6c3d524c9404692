import { expect, test } from "@playwright/test";

test("a visitor is greeted by name @quick", async ({ page }) => {
  await page.goto("/");
  await page.getByLabel("Name").fill("Grace");
  await page.getByRole("button", { name: "Greet" }).click();
  await expect(page.getByRole("status")).toHaveText("Hello, Grace!");
});

test("a visitor chooses the language", async ({ page }) => {
  await page.goto("/");
  await page.getByLabel("Language").selectOption("fr");
  await page.getByRole("button", { name: "Greet" }).click();
  await expect(page.getByRole("status")).toHaveText("Bonjour, stranger!");
});

test("a wrong language is refused", async ({ request }) => {
  expect((await request.get("/?language=xx")).status()).toBe(400);
});
