import { defineConfig } from "@playwright/test";

const isCi = Boolean(process.env.CI);
const port = Number(process.env.PORT ?? 4173);

export default defineConfig({
  testDir: "e2e",
  // On CI a flake is retried and counted; at the desk it fails at once.
  retries: isCi ? 2 : 0,
  workers: isCi ? 2 : undefined,
  maxFailures: isCi ? 5 : 0,
  reporter: [["list"], ["html", { open: "never" }], ["json", { outputFile: "test-results/results.json" }]],
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      // A browser that is installed already, such as Debian's; without it, Playwright's own.
      executablePath: process.env.CHROMIUM_PATH || undefined,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    },
  },
  webServer: { command: `npm start`, env: { PORT: String(port) }, url: `http://127.0.0.1:${port}/healthz` },
});
