import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  server: {
    // Behind the proxy of the compose stack the page is asked for under other names.
    allowedHosts: true,
    // At the desk, without that proxy: the API of `manage.py runserver`.
    proxy: { "/api": process.env.API_URL ?? "http://127.0.0.1:8000" },
  },
  build: { sourcemap: true },
  test: { environment: "jsdom", include: ["test/**/*.test.{js,jsx}"] },
});
