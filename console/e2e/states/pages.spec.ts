import AxeBuilder from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'

const LISTS = ['customers', 'orders', 'catalog', 'usage', 'billing', 'payments']
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs in against an issuer that the test plays, then answers every list with the given response. */
async function open(page: Page, path: string, answer: { status: number, body: unknown, headers?: Record<string, string> }, origin: string): Promise<void> {
  const issuer = `${origin}/realms/bss`
  const oidc = `${issuer}/protocol/openid-connect`
  await page.route('**/realms/bss/.well-known/openid-configuration', (r) => r.fulfill({ json: {
    issuer, authorization_endpoint: `${oidc}/auth`, token_endpoint: `${oidc}/token`, jwks_uri: `${oidc}/certs`,
  } }))
  await page.route('**/openid-connect/auth?*', (r) => {
    const query = new URL(r.request().url()).searchParams
    expect(query.get('code_challenge_method')).toBe('S256')
    return r.fulfill({ status: 302, headers: { location: `/auth/callback?code=c&state=${query.get('state')}` } })
  })
  const now = Math.floor(Date.now() / 1000)
  const token = `${base64({ alg: 'RS256' })}.${base64({ iss: issuer, sub: 'ada', aud: 'bss-console', exp: now + 600, iat: now, name: 'Ada' })}.x`
  await page.route('**/openid-connect/token', (r) => r.fulfill({ json: { access_token: token, id_token: token, token_type: 'Bearer', expires_in: 600 } }))
  await page.route('**/tmf-api/**', (r) => {
    expect(r.request().headers().authorization).toBe(`Bearer ${token}`)
    return r.fulfill({ status: answer.status, json: answer.body, headers: answer.headers })
  })
  await page.goto(path)
}

let foreign: string[] = []
let complaints: string[] = []
test.beforeEach(({ page, baseURL }) => {
  foreign = []
  complaints = []
  page.on('request', (r) => { if (/^https?:/.test(r.url()) && !r.url().startsWith(baseURL!)) foreign.push(r.url()) })
  page.on('console', (m) => { if (m.text().includes('Content Security Policy')) complaints.push(m.text()) })
})
test.afterEach(() => {
  expect(foreign, 'no request leaves the origin').toEqual([])
  expect(complaints, 'the policy holds').toEqual([])
})

for (const list of LISTS) {
  test(`${list}: empty teaches, and axe has no serious finding`, async ({ page, baseURL }) => {
    await open(page, `/${list}`, { status: 200, body: [], headers: { 'x-total-count': '0' } }, baseURL!)
    await expect(page.getByText(/^No .* yet/)).toBeVisible()
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html} ${n.failureSummary}`))).toEqual([])
  })

  test(`${list}: an error shows the server's message and its correlation id`, async ({ page, baseURL }) => {
    await open(page, `/${list}`, { status: 503, body: { code: 'overloaded', reason: 'Busy', message: 'Too many calls' }, headers: { 'x-correlation-id': 'corr-1' } }, baseURL!)
    await expect(page.getByRole('alert')).toContainText('Too many calls')
    await expect(page.getByRole('alert')).toContainText('corr-1')
  })
}

test('a filter and a page in the address reach the server, and money has its decimals', async ({ page, baseURL }) => {
  const asked = page.waitForRequest(/customerBill\?/)
  await open(page, '/billing?state=settled&page=2', { status: 200, headers: { 'x-total-count': '120' }, body: [
    { id: '0190a1b2-c3d4-8e5f-8a6b-112233445566', billNo: 'B-7', state: 'settled', taxIncludedAmount: { unit: 'KWD', value: 1.5 } },
  ] }, baseURL!)
  const query = new URL((await asked).url()).searchParams
  expect([query.get('state'), query.get('offset'), query.get('limit')]).toEqual(['settled', '50', '50'])
  await expect(page.getByText('1.500\u00a0KWD')).toBeVisible()
  await expect(page.getByText('120 rows')).toBeVisible()
  await page.screenshot({ path: 'test-results/bills.png' })
  await page.setViewportSize({ width: 390, height: 800 })
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.screenshot({ path: 'test-results/bills-390-dark.png' })
})
