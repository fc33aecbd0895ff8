/** One operator's small world for the browser tests: an answer for every call of the console. */
const EUR = (value: number) => ({ unit: 'EUR', value })
const id = (n: number) => `0190a1b2-c3d4-8e5f-8a6b-1122334455${String(n).padStart(2, '0')}`
const ref = (n: number, type: string, name?: string) => ({ id: id(n), '@referredType': type, ...(name ? { name } : {}) })
export const CUSTOMER = id(1)
export const IDS = { customer: id(1), account: id(2), order: id(3), offering: id(4), product: id(6), usage: id(7), file: id(8), reject: id(9), bill: id(10), line: id(11), run: id(12), payment: id(13), entry: id(14), parked: id(15), fallout: id(16), partlyPaidBill: id(82), pendingPayment: id(92), authorizedPayment: id(94) }
const day = (d: number, time = '09:30:00') => `2026-03-${String(d).padStart(2, '0')}T${time}Z`
const period = { startDateTime: '2026-02-28T23:00:00Z', endDateTime: '2026-03-31T22:00:00Z' }
const names = ['Ada Kowalska', 'Bolt & Nut sp. z o.o.', 'Jürgen Weiß', 'Zażółć Gęślą Jaźń', 'Noor Al-Sabah', '田中 健']

const customers = names.map((name, n) => ({
  '@type': 'Customer', id: n === 0 ? id(1) : id(40 + n), name, status: n === 3 ? 'suspended' : 'active', account: [ref(2, 'BillingAccount', `${100234 + n}`)],
  engagedParty: ref(50 + n, n === 1 ? 'Organization' : 'Individual', name), validFor: { startDateTime: day(1 + n) },
  contactMedium: [{ mediumType: 'email', characteristic: { emailAddress: 'ada@example.net' } }, { mediumType: 'postalAddress', characteristic: { street1: 'ul. Prosta 1', postCode: '00-001', city: 'Warszawa', country: 'PL' } }],
}))
const prices = [
  { id: id(20), name: 'Mobile M, monthly', version: '2', priceType: 'recurring', recurringChargePeriodType: 'month', recurringChargePeriodLength: 1, price: EUR(19.99), tax: [{ taxCategory: 'S', taxRate: 23 }], taxIncluded: true, inAdvance: true, proration: 'seconds', lifecycleStatus: 'active', validFor: { startDateTime: day(1) } },
  { id: id(21), name: 'Mobile M, activation', version: '1', priceType: 'oneTime', price: EUR(9), dueOn: 'activation', tax: [{ taxCategory: 'S', taxRate: 23 }], lifecycleStatus: 'active' },
  { id: id(22), name: 'National minutes', version: '1', priceType: 'allowance', allowance: { quantity: '100 min', covers: [{ service: 'voice', direction: 'outgoing', zones: ['national', 'onnet'] }] }, lifecycleStatus: 'active' },
  { id: id(23), name: 'Overage', version: '1', priceType: 'usage', price: { unit: 'EUR' }, lifecycleStatus: 'active', tariff: {
    zones: [{ name: 'onnet', prefixes: ['48601', '48602'] }, { name: 'national', prefixes: ['48'] }, { name: 'world', prefixes: [''] }],
    rates: [
      { service: 'voice', direction: 'outgoing', zone: 'national', bands: [{ name: 'peak', days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00', connectionFee: 0.05, steps: [{ unit: 'min', increment: 60, price: 0.1 }, { from: 60, unit: 'min', increment: 1, price: 0.1 }] }, { name: 'off-peak', steps: [{ unit: 'min', increment: 1, price: '0.05' }] }] },
      { service: 'data', zone: '*', counter: 'data', graduated: [{ upTo: '1 GB', steps: [{ unit: 'MB', increment: 'kB', price: 0.02 }] }, { steps: [{ unit: 'MB', increment: 'kB', price: 0.01 }] }] },
    ] } },
  { id: id(24), name: 'Mobile M, monthly', version: '1', priceType: 'recurring', recurringChargePeriodType: 'month', price: EUR(17.99), lifecycleStatus: 'retired' },
]
const offering = (n: number, name: string, version: string, status: string, priceIds: number[]) => ({
  '@type': 'ProductOffering', id: id(n), name, version, lifecycleStatus: status, isSellable: true, category: [ref(30, 'Category', 'Mobile')], description: 'Minutes, messages and data for one number; what goes beyond is charged by use.',
  validFor: { startDateTime: day(1) }, productOfferingPrice: priceIds.map((p) => ref(p, 'ProductOfferingPrice')),
  prodSpecCharValueUse: [{ name: 'numberType', productSpecCharacteristicValue: [{ value: 'any', isDefault: true }, { value: 'gold' }] }],
})
const offerings = [offering(4, 'Mobile M', '2', 'active', [20, 21, 22, 23]), offering(5, 'Mobile M', '1', 'retired', [24, 22, 23]), offering(25, 'Fibre 1000', '1', 'active', [21]), offering(26, 'SIM card', '1', 'active', [])]
const STATES = ['completed', 'inProgress', 'failed', 'acknowledged', 'completed', 'partial']
const orders = STATES.map((state, n) => ({
  '@type': 'ProductOrder', id: n === 0 ? id(3) : id(60 + n), state, orderDate: day(24, `0${n}:12:31`), completionDate: state === 'completed' ? day(24, `0${n}:12:33`) : undefined,
  relatedParty: [{ ...ref(n === 0 ? 1 : 40 + n, 'Customer', names[n]), role: 'customer' }], billingAccount: ref(2, 'BillingAccount', '100234'),
  productOrderItem: [{ id: '1', action: 'add', quantity: 1, state, productOffering: ref(4, 'ProductOffering', 'Mobile M') }, { id: '2', action: 'add', quantity: 2, state, productOffering: ref(26, 'ProductOffering', 'SIM card') }],
  productOrderErrorMessage: state === 'failed' || state === 'partial' ? [{ code: 'networkRefused', reason: 'The network refused', message: 'No free port at this address after 5 attempts', timestamp: day(24) }] : undefined,
}))
const serviceOrders = [
  { '@type': 'ServiceOrder', id: id(31), externalId: id(3), state: 'completed', orderDate: day(24, '00:12:31'), completionDate: day(24, '00:12:33'), serviceOrderItem: [{ id: '1', state: 'completed', service: { id: id(32), name: 'Mobile line' } }], milestone: [{ name: 'reserved', status: 'completed', milestoneDate: day(24, '00:12:31') }, { name: 'activating', status: 'completed', milestoneDate: day(24, '00:12:32'), message: 'attempt 1 of 5' }, { name: 'activated', status: 'completed', milestoneDate: day(24, '00:12:33') }] },
]
const usage = [3661, 61, 600, 12, 1_500_000].map((quantity, n) => ({
  '@type': 'Usage', id: n === 0 ? id(7) : id(70 + n), usageDate: day(24 - n, '18:04:09'), usageType: n === 4 ? 'data' : 'voice', status: n === 3 ? 'rerated' : 'rated',
  usageCharacteristic: [{ name: 'direction', value: 'outgoing' }, { name: 'peer', value: '48601…' }, { name: 'quantity', value: quantity }, { name: 'unit', value: n === 4 ? 'B' : 's' }],
  relatedParty: [ref(1, 'Customer', names[0])], ratedProductUsage: [{ ratingDate: day(24), taxExcludedRatingAmount: EUR(quantity / 1000), usageRatingTag: n === 1 ? 'allowance' : 'usage', productRef: ref(6, 'Product', 'Mobile M') }],
}))
const bills = ['sent', 'settled', 'partiallyPaid', 'onHold', 'validated'].map((state, n) => ({
  '@type': 'CustomerBill', id: n === 0 ? id(10) : id(80 + n), billNo: `2026-00004${n}`, state, billDate: day(5 + n), paymentDueDate: day(19 + n), billingPeriod: period, runType: 'onCycle',
  taxExcludedAmount: n === 4 ? { unit: 'KWD', value: 7.125 } : EUR(17.21), taxIncludedAmount: n === 4 ? { unit: 'KWD', value: 7.125 } : EUR(21.17), amountDue: EUR(21.17), remainingAmount: EUR(state === 'settled' ? 0 : state === 'partiallyPaid' ? 11.17 : 21.17),
  billingAccount: ref(2, 'BillingAccount', '100234'), relatedParty: [{ ...ref(1, 'Customer', names[n]), role: 'customer' }], taxItem: [{ taxCategory: 'S', taxRate: 23, taxAmount: EUR(3.96) }],
  appliedPayment: state === 'partiallyPaid' ? [{ appliedAmount: EUR(9), payment: ref(13, 'Payment') }, { appliedAmount: EUR(1), payment: ref(35, 'CreditNote') }] : undefined,
}))
const rates = [
  { '@type': 'AppliedCustomerBillingRate', id: id(11), name: 'Mobile M, monthly', type: 'recurring', periodCoverage: period, line: 1, product: ref(6, 'Product', 'Mobile M'), bill: ref(10, 'CustomerBill'), taxExcludedAmount: EUR(16.25), taxIncludedAmount: EUR(19.99) },
  { '@type': 'AppliedCustomerBillingRate', id: id(17), name: 'Calls, national', type: 'usage', periodCoverage: period, line: 2, product: ref(6, 'Product', 'Mobile M'), bill: ref(10, 'CustomerBill'), taxExcludedAmount: EUR(0.96), taxIncludedAmount: EUR(1.18) },
]
const explain = { type: 'CustomerBill', id: id(10), label: 'Bill 2026-000040', amount: EUR(21.17), children: [
  { type: 'AppliedCustomerBillingRate', id: id(11), label: 'Mobile M, monthly', amount: EUR(16.25), why: '19.99 a month with 23 % tax: net 16.25', children: [{ type: 'segment', label: '2026-03-01 – 2026-04-01', why: 'one whole period, 2,674,800 s', amount: EUR(16.25) }] },
  { type: 'AppliedCustomerBillingRate', id: id(17), label: 'Calls, national', amount: EUR(0.96), quantity: { amount: 672, units: 's' }, children: [
    { type: 'Usage', id: id(7), label: 'national, outgoing', at: day(24), quantity: { amount: 61, units: 's' }, amount: EUR(0.081333333), why: 'off-peak, by the second, 0.08 a minute' },
    { type: 'more', label: '1,800 more', amount: EUR(0.878666667) }] },
  { type: 'tax', label: 'S 23 %', why: '23 % of 17.21, rounded once', amount: EUR(3.96) }] }
const explanation = { id: id(10), billNo: '2026-000040', taxIncludedAmount: EUR(21.17), tax: [{ category: 'S', ratePpm: 230000, netMinor: 1721, taxMinor: 396 }], line: [
  { line: 1, kind: 'recurring', description: 'Mobile M, monthly', price: { id: id(20), name: 'Mobile M, monthly', version: '2' }, quantity: 1, exactAmount: '19.99', amount: EUR(19.99), taxExcludedAmount: EUR(16.25), obligation: { revision: 0, owed: '19.99', owedBefore: '0', piece: [{ ...period, quantity: 1, amount: '19.99' }] } },
  { line: 2, kind: 'usage', description: 'Calls, national', price: { id: id(23), name: 'Overage', version: '1' }, quantity: 672, unit: 'second', covered: 60, records: 1801, exactAmount: '0.96', amount: EUR(0.96), taxExcludedAmount: EUR(0.96), usage: [
    { id: id(7), startDateTime: day(24), quantity: 61, zone: 'national', amount: '0.101666667', part: [
      { why: { kind: 'connectionFee', band: 'peak' }, quantity: 0, charged: 1, unit: 1, unitPrice: '0.05', amount: '0.05' },
      { why: { kind: 'step', band: 'peak', step: 0 }, quantity: 61, charged: 62, unit: 60, unitPrice: '0.05', amount: '0.051666667' }] }] }] }
const payments = ['captured', 'done', 'pendingAuthorization', 'denied', 'authorized', 'captured', 'failed'].map((status, n) => ({
  '@type': 'Payment', id: n === 0 ? id(13) : id(90 + n), status, paymentDate: day(12 + n), totalAmount: EUR(30), amount: EUR(30), unallocatedAmount: n === 0 ? EUR(8.83) : EUR(0), account: ref(2, 'BillingAccount', '100234'), payer: ref(1, 'Customer', names[0]), paymentMethod: { '@type': n === 4 ? 'bankCard' : 'bankTransfer' },
  statusDate: day(12 + n, '09:31:00'), channel: { id: n === 4 ? 'bankCard' : 'bankTransfer', name: n === 4 ? 'bankCard' : 'bankTransfer' }, authorizationCode: status === 'authorized' ? 'A-42-9917' : undefined, statusReason: status === 'denied' ? 'insufficient funds' : status === 'failed' ? 'the card network is down for good' : undefined,
  paymentItem: [{ id: '1', amount: EUR(21.17), item: ref(10, 'CustomerBill', '2026-000040') }],
}))
const files = [['Master-2026-03-24.csv', 50000, 49490, 0, 500, 10], ['Master-2026-03-23.csv', 1000, 400, 600, 0, 0]].map(([name, records, rated, waiting, rejected, duplicates], n) => (
  { '@type': 'UsageFile', id: id(n === 0 ? 8 : 18), name, format: 'asterisk', source: 'switch-waw-1', state: n === 0 ? 'imported' : 'importing', receivedAt: day(24), finishedAt: n === 0 ? day(24, '09:30:02') : undefined, records, rated, waiting, rejected, duplicates }))
const rejects = [{ '@type': 'UsageReject', id: id(9), file: ref(8, 'UsageFile', 'Master-2026-03-24.csv'), line: 1234, code: 'unknownDisposition', reason: 'disposition “ANSWRED” is none that Asterisk writes', raw: '"","48601…","48602…","default","…","2026-03-24 18:04:09","…","ANSWRED","3","1"', state: 'open', at: day(24) },
  { '@type': 'UsageReject', id: id(19), file: ref(8, 'UsageFile', 'Master-2026-03-24.csv'), line: 2201, code: 'unknownNumber', reason: 'nobody had this number then', raw: '"","48699…"', state: 'replayed', at: day(24), usage: ref(7, 'Usage') }]
const sources = [{ name: 'switch-waw-1', format: 'asterisk', zone: 'Europe/Warsaw', numbers: { internationalPrefix: '00', trunkPrefix: '0', countryCode: '48' } }, { name: 'data-gateway', format: 'generic', zone: 'UTC', numbers: { internationalPrefix: '', trunkPrefix: '', countryCode: '' } }]
const runs = [{ '@type': 'BillRun', id: id(12), state: 'running', startedAt: day(25), closeThrough: day(24), accounts: 20000, done: 8240, bills: 8201, onHold: 2, failed: 0, total: [EUR(173642.11), { unit: 'KWD', value: 12.375 }], anomaly: [{ billingAccount: ref(2, 'BillingAccount', '100234'), bill: ref(83, 'CustomerBill', '2026-000043'), code: 'unusualTotal', reason: 'the total is 14 times the account’s usual' }] }]
const ledger = [['receivable', 'Receivable', 21170, 10000], ['revenue', 'Revenue', 0, 17210], ['taxPayable', 'Tax payable', 0, 3960], ['clearing.bank', 'Clearing, bank', 10000, 0]].map(([account, name, d, c]) => (
  { account, name, currency: 'EUR', debit: EUR(Number(d) / 100), credit: EUR(Number(c) / 100), balance: EUR((Number(d) - Number(c)) / 100) }))
const entry = { '@type': 'LedgerEntry', id: id(14), at: day(5), kind: 'billValidated', cause: ref(10, 'CustomerBill', '2026-000040'), billingAccount: ref(2, 'BillingAccount', '100234'), line: [{ account: 'receivable', name: 'Receivable', debit: EUR(21.17) }, { account: 'revenue', name: 'Revenue', credit: EUR(17.21) }, { account: 'taxPayable', name: 'Tax payable', credit: EUR(3.96) }] }
const line = { id: `${id(14)}:1`, entry: id(14), at: day(5), kind: 'billValidated', cause: ref(10, 'CustomerBill', '2026-000040'), debit: EUR(21.17), balance: EUR(211.7) }
const topics = ['bss.order.events', 'bss.usage.events', 'bss.billing.events', 'bss.payment.events'].map((name, n) => ({ name, partitions: 64, messages: 1234567 * n + 812, oldest: day(1), newest: day(24) }))
const groups = [['order-processing', 0, 'live'], ['charging', 4200, 'live'], ['customer-analytics', 812345, 'stalled']].map(([name, lag, state]) => (
  { name, topics: ['bss.usage.events'], lag, parked: state === 'stalled' ? 1 : 0, workers: 2, rate: 1234.5, state, partition: [{ topic: 'bss.usage.events', partition: 0, position: 4000, head: 4000 + Number(lag), worker: 'w-1' }] }))
const message = { partition: 12, position: 345, key: id(1), id: 'e-1', type: 'productOrderStateChangeEvent', time: day(24), traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', data: { id: id(3), state: 'completed' } }
const parked = [{ id: id(15), group: 'customer-analytics', topic: 'bss.usage.events', partition: 12, position: 345, key: id(1), type: 'usageRatedEvent', reason: 'amount beyond what an hour can hold', attempts: 5, at: day(24), waiting: 17 }]
const fallout = [{ id: id(16), productOrder: ref(62, 'ProductOrder'), serviceOrder: ref(31, 'ServiceOrder'), customer: ref(42, 'Customer', names[2]), step: 'activate', code: 'outcomeUnknown', reason: 'the network hung and doesn’t know the request', attempts: 5, at: day(24), held: [], state: 'open' }]
const allowances = [{ id: id(33), name: 'National minutes', product: ref(6, 'Product'), granted: 6000, used: 4380, reserved: 120, units: 's', validFor: period }, { id: id(34), name: 'Data in the EU', product: ref(6, 'Product'), granted: 10e9, used: 9.6e9, units: 'B', validFor: period }]
const product = { '@type': 'Product', id: id(6), name: 'Mobile M', status: 'active', startDate: day(1), productOffering: ref(4, 'ProductOffering', 'Mobile M'), billingAccount: ref(2, 'BillingAccount', '100234'), productCharacteristic: [{ name: 'msisdn', value: '48601234567' }], relatedParty: [ref(1, 'Customer', names[0])] }
const account = { '@type': 'BillingAccount', id: id(2), name: '100234', state: 'active', currency: 'EUR', timeZone: 'Europe/Warsaw', cycleDay: 1, relatedParty: [ref(1, 'Customer', names[0])], accountBalance: [{ balanceType: 'receivable', amount: EUR(32.34) }, { balanceType: 'customerCredit', amount: EUR(-8.83) }, { balanceType: 'prepaid', amount: EUR(4.2) }] }
const analytics = { usage: [{ type: 'voice', count: 214, quantity: 41230, units: 's', amount: EUR(3.21) }, { type: 'data', count: 88, quantity: 9.6e9, units: 'B', amount: EUR(0) }], billed: [EUR(254.04)], paid: [EUR(232.87)], open: [EUR(21.17)], latePayer: true }
const dashboard = { at: day(24), since: day(24, '00:00:00'), orders: { today: 1204, completed: 1180, open: 24 }, revenue: { since: day(1), amount: [EUR(173642.11)] }, usage: { today: 50000, rated: 49490, waiting: 600 }, billsDue: { count: 812, overdue: 14, open: [EUR(17120.4)] }, failures: { fallout: 1, rejects: 500, parked: 1, denied: 2 }, streams: { lag: 4200, group: 'charging', stalled: 0 } }
const preview = { bill: { taxExcludedAmount: EUR(25.25), taxIncludedAmount: EUR(31.06), taxItem: [{ taxCategory: 'S', taxRate: 23, taxAmount: EUR(5.81) }] }, rate: [rates[0], { id: '', name: 'Mobile M, activation', taxExcludedAmount: EUR(9) }], explain, recurring: [EUR(19.99)] }
const hits = [{ type: 'Customer', id: id(1), label: names[0], detail: '100234', state: 'active' }, { type: 'CustomerBill', id: id(10), label: '2026-000040', state: 'sent' }]

/** Collections by the last step of their path. */
const LISTS: Record<string, object[]> = {
  category: [{ id: id(30), name: 'Mobile' }],
  customer: customers, billingAccount: [account], productOrder: orders, serviceOrder: serviceOrders, product: [product], productOffering: offerings, productOfferingPrice: prices,
  usage, customerBill: bills, appliedCustomerBillingRate: rates, payment: payments, usageFile: files, usageReject: rejects, usageSource: sources, billRun: runs, allowance: allowances, fallout, parked, messages: [message],
  trialBalance: ledger, topics, groups, search: hits, entry: [entry],
}
const SINGLES: Record<string, object> = { dashboard, clock: { now: day(25), mode: 'simulated' }, billPreview: preview }

/** The full answer of a call by its address. */
export function sample(url: URL): object | undefined {
  const steps = url.pathname.split('/').filter(Boolean)
  const last = steps.at(-1)!
  const before = steps.at(-2)!
  if (last === 'explain' && steps.includes('customerBill')) return explanation
  if (last === 'explain' || before === 'trace') return explain
  if (steps.includes('analytics')) return analytics
  if (before === 'account' && steps.includes('ledger')) return [line]
  if (SINGLES[last]) return SINGLES[last]
  const state = url.searchParams.get('state')
  const name = url.searchParams.get('name')
  const status = url.searchParams.get('status')
  if (LISTS[last]) {
    return LISTS[last].filter((row) => (!state || !('state' in row) || row.state === state) && (!name || !('name' in row) || row.name === name) && (!status || !('status' in row) || row.status === status))
  }
  const list = LISTS[before]
  return list?.find((row) => 'id' in row && row.id === last) ?? list?.[0]
}

/** The answer of the same call in a world where nothing has happened yet. */
export function nothing(url: URL): object | undefined {
  const full = sample(url)
  if (Array.isArray(full)) return []
  const last = url.pathname.split('/').at(-1)!
  if (last === 'dashboard') return { orders: { today: 0, completed: 0, open: 0 }, revenue: { amount: [] }, usage: { today: 0, rated: 0, waiting: 0 }, billsDue: { count: 0, overdue: 0, open: [] }, failures: { fallout: 0, rejects: 0, parked: 0 }, streams: { lag: 0 } }
  if (last === 'clock') return full
  if (last === 'billPreview') return { bill: {}, rate: [] }
  if (url.pathname.includes('/analytics/')) return {}
  if (last === 'explain' || url.pathname.includes('/trace/')) return { type: 'CustomerBill', label: 'Nothing' }
  return { id: last }
}
