/** The only module that calls the server. Everything goes to the console's own origin, by TM Forum's paths. */
import createClient from 'openapi-fetch'
import type { paths } from './schema'
import type * as T from './types'
import { EventParser, type ServerEvent } from '../utils/serverEvents'

/** A path that the API's description has; another one doesn't compile. */
type Path = keyof paths

const PATHS = {
  category: '/tmf-api/productCatalogManagement/v4/category',
  productSpecification: '/tmf-api/productCatalogManagement/v4/productSpecification',
  productOffering: '/tmf-api/productCatalogManagement/v4/productOffering',
  productOfferingPrice: '/tmf-api/productCatalogManagement/v4/productOfferingPrice',
  individual: '/tmf-api/party/v4/individual',
  organization: '/tmf-api/party/v4/organization',
  customer: '/tmf-api/customerManagement/v4/customer',
  billingAccount: '/tmf-api/accountManagement/v4/billingAccount',
  productOrder: '/tmf-api/productOrderingManagement/v4/productOrder',
  cancelProductOrder: '/tmf-api/productOrderingManagement/v4/cancelProductOrder',
  serviceOrder: '/tmf-api/serviceOrdering/v4/serviceOrder',
  product: '/tmf-api/productInventory/v4/product',
  service: '/tmf-api/serviceInventory/v4/service',
  resource: '/tmf-api/resourceInventoryManagement/v4/resource',
  usage: '/tmf-api/usageManagement/v4/usage',
  customerBill: '/tmf-api/customerBillManagement/v4/customerBill',
  appliedCustomerBillingRate: '/tmf-api/customerBillManagement/v4/appliedCustomerBillingRate',
  payment: '/tmf-api/paymentManagement/v4/payment',
  paymentRequest: '/bss-api/v1/paymentRequest',
  settlement: '/bss-api/v1/settlement',
  writeOff: '/bss-api/v1/writeOff',
  topUp: '/bss-api/v1/topUp',
  creditNote: '/bss-api/v1/creditNote',
  allowance: '/bss-api/v1/allowance',
  allocation: '/bss-api/v1/allocation',
  fallout: '/bss-api/v1/fallout',
  ledgerEntry: '/bss-api/v1/ledger/entry',
  parkedEvent: '/bss-api/v1/events/parked',
  usageFile: '/bss-api/v1/usageFile',
  usageReject: '/bss-api/v1/usageReject',
  usageSource: '/bss-api/v1/usageSource',
  billRun: '/bss-api/v1/billRun',
} as const satisfies Record<string, Path>

interface Types {
  category: T.Category
  productSpecification: T.Specification
  productOffering: T.Offering
  productOfferingPrice: T.OfferingPrice
  individual: T.Party
  organization: T.Party
  customer: T.Customer
  billingAccount: T.BillingAccount
  productOrder: T.ProductOrder
  cancelProductOrder: T.Entity
  serviceOrder: T.ServiceOrder
  product: T.Product
  service: T.Service
  resource: T.StockItem
  usage: T.Usage
  customerBill: T.CustomerBill
  appliedCustomerBillingRate: T.BillingRate
  payment: T.Payment
  paymentRequest: T.Payment
  settlement: T.Settlement
  writeOff: T.WriteOff
  topUp: T.TopUp
  creditNote: T.CreditNote
  allowance: T.Allowance
  allocation: T.Allocation
  fallout: T.Fallout
  ledgerEntry: T.LedgerEntry
  parkedEvent: T.ParkedEvent
  usageFile: T.UsageFile
  usageReject: T.UsageReject
  usageSource: T.UsageSource
  billRun: T.BillRun
}

export type ResourceName = keyof Types
export type Resource<N extends ResourceName> = Types[N]
export type ListQuery = Record<string, string | number | undefined>
/** `exact` is false where the server has stopped counting: there are more than `total`. */
export interface Page<R> { rows: R[], total: number, exact?: boolean }
export interface CallOptions { signal?: AbortSignal, idempotencyKey?: string, ifMatch?: string }

/** TM Forum's Error object together with what a support call needs. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly reason: string,
    message: string,
    readonly correlationId: string,
    readonly retryAfter = '',
    readonly field = '',
    readonly value = '',
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

/** What the client needs of the sign-in; given once by the sign-in plugin. */
export interface Session { token: () => string | undefined, renew: () => Promise<void> }
let session: Session = { token: () => undefined, renew: async () => {} }
export function useSessionFor(next: Session): void {
  session = next
}

// Looked up at call time, so that a test may replace it.
const http = createClient<paths>({
  baseUrl: '',
  fetch: (request) => globalThis.fetch(request),
  // An attribute's path may hold signs of its own: relatedParty[role=customer].id
  querySerializer: (query) => new URLSearchParams(
    Object.entries(query as ListQuery).filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]),
  ).toString(),
})
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
type Untyped = (method: string, url: string, init: object) => Promise<{ data?: unknown, error?: unknown, response: Response }>

interface Call extends CallOptions {
  at?: Record<string, string>, query?: ListQuery, body?: unknown, parseAs?: 'blob'
  /** What a body is that goes as it stands: a file. Any other body is JSON. */
  contentType?: string
}

/** One call of the API: its path as the description writes it, and what stands in the path's places. */
async function send(
  method: Method, path: Path, init: Call = {},
): Promise<{ data: unknown, response: Response }> {
  const headers: Record<string, string> = {}
  const token = session.token()
  if (token) headers.authorization = `Bearer ${token}`
  if (init.idempotencyKey) headers['idempotency-key'] = init.idempotencyKey
  if (init.ifMatch) headers['if-match'] = init.ifMatch
  if (method === 'PATCH') headers['content-type'] = 'application/merge-patch+json'
  if (init.contentType) headers['content-type'] = init.contentType
  const result = await (http.request as unknown as Untyped)(method.toLowerCase(), path, {
    params: { path: init.at, query: init.query },
    body: init.body,
    headers,
    signal: init.signal,
    parseAs: init.parseAs,
    bodySerializer: init.contentType ? (body: unknown) => body : undefined,
  }).catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new ApiError(0, 'unreachable', 'The server did not answer',
      'The connection failed or was cut. The server may be restarting; try again in a moment.', '')
  })
  const { response } = result
  if (response.ok) return { data: result.data, response }
  if (response.status === 401) await session.renew()
  throw toError(response, result.error)
}

function toError(response: Response, body: unknown): ApiError {
  const fields = (body && typeof body === 'object' ? body : {}) as Record<string, string | undefined>
  return new ApiError(
    response.status,
    String(fields.code ?? response.status),
    fields.reason ?? response.statusText,
    fields.message ?? `The server answered ${response.status}.`,
    response.headers.get('x-correlation-id') ?? '',
    response.headers.get('retry-after') ?? '',
    fields.field ?? '',
    fields.value === undefined ? '' : String(fields.value),
  )
}

function item(name: ResourceName): Path {
  return `${PATHS[name]}/{id}` as Path
}

/** What a resource belongs to a customer by; the server keeps an index under this very path. */
export const OF_CUSTOMER = 'relatedParty[role=customer].id'

function pageOf<R>(rows: R[], { headers }: Response): Page<R> {
  const total = Number.parseInt(headers.get('x-total-count') ?? '', 10)
  return {
    rows, total: Number.isNaN(total) ? rows.length : total, exact: headers.get('x-total-count-exact') !== 'false',
  }
}

/** One page of a collection with the whole count (`X-Total-Count`). */
export async function list<N extends ResourceName>(
  name: N, query: ListQuery = {}, options: CallOptions = {},
): Promise<Page<Resource<N>>> {
  const { data, response } = await send('GET', PATHS[name], { ...options, query })
  const rows = (Array.isArray(data) ? data : []) as Resource<N>[]
  return pageOf(rows, response)
}

/** One resource; `etag` guards a later change against somebody else's. */
export async function get<N extends ResourceName>(
  name: N, id: string, options: CallOptions = {},
): Promise<Resource<N> & { etag?: string }> {
  const { data, response } = await send('GET', item(name), { ...options, at: { id } })
  return { ...(data as Resource<N>), etag: response.headers.get('etag') ?? undefined }
}

/** Creates a resource; the key makes a second click or a retry harmless. */
export async function create<N extends ResourceName>(name: N, body: unknown, idempotencyKey: string): Promise<Resource<N>> {
  return (await send('POST', PATHS[name], { body, idempotencyKey })).data as Resource<N>
}

/** A merge patch; with the etag read before, another's change in between is refused instead of lost. */
export async function patch<N extends ResourceName>(name: N, id: string, body: unknown, ifMatch?: string): Promise<Resource<N>> {
  return (await send('PATCH', item(name), { at: { id }, body, ifMatch })).data as Resource<N>
}

/** How many there are that match, without their rows. */
export async function count(name: ResourceName, query: ListQuery = {}, options: CallOptions = {}): Promise<number> {
  return (await list(name, { ...query, limit: 1, fields: 'id' }, options)).total
}

/** All that match, page by page; for small sets such as a catalog. */
export async function listAll<N extends ResourceName>(
  name: N, query: ListQuery = {}, options: CallOptions = {}, most = 1000,
): Promise<Resource<N>[]> {
  const rows: Resource<N>[] = []
  while (rows.length < most) {
    const page = await list(name, { ...query, offset: rows.length, limit: 200 }, options)
    rows.push(...page.rows)
    if (page.rows.length === 0 || rows.length >= page.total) break
  }
  return rows
}

async function read<R>(path: Path, init: Call = {}): Promise<R> {
  return (await send('GET', path, init)).data as R
}

export const dashboard = (o?: CallOptions) => read<T.Dashboard>('/bss-api/v1/dashboard', o)
export const search = (q: string, o?: CallOptions) => read<T.SearchHit[]>('/bss-api/v1/search', { ...o, query: { q } })
export const clock = (o?: CallOptions) => read<T.Clock>('/bss-api/v1/clock', o)
export const trialBalance = (o?: CallOptions) => read<T.TrialBalanceRow[]>('/bss-api/v1/ledger/trialBalance', o)
export const topics = (o?: CallOptions) => read<T.Topic[]>('/bss-api/v1/events/topics', o)
export const groups = (o?: CallOptions) => read<T.Group[]>('/bss-api/v1/events/groups', o)
export const messages = (topic: string, query: ListQuery, o?: CallOptions) =>
  read<T.Message[]>('/bss-api/v1/events/topics/{name}/messages', { ...o, at: { name: topic }, query })
export const trace = (id: string, o?: CallOptions) => read<T.ExplainNode>('/bss-api/v1/trace/{id}', { ...o, at: { id } })
export const analytics = (id: string, o?: CallOptions) => read<T.Analytics>('/bss-api/v1/analytics/customer/{id}', { ...o, at: { id } })
export const explainUsage = (id: string, o?: CallOptions) =>
  read<T.BilledUsage | T.ExplainNode>('/bss-api/v1/usage/{id}/explain', { ...o, at: { id } })
export const explainBill = (id: string, query?: ListQuery, o?: CallOptions) =>
  read<T.BillExplanation | T.ExplainNode>('/tmf-api/customerBillManagement/v4/customerBill/{id}/explain', { ...o, at: { id }, query })
/** The account's next bill as it stands now; nothing is written. */
export const previewBill = (account: string, o?: CallOptions) =>
  read<T.BillPreview>('/bss-api/v1/billPreview', { ...o, query: { 'billingAccount.id': account } })

/** What an order would put on its first bills, by the bill's own function; nothing is written. */
export async function previewOrder(productOrder: unknown, o: CallOptions = {}): Promise<T.BillPreview> {
  return (await send('POST', '/bss-api/v1/billPreview', { ...o, body: { productOrder } })).data as T.BillPreview
}

/** The lines of one ledger account, newest first as the server sorts them. */
export async function ledgerAccount(code: string, query: ListQuery, o: CallOptions = {}): Promise<Page<T.LedgerLine>> {
  const { data, response } = await send('GET', '/bss-api/v1/ledger/account/{id}', { ...o, at: { id: code }, query })
  const rows = (Array.isArray(data) ? data : []) as T.LedgerLine[]
  return pageOf(rows, response)
}

/** The bill's document. It is fetched, for a token never stands in an address. */
export async function billPdf(id: string): Promise<Blob> {
  return (await send('GET', '/tmf-api/customerBillManagement/v4/customerBill/{id}/pdf', { at: { id }, parseAs: 'blob' })).data as Blob
}

export type PaymentAct = 'authorize' | 'deny' | 'fail' | 'cancel' | 'capture' | 'chargeback'

/** What a channel said of a payment, or is told to do with it. The answer is the payment; a chargeback says what it opened again. */
export async function actOnPayment(id: string, act: PaymentAct, body: object, idempotencyKey: string): Promise<T.Payment & T.Chargeback> {
  return (await send('POST', `/bss-api/v1/payment/{id}/${act}`, { at: { id }, body, idempotencyKey })).data as T.Payment & T.Chargeback
}

/** Tells order processing to try the failed steps of an order again. */
export async function retryFallout(orderId: string, idempotencyKey: string): Promise<void> {
  await send('POST', '/bss-api/v1/fallout/{id}/retry', { at: { id: orderId }, body: {}, idempotencyKey })
}

/** Validates a bill on hold as it is. */
export async function releaseBill(id: string, idempotencyKey: string): Promise<void> {
  await send('POST', '/bss-api/v1/customerBill/{id}/release', { at: { id }, body: {}, idempotencyKey })
}

/** Computes a bill on hold anew. */
export async function computeBillAnew(id: string, idempotencyKey: string): Promise<void> {
  await send('POST', '/bss-api/v1/customerBill/{id}/computeAnew', { at: { id }, body: {}, idempotencyKey })
}

/** Sends a rejected usage record through mediation again, with a mended text where one is given. */
export async function replayReject(id: string, raw: string, idempotencyKey: string): Promise<T.UsageReject> {
  return (await send('POST', '/bss-api/v1/usageReject/{id}/replay', { at: { id }, body: { raw }, idempotencyKey })).data as T.UsageReject
}

/** The switches that write usage files. The server gives all of them at once, known by their names. */
export async function usageSources(query: ListQuery = {}, options: CallOptions = {}): Promise<Page<T.UsageSource>> {
  const all = await read<Omit<T.UsageSource, 'id'>[]>(PATHS.usageSource, options)
  const from = Number(query.offset ?? 0)
  const rows = all.slice(from, from + Number(query.limit ?? all.length))
  return { rows: rows.map((source) => ({ ...source, id: source.name })), total: all.length }
}

/** Declares a source of usage, or declares it anew. */
export async function putUsageSource({ name, ...body }: T.SentSource): Promise<void> {
  await send('PUT', '/bss-api/v1/usageSource/{id}', { at: { id: name }, body })
}

/** Imports a usage file to its end. `isKnown` where its content was imported before: then nothing was taken twice. */
export async function sendUsageFile(
  source: string, file: File, options: CallOptions = {},
): Promise<{ file: T.UsageFile, isKnown: boolean }> {
  const query = { source, name: file.name }
  const { data, response } = await send('POST', PATHS.usageFile, { ...options, query, body: file, contentType: 'text/csv' })
  return { file: data as T.UsageFile, isKnown: response.status === 200 }
}

/** Lets a group try a parked event again. */
export async function retryParked(id: string, idempotencyKey: string): Promise<void> {
  await send('POST', '/bss-api/v1/events/parked/{id}/retry', { at: { id }, body: {}, idempotencyKey })
}

/** Gives a parked event up, so that the events of its key behind it go on. */
export async function skipParked(id: string, reason: string, idempotencyKey: string): Promise<void> {
  await send('POST', '/bss-api/v1/events/parked/{id}/skip', { at: { id }, body: { reason }, idempotencyKey })
}

const LIVE: Path = '/bss-api/v1/live'

/**
 * Reads the stream of changes until it ends or is aborted; `heard` is called for every piece that arrives, heartbeats
 * included. By `fetch`, for an EventSource would need the token in the address. Gives the status of an answer that is no stream.
 */
export async function listen(
  onEvent: (event: ServerEvent) => void, heard: () => void, signal: AbortSignal,
): Promise<number> {
  const token = session.token()
  const response = await globalThis.fetch(LIVE, {
    headers: { accept: 'text/event-stream', ...(token ? { authorization: `Bearer ${token}` } : {}) }, signal,
  })
  if (!response.ok || !response.body) return response.status
  const parser = new EventParser()
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return response.status
    heard()
    for (const event of parser.feed(value)) onEvent(event)
  }
}
