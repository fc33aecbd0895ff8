import { afterEach, describe, expect, it, vi } from 'vitest'
import { ApiError, OF_CUSTOMER, count, create, get, list, listAll, listen, patch, sendUsageFile, usageSources, useSessionFor } from '../app/api/client'

// The page's own origin, which relative addresses need outside of a browser; before the client is loaded.
vi.hoisted(() => {
  const Original = globalThis.Request
  globalThis.Request = class extends Original {
    constructor(input: RequestInfo | URL, init?: RequestInit) { super(typeof input === 'string' ? new URL(input, 'http://bss.test') : input, init) }
  }
})

const calls: Request[] = []
/** Plays the server: each call takes the next answer. */
function answers(...responses: Response[]): void {
  calls.length = 0
  vi.stubGlobal('fetch', async (request: Request | string, init?: RequestInit) => {
    calls.push(typeof request === 'string' ? new Request(new URL(request, 'http://bss.test'), init) : request)
    const next = responses.shift()
    if (!next) throw new TypeError('connection refused')
    return next
  })
}
const json = (body: unknown, headers: Record<string, string> = {}, status = 200) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })
afterEach(() => { useSessionFor({ token: () => undefined, renew: async () => {} }) })

describe('the client', () => {
  it('encodes an attribute’s path and counts by the header', async () => {
    answers(json([{ id: 'a' }], { 'x-total-count': '10000', 'x-total-count-exact': 'false' }))
    const page = await list('productOrder', { [OF_CUSTOMER]: 'c1', state: undefined, offset: 0 })
    expect(page).toMatchObject({ total: 10000, exact: false })
    const url = new URL(calls[0]!.url)
    expect(url.pathname).toBe('/tmf-api/productOrderingManagement/v4/productOrder')
    expect([...url.searchParams]).toEqual([['relatedParty[role=customer].id', 'c1'], ['offset', '0']])
  })

  it('sends the token, the idempotency key and the etag', async () => {
    useSessionFor({ token: () => 't0ken', renew: async () => {} })
    answers(json({ id: 'p' }, {}, 201), json({ id: 'p' }), json({ id: 'p' }, { etag: '"3"' }))
    await create('payment', { a: 1 }, 'key-1')
    await patch('customer', 'p/q', { name: 'x' }, '"2"')
    expect(await get('customer', 'p')).toEqual({ id: 'p', etag: '"3"' })
    expect(calls.map((c) => c.headers.get('authorization'))).toEqual(['Bearer t0ken', 'Bearer t0ken', 'Bearer t0ken'])
    expect(calls[0]!.headers.get('idempotency-key')).toBe('key-1')
    expect([calls[1]!.headers.get('if-match'), calls[1]!.headers.get('content-type')]).toEqual(['"2"', 'application/merge-patch+json'])
    expect(calls[1]!.url).toMatch(/\/customer\/p%2Fq$/)
  })

  it('makes an error of what the server says, with what a support call needs', async () => {
    answers(json({ code: 'wrongQuery', reason: 'Bad request', message: 'limit is too large', field: 'limit', value: '9999' }, { 'x-correlation-id': 'c-1' }, 400))
    const error = await list('customer').catch((cause: unknown) => cause as ApiError)
    expect(error).toMatchObject({ status: 400, code: 'wrongQuery', message: 'limit is too large', field: 'limit', value: '9999', correlationId: 'c-1' })
  })

  it('tells an unreachable server from one that refuses', async () => {
    answers()
    await expect(list('customer')).rejects.toMatchObject({ status: 0, code: 'unreachable' })
  })

  it('renews the sign-in after a 401', async () => {
    const renew = vi.fn(async () => {})
    useSessionFor({ token: () => 'old', renew })
    answers(json({ message: 'expired' }, {}, 401))
    await expect(list('customer')).rejects.toBeInstanceOf(ApiError)
    expect(renew).toHaveBeenCalledOnce()
  })

  it('reads all pages, and counts without reading them', async () => {
    answers(json([{ id: '1' }, { id: '2' }], { 'x-total-count': '3' }), json([{ id: '3' }], { 'x-total-count': '3' }), json([{ id: '1' }], { 'x-total-count': '812' }))
    expect((await listAll('category')).map((c) => c.id)).toEqual(['1', '2', '3'])
    expect(new URL(calls[1]!.url).searchParams.get('offset')).toBe('2')
    expect(await count('fallout', { state: 'open' })).toBe(812)
  })

  it('sends a file as it is, and tells a new one from one that was known', async () => {
    answers(json({ id: 'f' }, {}, 201), json({ id: 'f' }))
    const file = new File(['a;b\n'], 'Master 1.csv')
    expect(await sendUsageFile('switch-1', file)).toEqual({ file: { id: 'f' }, isKnown: false })
    expect((await sendUsageFile('switch-1', file)).isKnown).toBe(true)
    expect([calls[0]!.method, new URL(calls[0]!.url).search, calls[0]!.headers.get('content-type'), await calls[0]!.text()])
      .toEqual(['POST', '?source=switch-1&name=Master+1.csv', 'text/csv', 'a;b\n'])
  })

  it('pages the sources itself, for the server gives all of them', async () => {
    answers(json([{ name: 'a' }, { name: 'b' }, { name: 'c' }]))
    expect(await usageSources({ offset: 1, limit: 1, sort: 'name' })).toEqual({ rows: [{ id: 'b', name: 'b' }], total: 3 })
  })

  it('hears every piece of the stream and gives its events', async () => {
    answers(new Response('event: change\ndata: {"id":"1"}\n\n: still here\n\n', { headers: { 'content-type': 'text/event-stream' } }), json({}, {}, 404))
    const heard = vi.fn()
    const events: string[] = []
    expect(await listen((event) => events.push(event.data), heard, new AbortController().signal)).toBe(200)
    expect(events).toEqual(['{"id":"1"}'])
    expect(heard).toHaveBeenCalled()
    expect(await listen(() => {}, heard, new AbortController().signal)).toBe(404)
  })
})
