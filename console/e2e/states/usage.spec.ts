import { expect, test, type Page } from '@playwright/test'
import { open } from '../support/played'
import { IDS } from '../support/samples'
import { wideAndNarrow, serious } from '../support/watch'

const FILE = { name: 'Master-2026-03-23.csv', mimeType: 'text/csv', buffer: Buffer.from('"","48601…","48602…"\n') }
const IMPORTED = { id: IDS.file, name: FILE.name, state: 'imported', records: 1, rated: 0, waiting: 1, rejected: 0, duplicates: 0 }

async function chooseAndSend(page: Page): Promise<void> {
  await page.getByLabel('Source').selectOption('switch-waw-1')
  await page.getByLabel('File', { exact: true }).setInputFiles(FILE)
  await page.getByRole('button', { name: 'Send', exact: true }).click()
}

test('a usage file goes in as it is, is waited for, and its lines are counted', async ({ page, baseURL }) => {
  await open(page, '/usage/files/new', 'full', baseURL!)
  let answer: () => void = () => {}
  const asked = new Promise<void>((resolve) => { answer = resolve })
  await page.route('**/bss-api/v1/usageFile?*', async (r) => {
    if (r.request().method() !== 'POST') return r.fallback()
    await asked
    return r.fulfill({ status: 201, json: IMPORTED })
  })
  const sent = page.waitForRequest((r) => r.method() === 'POST' && r.url().includes('/usageFile'))
  await chooseAndSend(page)
  const request = await sent
  expect(Object.fromEntries(new URL(request.url()).searchParams)).toEqual({ source: 'switch-waw-1', name: FILE.name })
  expect(request.headers()['content-type']).toBe('text/csv')
  await expect(page.getByRole('status')).toContainText('the server reads it to its end')
  await expect(page.getByRole('status')).toContainText('1,000 lines so far')
  expect(await serious(page)).toEqual([])
  await page.screenshot({ path: 'test-results/pages/file-new-busy.png', fullPage: true })
  answer()
  await expect(page.getByText('The file is imported.')).toBeVisible()
  const counts = page.getByRole('region', { name: 'What became of them' })
  await expect(counts).toContainText('rated 49,490')
  await expect(counts.getByRole('link', { name: 'The file with its rejects' })).toHaveAttribute('href', `/usage/files/${IDS.file}`)
  await page.screenshot({ path: 'test-results/pages/file-new-sent.png', fullPage: true })
})

test('content that was imported before is said to be known', async ({ page, baseURL }) => {
  await open(page, '/usage/files/new', 'full', baseURL!)
  await page.route('**/bss-api/v1/usageFile?*', (r) => (r.request().method() === 'POST' ? r.fulfill({ status: 200, json: IMPORTED }) : r.fallback()))
  await chooseAndSend(page)
  await expect(page.getByText('This content was imported before. Nothing was taken twice.')).toBeVisible()
})

test('a refused file names what was wrong, and can be sent again', async ({ page, baseURL }) => {
  await open(page, '/usage/files/new', 'full', baseURL!)
  await page.route('**/bss-api/v1/usageFile?*', (r) => (r.request().method() === 'POST' ? r.fulfill({ status: 400, json: { code: 'wrongHeader', reason: 'Bad request', message: 'the header lacks a column', field: 'line 1', value: 'quantity' } }) : r.fallback()))
  await chooseAndSend(page)
  await expect(page.getByRole('alert')).toContainText('the header lacks a column')
  await expect(page.getByRole('alert')).toContainText('line 1')
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeEnabled()
})

test('a source is declared with its zone and numbers, and declared anew by its name', async ({ page, baseURL }) => {
  await open(page, '/usage/sources', 'full', baseURL!)
  await page.route('**/usageSource/*', (r) => r.fulfill({ json: r.request().postDataJSON() }))
  await page.getByRole('button', { name: 'Declare a source' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('switch-ber-1')
  await dialog.getByLabel('Zone of its times').fill('Europe/Berlin')
  await dialog.getByLabel('Country code').fill('49')
  await expect(dialog).toContainText('0221234567 is read as 49221234567.')
  await wideAndNarrow(page, 'source-declare')
  const sent = page.waitForRequest((r) => r.method() === 'PUT')
  await dialog.getByRole('button', { name: 'Declare a source' }).click()
  const request = await sent
  expect(new URL(request.url()).pathname).toBe('/bss-api/v1/usageSource/switch-ber-1')
  expect(request.postDataJSON()).toEqual({ format: 'asterisk', zone: 'Europe/Berlin', numbers: { internationalPrefix: '00', trunkPrefix: '0', countryCode: '49' } })
  await expect(dialog).toHaveCount(0)
  await page.getByRole('row', { name: /data-gateway/ }).getByRole('button', { name: 'Change' }).click()
  await expect(page.getByRole('dialog').getByLabel('Name')).toHaveValue('data-gateway')
  await expect(page.getByRole('dialog').getByLabel('Format')).toBeDisabled()
})

test('who may not declare a source or send a file isn’t offered it', async ({ page, baseURL }) => {
  await open(page, '/usage/sources', 'full', baseURL!, ['billing'])
  await expect(page.getByText('switch-waw-1')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Declare a source' })).toHaveCount(0)
  await expect(page.getByRole('button', { name: 'Change' })).toHaveCount(0)
  await open(page, '/usage', 'full', baseURL!, ['csr'])
  await expect(page.getByRole('link', { name: 'Sources' })).toHaveCount(0)
})
