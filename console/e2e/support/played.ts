import { expect, type Page, type Route } from '@playwright/test'
import { nothing, sample } from './samples'

/** How the played server answers: with everything, with nothing, with a refusal, or not at all. */
export type Mode = 'full' | 'empty' | 'error' | 'loading'
/** The smallest document that a viewer shows. */
const PDF = `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 100]/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj
4 0 obj<</Length 44>>stream
BT /F 18 Tf 20 50 Td (Bill 2026-000040) Tj ET
endstream endobj
trailer<</Root 1 0 R>>
%%EOF`
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Signs in against an issuer that the test plays, then answers every call in one mode. */
export async function open(page: Page, path: string, mode: Mode, origin: string, roles = ['admin']): Promise<void> {
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
  const claims = { iss: issuer, sub: 'ada', aud: 'bss-console', exp: now + 600, iat: now, name: 'Ada Lovelace', realm_access: { roles } }
  const token = `${base64({ alg: 'RS256' })}.${base64(claims)}.x`
  await page.route('**/openid-connect/token', (r) => r.fulfill({ json: { access_token: token, id_token: token, token_type: 'Bearer', expires_in: 600 } }))
  await page.route(/\/(tmf-api|bss-api)\//, (r) => answer(r, mode, token))
  await page.goto(path)
}

async function answer(route: Route, mode: Mode, token: string): Promise<void> {
  const url = new URL(route.request().url())
  expect(route.request().headers().authorization).toBe(`Bearer ${token}`)
  if (url.pathname.endsWith('/live')) return route.fulfill({ status: 404, json: {} })
  // The clock stands in the frame of every page; the states under test are those of the page.
  if (mode === 'loading' && !url.pathname.endsWith('/clock')) return
  if (mode === 'error' && !url.pathname.endsWith('/clock')) {
    return route.fulfill({ status: 503, json: { code: 'overloaded', reason: 'Busy', message: 'Too many calls' }, headers: { 'x-correlation-id': 'corr-1' } })
  }
  if (url.pathname.endsWith('/pdf')) return route.fulfill({ contentType: 'application/pdf', body: PDF })
  const body = mode === 'empty' ? nothing(url) : sample(url)
  if (body === undefined) return route.fulfill({ status: 404, json: { code: 'notFound', reason: 'Not found', message: `The played server has no ${url.pathname}` } })
  const count = Array.isArray(body) ? { 'x-total-count': String(body.length) } : {}
  return route.fulfill({ json: body, headers: count as Record<string, string> })
}
