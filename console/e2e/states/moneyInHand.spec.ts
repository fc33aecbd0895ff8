import { expect, test } from '@playwright/test'
import { open } from '../support/played'
import { IDS } from '../support/samples'
import { wideAndNarrow } from '../support/watch'

test('a top-up says the balance after it; sent again unchanged it has the same key, changed another', async ({ page, baseURL }) => {
  await open(page, `/customers/${IDS.customer}`, 'full', baseURL!, ['csr'])
  const sent: { key: string, body: unknown }[] = []
  await page.route('**/topUp', (r) => {
    sent.push({ key: r.request().headers()['idempotency-key'] ?? '', body: r.request().postDataJSON() })
    return sent.length < 3 ? r.fulfill({ status: 503, json: { reason: 'Busy', message: 'Try once more' } }) : r.fulfill({ status: 201, json: { id: IDS.payment } })
  })
  await page.getByRole('button', { name: 'Top up' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Amount EUR').fill('10,5')
  await expect(dialog).toContainText('Prepaid balance after it: 14.70\u00a0EUR')
  await wideAndNarrow(page, 'top-up')
  const submit = dialog.getByRole('button', { name: 'Top up' })
  await submit.click()
  await expect(dialog.getByRole('alert')).toContainText('Try once more')
  await dialog.getByLabel('Amount EUR').fill('20')
  await submit.click()
  await expect.poll(() => sent.length).toBe(2)
  await expect(submit).toBeEnabled()
  await dialog.getByLabel('Amount EUR').fill('10.5')
  await submit.click()
  await expect(dialog).toHaveCount(0)
  expect(sent[0]!.body).toEqual({ billingAccount: { id: IDS.account, '@referredType': 'BillingAccount' }, amount: { unit: 'EUR', value: 10.5 }, channel: { name: 'cash' } })
  expect(sent[2]).toEqual(sent[0])
  expect(sent[1]!.key).not.toBe(sent[0]!.key)
})

test('an amount that the currency doesn’t have isn’t sent', async ({ page, baseURL }) => {
  await open(page, `/customers/${IDS.customer}`, 'full', baseURL!, ['billing'])
  let called = false
  await page.route('**/topUp', (r) => { called = true; return r.abort() })
  await page.getByRole('button', { name: 'Top up' }).click()
  await page.getByRole('dialog').getByLabel('Amount EUR').fill('1.005')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog')).toContainText('EUR has 2 decimals')
  expect(called).toBe(false)
})

test('lines of a bill are taken back, wholly or in part, by a credit note', async ({ page, baseURL }) => {
  await open(page, `/billing/bills/${IDS.bill}`, 'full', baseURL!)
  await page.getByRole('link', { name: 'Credit note' }).click()
  await expect(page).toHaveURL(new RegExp(`/billing/credit/${IDS.bill}$`))
  const write = page.getByRole('button', { name: 'Write the credit note' })
  await expect(write).toBeDisabled()
  await page.getByRole('checkbox', { name: /Mobile M, monthly/ }).check()
  await page.getByRole('checkbox', { name: /Calls, national/ }).check()
  const amount = page.getByLabel(/^Take back/).first()
  await amount.fill('20')
  await expect(page.getByText('An amount above zero and at most 19.99\u00a0EUR.')).toBeVisible()
  await amount.fill('5')
  await page.getByLabel('Reason').fill('wrong tariff')
  await expect(page.getByText('6.18\u00a0EUR').first()).toBeVisible()
  await wideAndNarrow(page, 'credit-chosen')
  await page.route('**/creditNote', (r) => r.fulfill({ status: 201, json: { id: IDS.entry, number: 'CN-2026-000007', amount: { unit: 'EUR', value: 6.18 }, applied: { unit: 'EUR', value: 6.18 }, credit: { unit: 'EUR', value: 0 } } }))
  const sent = page.waitForRequest((r) => r.url().endsWith('/creditNote'))
  await write.click()
  await expect(page.getByRole('dialog')).toContainText('2 of 2 lines are taken back, 6.18\u00a0EUR with tax')
  await page.getByRole('dialog').getByRole('button', { name: 'Write the credit note' }).click()
  const request = await sent
  expect(request.postDataJSON()).toEqual({
    customerBill: { id: IDS.bill, '@referredType': 'CustomerBill' }, reason: 'wrong tariff', line: [{ number: 1, amount: { unit: 'EUR', value: 5 } }, { number: 2 }],
  })
  expect(request.headers()['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/)
  await expect(page.getByRole('heading', { name: 'Credit note CN-2026-000007 is written' })).toBeVisible()
  await expect(write).toBeDisabled()
  await page.screenshot({ path: 'test-results/pages/credit-written.png', fullPage: true })
})

test('a bill says what settled it: payments and credit notes', async ({ page, baseURL }) => {
  await open(page, `/billing/bills/${IDS.partlyPaidBill}`, 'full', baseURL!)
  const settled = page.locator('section', { has: page.getByRole('heading', { name: 'Settled by' }) })
  await expect(settled.getByRole('listitem')).toHaveText([/^Payment\s*…\w+9\.00\u00a0EUR$/, /^Credit note\s*…\w+1\.00\u00a0EUR$/])
})

test('a refused credit note says what was wrong', async ({ page, baseURL }) => {
  await open(page, `/billing/credit/${IDS.bill}`, 'full', baseURL!)
  await page.route('**/creditNote', (r) => r.fulfill({ status: 400, json: { code: 'wrongAmount', reason: 'Bad request', message: '3.00 EUR is left of the line', field: 'line[0].amount', value: '5.00 EUR' } }))
  await page.getByRole('checkbox', { name: /Mobile M, monthly/ }).check()
  await page.getByLabel(/^Take back/).fill('5')
  await page.getByLabel('Reason').fill('wrong tariff')
  await page.getByRole('button', { name: 'Write the credit note' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Write the credit note' }).click()
  await expect(page.getByRole('dialog').getByRole('alert')).toContainText('3.00 EUR is left of the line')
  await expect(page.getByRole('dialog').getByRole('alert')).toContainText('line[0].amount')
})

test('who may not fill a balance or correct a bill isn’t offered it', async ({ page, baseURL }) => {
  await open(page, `/customers/${IDS.customer}`, 'full', baseURL!, ['customer'])
  await expect(page.getByText('Prepaid balance')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Top up' })).toHaveCount(0)
  await open(page, `/billing/bills/${IDS.bill}`, 'full', baseURL!, ['csr'])
  await expect(page.getByRole('heading', { name: 'Lines' })).toBeVisible()
  await expect(page.getByRole('link', { name: 'Credit note' })).toHaveCount(0)
})
