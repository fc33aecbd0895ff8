import AxeBuilder from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'
import { open } from '../support/played'
import { IDS } from '../support/samples'

/** Every page, with what it says while nothing has happened yet. */
const PAGES: [name: string, path: string, empty: RegExp][] = [
  ['home', '/', /No orders yet/],
  ['customers', '/customers', /No customers yet/],
  ['customer', `/customers/${IDS.customer}`, /No products yet/],
  ['sell', `/sell?customer=${IDS.customer}`, /No offerings yet/],
  ['orders', '/orders', /No orders yet/],
  ['order-list', '/orders/list', /No orders yet/],
  ['fallout', '/orders/fallout', /Nothing has fallen out yet/],
  ['order', `/orders/${IDS.order}`, /No steps yet/],
  ['catalog', '/catalog', /No offerings yet/],
  ['prices', '/catalog/prices', /No prices yet/],
  ['offering', `/catalog/${IDS.offering}`, /No prices yet/],
  ['usage', '/usage', /No usage yet/],
  ['usage-record', `/usage/${IDS.usage}`, /Nothing lies below this/],
  ['files', '/usage/files', /No usage files yet/],
  ['file', `/usage/files/${IDS.file}`, /No rejects yet/],
  ['file-new', '/usage/files/new', /No usage sources yet/],
  ['sources', '/usage/sources', /No usage sources yet/],
  ['rejects', '/usage/rejects', /No rejects yet/],
  ['reject', `/usage/rejects/${IDS.reject}`, /Line 0/],
  ['bills', '/billing', /No bills yet/],
  ['bill', `/billing/bills/${IDS.bill}`, /No lines yet/],
  ['bill-partly-paid', `/billing/bills/${IDS.partlyPaidBill}`, /Nothing is paid yet/],
  ['credit', `/billing/credit/${IDS.bill}`, /No lines yet/],
  ['runs', '/billing/runs', /No bill runs yet/],
  ['run', `/billing/runs/${IDS.run}`, /Nothing unusual/],
  ['preview', `/billing/preview/${IDS.account}`, /Nothing is written/],
  ['payments', '/payments', /No payments yet/],
  ['payment', `/payments/${IDS.payment}`, /No bill\. The whole payment/],
  ['payment-pending', `/payments/${IDS.pendingPayment}`, /No bill\. The whole payment/],
  ['payment-authorized', `/payments/${IDS.authorizedPayment}`, /No bill\. The whole payment/],
  ['payment-ask', `/payments/new?ask=true&bill=${IDS.bill}`, /Nothing is booked before/],
  ['settlement', '/payments/settlement', /No captured payments yet/],
  ['payment-new', `/payments/new?bill=${IDS.bill}`, /What no bill takes/],
  ['ledger', '/ledger', /No entries yet/],
  ['ledger-account', '/ledger/account/receivable/lines', /No lines yet/],
  ['ledger-entry', `/ledger/entry/${IDS.entry}`, /Entry/],
  ['events', '/events', /No groups yet/],
  ['topic', '/events/topics/bss.order.events/messages', /No messages yet/],
  ['parked', '/events/parked', /No parked events yet/],
  ['trace', `/trace/${IDS.order}`, /Nothing lies below this/],
]

let foreign: string[] = []
let complaints: string[] = []
test.beforeEach(({ page, baseURL }) => {
  foreign = []
  complaints = []
  page.on('request', (r) => { if (/^https?:/.test(r.url()) && !r.url().startsWith(baseURL!)) foreign.push(r.url()) })
  page.on('console', (m) => { if (m.text().includes('Content Security Policy')) complaints.push(m.text()) })
  page.on('pageerror', (e) => complaints.push(String(e)))
})
test.afterEach(() => {
  expect(foreign, 'no request leaves the origin').toEqual([])
  expect(complaints, 'the policy holds and nothing throws').toEqual([])
})

async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html} ${n.failureSummary}`))
}

/** The whole page is as wide as the window: only tables and boards scroll sideways, in their own frames. */
async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}

for (const [name, path, empty] of PAGES) {
  test(`${name}: empty teaches`, async ({ page, baseURL }) => {
    await open(page, path, 'empty', baseURL!)
    await expect(page.getByText(empty).first()).toBeVisible()
  })

  test(`${name}: an error shows the server's message and its correlation id`, async ({ page, baseURL }) => {
    await open(page, path, 'error', baseURL!)
    await expect(page.getByRole('alert').first()).toContainText('Too many calls')
    await expect(page.getByRole('alert').first()).toContainText('corr-1')
  })

  test(`${name}: loading shows the page's shape`, async ({ page, baseURL }) => {
    await open(page, path, 'loading', baseURL!)
    await expect(page.getByRole('status').filter({ hasText: 'Loading' }).first()).toBeAttached()
  })

  test(`${name}: full, wide and at 390 px, light and dark, axe has no serious finding`, async ({ page, baseURL }) => {
    await page.setViewportSize({ width: 1440, height: 900 })
    await open(page, path, 'full', baseURL!)
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    await page.waitForLoadState('networkidle')
    await expect(page.getByRole('alert')).toHaveCount(0)
    expect(await serious(page)).toEqual([])
    expect(await overflow(page)).toBe(0)
    await page.screenshot({ path: `test-results/pages/${name}-wide-light.png`, fullPage: true })
    await page.setViewportSize({ width: 390, height: 844 })
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect(page.locator('html.dark')).toBeAttached()
    expect(await serious(page)).toEqual([])
    expect(await overflow(page)).toBe(0)
    await page.screenshot({ path: `test-results/pages/${name}-390-dark.png`, fullPage: true })
  })
}

test('the gallery shows every shared part', async ({ page, baseURL }) => {
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.goto('/gallery')
  await expect(page.getByRole('alert')).toHaveCount(3)
  for (const part of ['DataTable', 'MoneyText', 'InstantText', 'StateChip', 'IdLink', 'Timeline', 'ExplainTree', 'AllowanceBar', 'LagBar', 'LiveBadge', 'ConfirmAction', 'ErrorNotice']) {
    await expect(page.getByRole('heading', { name: part, exact: true })).toBeVisible()
  }
  expect(await serious(page)).toEqual([])
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme })
    for (const width of [360, 1440, 2560]) {
      await page.setViewportSize({ width, height: 900 })
      expect(await overflow(page)).toBe(0)
      await page.screenshot({ path: `test-results/pages/gallery-${width}-${scheme}.png`, fullPage: true })
    }
  }
  expect(baseURL).toBeTruthy()
})
