import { readFile } from 'node:fs/promises'
import { expect, test, type Page } from '@playwright/test'
import { signIn } from '../support/signIn'

// Against a running stack with the demonstration's customers; each journey signs in as the role whose work it is.
test.describe.configure({ mode: 'serial' })

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

/** The first row's link of the table with this name. */
function firstLink(page: Page, table: string) {
  return page.getByRole('region', { name: table }).getByRole('row').nth(1).getByRole('link').first()
}

async function photograph(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `test-results/journeys/${name}.png` })
}

test('sign in, see today, sign out', async ({ page, baseURL }) => {
  await signIn(page, 'admin')
  await expect(page.getByRole('heading', { name: 'Home' })).toBeVisible()
  await expect(page.getByRole('link', { name: /Orders today/ })).toBeVisible()
  await expect(page.getByRole('alert')).toHaveCount(0)
  await photograph(page, 'home')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page).not.toHaveURL(`${baseURL}/`)
})

test('find a customer by name', async ({ page }) => {
  await signIn(page, 'csr', '/customers')
  const name = await firstLink(page, 'Customers').innerText()
  await page.keyboard.press('/')
  await expect(page.getByRole('combobox')).toBeFocused()
  await page.keyboard.type(name)
  await page.getByRole('option', { name }).first().click()
  await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Products' })).toBeVisible()
  await expect(page.getByRole('alert')).toHaveCount(0)
  await photograph(page, 'customer')
})

test('place an order, see its price before and its product active after', async ({ page }) => {
  test.setTimeout(120_000)
  await signIn(page, 'csr', '/customers')
  await firstLink(page, 'Customers').click()
  await page.getByRole('main').getByRole('link', { name: 'Sell' }).click()
  await page.getByRole('button', { name: /^Add / }).first().click()
  await expect(page.getByRole('region', { name: 'First bill' }).getByText('Total')).toBeVisible()
  await page.getByRole('button', { name: 'Place order' }).click()
  await expect(page).toHaveURL(/\/orders\//)
  await expect(page.locator('h1 + span', { hasText: 'completed' })).toBeVisible({ timeout: 60_000 })
  await expect(page.getByText('active', { exact: true }).first()).toBeVisible({ timeout: 30_000 })
  await photograph(page, 'order')
})

test('run bills', async ({ page }) => {
  test.setTimeout(180_000)
  await signIn(page, 'billing', '/billing/runs')
  await page.getByRole('button', { name: 'Start a run' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Start a run' }).click()
  await expect(page).toHaveURL(/\/billing\/runs\//)
  await expect(page.locator('h1 + span', { hasText: /done|completed/ })).toBeVisible({ timeout: 120_000 })
  await photograph(page, 'run')
})

test('explain a line down to what caused it, and open the document', async ({ page }) => {
  await signIn(page, 'billing', '/billing')
  await firstLink(page, 'Bills').click()
  await page.getByRole('button', { name: /^Why is/ }).first().click()
  await expect(page.getByRole('region', { name: 'Lines' }).getByRole('row').nth(2)).not.toContainText('has no line of this id')
  await photograph(page, 'bill')
  await page.getByRole('button', { name: 'PDF' }).click()
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download' }).click()
  const file = await readFile(await (await download).path())
  expect(file.subarray(0, 5).toString()).toBe('%PDF-')
})

test('record a payment, and see the bill settled', async ({ page }) => {
  await signIn(page, 'billing', '/billing?state=validated,sent,partiallyPaid')
  await firstLink(page, 'Bills').click()
  await page.getByRole('link', { name: 'Record a payment' }).click()
  await expect(page.getByLabel(/^Amount/)).not.toHaveValue('')
  await page.getByRole('button', { name: 'Record', exact: true }).click()
  await expect(page).toHaveURL(/\/payments\/[0-9a-f]{8}-/)
  await expect(page.getByRole('heading', { name: 'Settles' })).toBeVisible()
  await page.locator('section', { hasText: 'Settles' }).getByRole('link').first().click()
  await expect(page.locator('h1 + span', { hasText: 'settled' })).toBeVisible({ timeout: 20_000 })
  await photograph(page, 'settled')
})

test('the ledger balances after all of it', async ({ page }) => {
  await signIn(page, 'billing', '/ledger')
  await expect(page.getByText('balanced', { exact: true }).first()).toBeVisible()
  await expect(page.getByText('not balanced')).toHaveCount(0)
  await photograph(page, 'ledger')
})
