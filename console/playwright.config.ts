import { defineConfig } from '@playwright/test'

const port = Number(process.env.CONSOLE_TEST_PORT ?? 4173)
const journeys = process.env.BSS_BASE_URL
const browser = { launchOptions: { executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] } }

// `states` answers every call in the test; `journeys` needs a running server at BSS_BASE_URL.
export default defineConfig({
  workers: 2,
  // A laden machine may take its time; a state that never comes is still found.
  timeout: 90_000,
  expect: { timeout: 15_000 },
  fullyParallel: true,
  projects: [
    { name: 'states', testDir: 'e2e/states', use: { ...browser, baseURL: `http://127.0.0.1:${port}` } },
    { name: 'journeys', testDir: 'e2e/journeys', use: { ...browser, baseURL: journeys, actionTimeout: 15_000 } },
  ],
  webServer: journeys ? undefined : { command: `node e2e/support/serve.mjs ${port}`, port },
})
