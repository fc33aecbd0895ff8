import { expect, test, type Page } from '@playwright/test'
import { open } from '../support/played'
import { IDS } from '../support/samples'
import { serious, wideAndNarrow } from '../support/watch'

interface Sent { path: string, body: unknown, key: string }
/** Plays what a channel's calls answer; gives what was sent. */
async function playing(page: Page, path: RegExp, answer: object): Promise<Sent[]> {
  const sent: Sent[] = []
  await page.route(path, (r) => {
    const request = r.request()
    if (request.method() !== 'POST') return r.fallback()
    sent.push({ path: new URL(request.url()).pathname, body: request.postDataJSON(), key: request.headers()['idempotency-key'] ?? '' })
    return r.fulfill({ status: 201, json: answer })
  })
  return sent
}

test('a payment that is asked for is authorized, denied or failed, each with its reason', async ({ page, baseURL }) => {
  await open(page, `/payments/${IDS.pendingPayment}`, 'full', baseURL!)
  const sent = await playing(page, /\/bss-api\/v1\/payment\//, { id: IDS.pendingPayment })
  await expect(page.getByRole('button', { name: 'Capture' })).toHaveCount(0)
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Authorize' }).click()
  await dialog.getByLabel(/Authorization code/).fill('A-1')
  await dialog.getByRole('button', { name: 'Authorize' }).click()
  await expect(dialog).toHaveCount(0)
  for (const [label, reason] of [['Deny', 'no funds'], ['Fail', 'network down']] as const) {
    await page.getByRole('button', { name: label, exact: true }).click()
    await dialog.getByRole('button', { name: label, exact: true }).click()
    // A reason is wanted before anything is sent.
    await expect(dialog.getByLabel('Reason')).toBeFocused()
    await dialog.getByLabel('Reason').fill(reason)
    await page.keyboard.press('Enter')
    await expect(dialog).toHaveCount(0)
  }
  expect(sent.map(({ path, body }) => [path.split('/').at(-1), body])).toEqual([
    ['authorize', { authorizationCode: 'A-1' }], ['deny', { reason: 'no funds' }], ['fail', { reason: 'network down' }],
  ])
})

test('an authorized payment is captured or let go', async ({ page, baseURL }) => {
  await open(page, `/payments/${IDS.authorizedPayment}`, 'full', baseURL!)
  const sent = await playing(page, /\/bss-api\/v1\/payment\//, { id: IDS.authorizedPayment })
  await expect(page.getByText('A-42-9917')).toBeVisible()
  await page.getByRole('button', { name: 'Capture' }).click()
  await expect(page.getByRole('dialog')).toContainText('30.00\u00a0EUR is taken')
  await wideAndNarrow(page, 'payment-capture')
  await page.getByRole('dialog').getByRole('button', { name: 'Capture' }).click()
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await page.getByRole('button', { name: 'Let go' }).click()
  await page.getByRole('dialog').getByLabel('Reason').fill('order withdrawn')
  await page.getByRole('dialog').getByRole('button', { name: 'Let go' }).click()
  await expect(page.getByRole('dialog')).toHaveCount(0)
  expect(sent.map(({ path, body }) => [path.split('/').at(-1), body])).toEqual([['capture', {}], ['cancel', { reason: 'order withdrawn' }]])
})

test('a chargeback says what it opened again, and the same one twice has one key', async ({ page, baseURL }) => {
  await open(page, `/payments/${IDS.payment}`, 'full', baseURL!)
  const keys: string[] = []
  await page.route('**/chargeback', (r) => {
    keys.push(r.request().headers()['idempotency-key'] ?? '')
    if (keys.length < 3) return r.fulfill({ status: 503, json: { reason: 'Busy', message: 'Try once more' } })
    expect(r.request().postDataJSON()).toEqual({ amount: { unit: 'EUR', value: 12.5 } })
    return r.fulfill({ status: 201, json: { id: IDS.entry, reopened: [{ bill: { id: IDS.bill, name: '2026-000040' }, amount: { unit: 'EUR', value: 3.67 } }], fromCredit: { unit: 'EUR', value: 8.83 } } })
  })
  await page.getByRole('button', { name: 'Chargeback' }).click()
  const dialog = page.getByRole('dialog')
  const again = dialog.getByRole('button', { name: 'Chargeback' })
  await dialog.getByLabel(/^Amount EUR/).fill('12.345')
  await expect(dialog).toContainText('EUR has 2 decimals')
  await expect(again).toBeDisabled()
  await wideAndNarrow(page, 'payment-chargeback-dialog')
  for (const amount of ['10', '12.5', '12.5']) {
    await dialog.getByLabel(/^Amount EUR/).fill(amount)
    await again.click()
    if (keys.length < 3) await expect(dialog.getByRole('alert')).toContainText('Try once more')
  }
  await expect(dialog).toHaveCount(0)
  await expect(page.getByRole('status').filter({ hasText: 'What the chargeback did' })).toContainText('3.67\u00a0EUR')
  await expect(page.getByText('The chargeback is booked', { exact: true })).toBeVisible()
  expect((await serious(page)).filter((finding) => finding.startsWith('link-in-text-block'))).toEqual([])
  expect([keys[0] === keys[1], keys[1] === keys[2]]).toEqual([false, true])
  await page.screenshot({ path: 'test-results/pages/payment-chargeback.png', fullPage: true })
})

test('a channel is asked for a bill’s payment', async ({ page, baseURL }) => {
  await open(page, `/billing/bills/${IDS.bill}`, 'full', baseURL!)
  const sent = await playing(page, /\/paymentRequest$/, { id: IDS.pendingPayment })
  await page.getByRole('link', { name: 'Ask for a payment' }).click()
  await expect(page.getByLabel('Amount EUR')).toHaveValue('21.17')
  await page.getByLabel('Method').selectOption('bankCard')
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await expect(page).toHaveURL(new RegExp(`/payments/${IDS.pendingPayment}$`))
  expect(sent[0]!.body).toMatchObject({ channel: { name: 'bankCard' }, amount: { unit: 'EUR', value: 21.17 }, paymentItem: [{ item: { id: IDS.bill } }] })
})

test('a channel’s settlement is checked to the cent before it is sent', async ({ page, baseURL }) => {
  await open(page, '/payments/settlement', 'full', baseURL!)
  const sent = await playing(page, /\/settlement$/, { channel: { name: 'bankTransfer' }, payments: 1, paid: { unit: 'EUR', value: 29.4 }, fees: { unit: 'EUR', value: 0.6 } })
  const paid = page.getByLabel('Into the bank EUR')
  await expect(paid).toHaveValue('60.00')
  await page.getByRole('checkbox', { name: /^Payment/ }).first().uncheck()
  await expect(paid).toHaveValue('30.00')
  await page.getByLabel('Fees EUR').fill('0.60')
  await expect(page.getByText('0.60\u00a0EUR more than these payments brought.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Settle', exact: true })).toBeDisabled()
  await paid.fill('29.40')
  await expect(page.getByText('The statement is right to the cent.')).toBeVisible()
  await page.getByRole('button', { name: 'Settle', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Settle', exact: true }).click()
  await expect(page.getByRole('status').filter({ hasText: '1 payment is done' })).toContainText('29.40\u00a0EUR')
  expect(sent[0]!.body).toMatchObject({ channel: { name: 'bankTransfer' }, payment: [{ '@referredType': 'Payment' }], paid: { unit: 'EUR', value: 29.4 }, fees: { unit: 'EUR', value: 0.6 } })
  await page.screenshot({ path: 'test-results/pages/settlement-done.png', fullPage: true })
})

test('what is open of a bill is written off with a reason', async ({ page, baseURL }) => {
  await open(page, `/billing/bills/${IDS.bill}`, 'full', baseURL!)
  const sent = await playing(page, /\/writeOff$/, { id: IDS.entry, amount: { unit: 'EUR', value: 21.17 } })
  await page.getByRole('button', { name: 'Write off' }).click()
  await expect(page.getByRole('dialog')).toContainText('21.17\u00a0EUR of this bill is given up')
  await page.getByRole('dialog').getByLabel('Reason').fill('insolvent')
  await page.getByRole('dialog').getByRole('button', { name: 'Write off' }).click()
  await expect(page.getByText('The debt is given up', { exact: true })).toBeVisible()
  expect(sent[0]).toMatchObject({ body: { customerBill: { id: IDS.bill }, reason: 'insolvent' }, key: expect.stringMatching(/^[0-9a-f-]{36}$/) })
})

test('customer service sees a payment’s state and no action', async ({ page, baseURL }) => {
  await open(page, `/payments/${IDS.pendingPayment}`, 'full', baseURL!, ['csr'])
  await expect(page.getByText('The channel is being asked.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Authorize' })).toHaveCount(0)
  await open(page, `/billing/bills/${IDS.bill}`, 'full', baseURL!, ['csr'])
  await expect(page.getByRole('heading', { name: 'Lines' })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Write off' })).toHaveCount(0)
  await open(page, '/payments', 'full', baseURL!, ['csr'])
  await expect(page.getByRole('link', { name: 'Settle a channel' })).toHaveCount(0)
})
