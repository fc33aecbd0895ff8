import { expect, test } from '@playwright/test'
import { open } from '../support/played'
import { IDS } from '../support/samples'

test('a filter and a page in the address reach the server, and money has its decimals', async ({ page, baseURL }) => {
  const asked = page.waitForRequest(/customerBill\?/)
  await open(page, '/billing?state=validated&page=2', 'full', baseURL!)
  const query = new URL((await asked).url()).searchParams
  expect([query.get('state'), query.get('offset'), query.get('limit')]).toEqual(['validated', '50', '50'])
  await expect(page.getByText('7.125\u00a0KWD')).toBeVisible()
})

test('keys: / searches, g and a letter goes, ? helps', async ({ page, baseURL }) => {
  await open(page, '/customers', 'full', baseURL!)
  await expect(page.getByText('Jürgen Weiß')).toBeVisible()
  await page.keyboard.press('g')
  await page.keyboard.press('b')
  await expect(page).toHaveURL(/\/billing$/)
  await page.keyboard.press('/')
  await expect(page.getByRole('combobox', { name: 'Search everything' })).toBeFocused()
  await page.keyboard.type('ada')
  await expect(page.getByRole('option', { name: /Ada Kowalska/ })).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(new RegExp(`/customers/${IDS.customer}$`))
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible()
})

test('two clicks on Place order send one key, and the order opens', async ({ page, baseURL }) => {
  await open(page, `/sell?customer=${IDS.customer}`, 'full', baseURL!)
  const keys: string[] = []
  const bodies: { productOrderItem: { productOffering: { id: string } }[] }[] = []
  let refuse = true
  await page.route('**/productOrder', (r) => {
    if (r.request().method() !== 'POST') return r.fallback()
    keys.push(r.request().headers()['idempotency-key'] ?? '')
    bodies.push(r.request().postDataJSON())
    if (!refuse) return r.fulfill({ status: 201, json: { id: IDS.order } })
    refuse = false
    return r.fulfill({ status: 503, json: { reason: 'Busy', message: 'Try once more' } })
  })
  await page.getByRole('button', { name: 'Add Mobile M' }).click()
  await expect(page.getByText('31.06\u00a0EUR')).toBeVisible()
  await page.getByRole('button', { name: 'Place order' }).click()
  await expect(page.getByText('Try once more')).toBeVisible()
  await page.getByRole('button', { name: 'Place order' }).click()
  await expect(page).toHaveURL(new RegExp(`/orders/${IDS.order}$`))
  expect(keys).toHaveLength(2)
  expect(keys[0]).toBe(keys[1])
  expect(bodies[0]!.productOrderItem[0]!.productOffering.id).toBe(IDS.offering)
})

test('a payment takes what the bill is open for and leaves the rest as credit', async ({ page, baseURL }) => {
  await open(page, `/payments/new?bill=${IDS.bill}`, 'full', baseURL!)
  await page.route('**/paymentManagement/v4/payment', (r) => (r.request().method() === 'POST' ? r.fulfill({ status: 201, json: { id: IDS.payment } }) : r.fallback()))
  const amount = page.getByLabel('Amount EUR')
  await expect(amount).toHaveValue('21.17')
  await amount.fill('30,5')
  await expect(page.getByText('9.33\u00a0EUR more than the bill is open for')).toBeVisible()
  const sent = page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/payment'))
  await page.getByRole('button', { name: 'Record', exact: true }).click()
  expect((await sent).postDataJSON()).toMatchObject({ amount: { unit: 'EUR', value: 30.5 }, paymentItem: [{ item: { id: IDS.bill } }] })
  await expect(page).toHaveURL(new RegExp(`/payments/${IDS.payment}$`))
})

test('each line of a bill says why', async ({ page, baseURL }) => {
  await open(page, `/billing/bills/${IDS.bill}`, 'full', baseURL!)
  await page.getByRole('button', { name: 'Why is Mobile M, monthly this much?' }).click()
  const lines = page.getByRole('region', { name: 'Lines' })
  await expect(lines.getByText('Tax within the price')).toBeVisible()
  await page.getByRole('button', { name: 'Why is Calls, national this much?' }).click()
  await lines.getByRole('button', { name: /^national/ }).click()
  await expect(lines.getByText('peak: 1:02\u00a0min charged, 0.05\u00a0EUR for each 1:00\u00a0min')).toBeVisible()
  await expect(lines.getByText('1800 more records')).toBeVisible()
})

test('an action says what it will do, and a refusal stays readable', async ({ page, baseURL }) => {
  await open(page, '/orders/fallout', 'full', baseURL!)
  await page.route('**/fallout/*/retry', (r) => r.fulfill({ status: 409, json: { code: 'stateConflict', reason: 'Too late', message: 'The order was cancelled meanwhile' } }))
  await page.getByRole('button', { name: 'Retry' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog).toContainText('asks the network for the outcome first')
  await dialog.getByRole('button', { name: 'Retry' }).click()
  await expect(dialog.getByRole('alert')).toContainText('The order was cancelled meanwhile')
})

test('a role sees only its places and actions', async ({ page, baseURL }) => {
  await open(page, '/customers', 'full', baseURL!, ['billing'])
  await expect(page.getByRole('link', { name: 'Ledger' })).toBeVisible()
  await expect(page.getByRole('link', { name: 'Sell' })).toHaveCount(0)
  await expect(page.getByRole('link', { name: 'Events' })).toHaveCount(0)
  await open(page, '/events', 'full', baseURL!, ['billing'])
  await expect(page.getByText('This page needs one of these roles: operations')).toBeVisible()
})

test('a change that the server tells of shows without a click', async ({ page, baseURL }) => {
  await open(page, '/orders', 'full', baseURL!)
  await page.route('**/bss-api/v1/live', (r) => r.fulfill({ contentType: 'text/event-stream', body: `event: hello\ndata: {}\n\nevent: change\ndata: {"type":"ProductOrder","id":"${IDS.order}","state":"failed"}\n\n` }))
  await page.route(new RegExp(`productOrder/${IDS.order}$`), (r) => r.fulfill({ json: { id: IDS.order, state: 'inProgress' } }), { times: 1 })
  await page.locator(`a[href="/orders/${IDS.order}"]`).first().click()
  await expect(page.getByRole('heading', { name: /Order/ }).first()).toBeVisible()
  await expect(page.locator('h1 ~ span', { hasText: 'completed' }).first()).toBeVisible()
})

test('German and Polish are there', async ({ page, baseURL }) => {
  await open(page, '/billing', 'full', baseURL!)
  await page.getByLabel('Language').selectOption('de')
  await expect(page.getByRole('heading', { name: 'Abrechnung' })).toBeVisible()
  await expect(page.locator('html')).toHaveAttribute('lang', 'de')
  await page.getByLabel('Sprache').selectOption('pl')
  await expect(page.getByRole('heading', { name: 'Rozliczenia' })).toBeVisible()
})

test('self-care begins with the own customer and asks for nothing that it may not have', async ({ page, baseURL }) => {
  const asked: string[] = []
  page.on('request', (r) => asked.push(new URL(r.url()).pathname))
  await open(page, '/', 'full', baseURL!, ['customer'])
  await expect(page).toHaveURL(/\/customers$/)
  await page.goto(`/customers/${IDS.customer}`)
  await expect(page.getByRole('heading', { name: 'Ada Kowalska' })).toBeVisible()
  await page.waitForLoadState('networkidle')
  expect(asked.filter((path) => /dashboard|search|clock|analytics|trace|serviceOrder/.test(path))).toEqual([])
  await expect(page.getByRole('link', { name: 'Trace' })).toHaveCount(0)
})

test('a bill’s document opens within the page and can be saved', async ({ page, baseURL }) => {
  const complaints: string[] = []
  page.on('console', (m) => { if (m.text().includes('Content Security Policy')) complaints.push(m.text()) })
  await open(page, `/billing/bills/${IDS.bill}`, 'full', baseURL!)
  await page.getByRole('button', { name: 'PDF' }).click()
  await expect(page.locator('iframe[title="Bill 2026-000040"]')).toBeVisible()
  const saved = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download' }).click()
  expect((await saved).suggestedFilename()).toBe('2026-000040.pdf')
  expect(complaints).toEqual([])
  await page.screenshot({ path: 'test-results/pages/pdf.png' })
})
