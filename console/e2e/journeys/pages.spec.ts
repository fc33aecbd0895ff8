import { expect, test, type APIRequestContext, type Page } from '@playwright/test'
import { signIn } from '../support/signIn'
import { overflow, serious, watch } from '../support/watch'

/** Every page with what the running stack has; a page of one thing takes the first that its list gives. */
const TMF = '/tmf-api'
const V1 = '/bss-api/v1'
const PAGES: [name: string, path: string, list?: string, id?: (row: Record<string, any>) => string][] = [
  ['home', '/'],
  ['customers', '/customers'],
  ['customer', '/customers/{id}', `${TMF}/usageManagement/v4/usage`, customerOf],
  ['sell', '/sell?customer={id}', `${TMF}/customerManagement/v4/customer`],
  ['orders', '/orders'],
  ['order-list', '/orders/list'],
  ['fallout', '/orders/fallout'],
  ['order', '/orders/{id}', `${TMF}/productOrderingManagement/v4/productOrder?state=completed`],
  ['catalog', '/catalog'],
  ['prices', '/catalog/prices'],
  ['offering', '/catalog/{id}', `${TMF}/productCatalogManagement/v4/productOffering?name=Mobile%20M`],
  ['usage', '/usage'],
  ['usage-record', '/usage/{id}', `${TMF}/usageManagement/v4/usage`],
  ['files', '/usage/files'],
  ['file', '/usage/files/{id}', `${V1}/usageFile`],
  ['file-new', '/usage/files/new'],
  ['sources', '/usage/sources'],
  ['rejects', '/usage/rejects'],
  ['reject', '/usage/rejects/{id}', `${V1}/usageReject`],
  ['bills', '/billing'],
  ['bill', '/billing/bills/{id}', `${TMF}/customerBillManagement/v4/customerBill`],
  ['credit', '/billing/credit/{id}', `${TMF}/customerBillManagement/v4/customerBill?state=validated,sent,partiallyPaid,settled`],
  ['runs', '/billing/runs'],
  ['run', '/billing/runs/{id}', `${V1}/billRun`],
  ['preview', '/billing/preview/{id}', `${TMF}/accountManagement/v4/billingAccount`],
  ['payments', '/payments'],
  ['payment', '/payments/{id}', `${TMF}/paymentManagement/v4/payment`],
  ['payment-new', '/payments/new?bill={id}', `${TMF}/customerBillManagement/v4/customerBill?state=validated,sent,partiallyPaid`],
  ['settlement', '/payments/settlement'],
  ['ledger', '/ledger'],
  ['ledger-account', '/ledger/account/{id}/lines', `${V1}/ledger/trialBalance`, (row) => row.account],
  ['ledger-entry', '/ledger/entry/{id}', `${V1}/ledger/entry`],
  ['events', '/events'],
  ['topic', '/events/topics/{id}/messages', `${V1}/events/topics`, (row) => row.name],
  ['parked', '/events/parked'],
  ['trace', '/trace/{id}', `${TMF}/customerBillManagement/v4/customerBill`],
]

function customerOf(row: { relatedParty?: { id: string, role?: string }[] }): string {
  return row.relatedParty?.find((party) => party.role === 'customer')?.id ?? ''
}

/** Signs in and gives the header of the page's own calls, so that the test asks as the page does. */
async function asAdmin(page: Page): Promise<string> {
  const called = page.waitForRequest((r) => r.url().includes('/bss-api/') && r.headers().authorization !== undefined)
  await signIn(page, 'admin')
  return (await called).headers().authorization!
}

async function addressOf(request: APIRequestContext, authorization: string, entry: typeof PAGES[number]): Promise<string> {
  const [, path, list, id = (row: { id: string }) => row.id] = entry
  if (!list) return path
  const answer = await request.get(`${list}${list.includes('?') ? '&' : '?'}limit=1`, { headers: { authorization } })
  expect(answer.status(), list).toBe(200)
  const rows = await answer.json() as { id: string }[]
  expect(rows.length, `${list} has something`).toBeGreaterThan(0)
  return path.replace('{id}', id(rows[0]!))
}

for (const entry of PAGES) {
  test(`${entry[0]}: real, wide and at 390 px, light and dark, axe has no serious finding`, async ({ page, request, baseURL }) => {
    test.setTimeout(90_000)
    const watched = watch(page, baseURL!)
    const authorization = await asAdmin(page)
    await page.goto(await addressOf(request, authorization, entry))
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    for (const [size, width] of [['wide', 1440], ['390', 390]] as const) {
      await page.setViewportSize({ width, height: 900 })
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        await expect(page.locator('html.dark')).toHaveCount(colorScheme === 'dark' ? 1 : 0)
        await expect(page.getByRole('status').filter({ hasText: 'Loading' })).toHaveCount(0)
        await page.screenshot({ path: `test-results/real/${entry[0]}-${size}-${colorScheme}.png`, fullPage: true })
        expect.soft(await overflow(page)).toBe(0)
        expect.soft(await serious(page)).toEqual([])
      }
    }
    await expect(page.getByRole('alert')).toHaveCount(0)
    watched.nothingWrong()
  })
}
