import { describe, expect, it } from 'vitest'
import { fulfilmentTimeline, orderTimeline } from '../app/utils/timeline'
import { objectPath } from '../app/utils/links'
import { orderBody } from '../app/utils/orderForm'
import { amountText, parseAmount, paymentBody } from '../app/utils/paymentForm'
import { allows, placeOf, PLACES, startOf } from '../app/utils/places'
import { describePrice, paidIn, sellable, tariffRows } from '../app/utils/prices'
import { EventParser } from '../app/utils/serverEvents'
import { fill } from '../app/utils/text'
import { fileParts } from '../app/utils/usageCounts'

describe('server-sent events', () => {
  it.each([
    ['whole', ['event: change\ndata: {"id":1}\n\n'], [{ event: 'change', data: '{"id":1}', id: '' }]],
    ['cut anywhere', ['eve', 'nt: lag\nda', 'ta: a\n', '\n'], [{ event: 'lag', data: 'a', id: '' }]],
    ['comments and unknown fields', [': still here\n\nretry: 5\ndata: x\n\n'], [{ event: 'message', data: 'x', id: '' }]],
    ['several data lines', ['id: t:1:2\ndata: a\ndata: b\r\n\r\n'], [{ event: 'message', data: 'a\nb', id: 't:1:2' }]],
    ['unfinished', ['data: a\n'], []],
    ['a carriage return at the cut', ['data: a\r', '\n\r\n'], [{ event: 'message', data: 'a', id: '' }]],
  ])('%s', (_, pieces, events) => {
    const parser = new EventParser()
    expect(pieces.flatMap((piece) => parser.feed(piece))).toEqual(events)
  })
})

describe('prices', () => {
  const say = (key: string, values?: Record<string, string | number>) => fill(key, values)
  it.each([
    [{ priceType: 'recurring', recurringChargePeriodType: 'month', price: { unit: 'EUR', value: 19.99 } }, '19.99\u00a0EUR per month'],
    [{ priceType: 'recurring', recurringChargePeriodType: 'day', recurringChargePeriodLength: 30, price: { unit: 'JPY', value: 980 } }, '980\u00a0JPY per 30 day'],
    [{ priceType: 'oneTime', price: { unit: 'KWD', value: 1.5 } }, '1.500\u00a0KWD once'],
    [{ priceType: 'allowance', allowance: { quantity: '10 GB' } }, '10 GB included'],
    [{ priceType: 'allowance', allowance: { quantity: { amount: 100, units: 'min' } } }, '100\u00a0min included'],
    [{ priceType: 'discount', percentage: -10 }, '-10\u00a0%'],
    [{ priceType: 'commitment', commitment: { months: 24 } }, '24 months'],
  ])('%o reads %s', (price, text) => {
    expect(describePrice({ id: 'p', ...price }, say, 'en')).toBe(text)
  })

  it('flattens a tariff to one row for each step of each tier of each band', () => {
    const rows = tariffRows({ rates: [
      { service: 'voice', zone: 'national', bands: [
        { name: 'peak', days: ['mon'], from: '08:00', to: '18:00', connectionFee: 0.05, steps: [{ unit: 'min', increment: 60, price: 0.1 }, { from: 60, unit: 'min', increment: 1, price: 0.1 }] },
        { name: 'off-peak', steps: [{ unit: 'min', price: '0.05' }] }] },
      { service: 'data', zone: '*', graduated: [{ upTo: '1 GB', steps: [{ unit: 'MB', price: 0.02 }] }, { steps: [{ unit: 'MB', price: 0.01 }] }] },
      { service: 'sms', zone: '*', package: { size: 100, price: 1 } },
    ] })
    expect(rows.map((r) => [r.service, r.band, r.when, r.from, r.upTo, r.increment, r.price, r.fee].join('|'))).toEqual([
      'voice|peak|mon, 08:00–18:00|||60\u00a0s|0.1 / min|0.05', 'voice|peak|mon, 08:00–18:00|60\u00a0s||1\u00a0s|0.1 / min|0.05', 'voice|off-peak|||||0.05 / min|',
      'data||||1 GB||0.02 / MB|', 'data||||||0.01 / MB|', 'sms|||||100|1|',
    ])
  })

  it('offers what is active now and priced in the account’s currency', () => {
    const now = '2026-03-01T00:00:00Z'
    expect(sellable({ id: 'o', lifecycleStatus: 'Active' }, now)).toBe(true)
    expect(sellable({ id: 'o', lifecycleStatus: 'retired' }, now)).toBe(false)
    expect(sellable({ id: 'o', lifecycleStatus: 'active', validFor: { endDateTime: now } }, now)).toBe(false)
    expect(sellable({ id: 'o', lifecycleStatus: 'active', isSellable: false }, now)).toBe(false)
    expect(paidIn([{ id: 'p', price: { unit: 'EUR', value: 1 } }, { id: 'q' }], 'JPY')).toBe(false)
    expect(paidIn([{ id: 'q' }], 'JPY')).toBe(true)
  })
})

describe('forms', () => {
  it.each([['21.17', 'EUR', 21.17], ['21,5', 'EUR', 21.5], ['1.125', 'EUR', undefined], ['1.125', 'KWD', 1.125], ['1.5', 'JPY', undefined], ['0', 'EUR', undefined], ['-3', 'EUR', undefined], ['1e3', 'EUR', undefined]])('%s %s is %s', (text, currency, value) => {
    expect(parseAmount(text, currency)).toBe(value)
  })

  it('says what came in and which bill it settles, and leaves the sums to the server', () => {
    const amount = { unit: 'EUR', value: 30 }
    const body = paymentBody({ account: 'a', method: 'cash', amount, bill: 'b' })
    expect(body).toMatchObject({ amount, channel: { name: 'cash' }, paymentItem: [{ item: { id: 'b' } }] })
    expect(body).not.toHaveProperty('totalAmount')
    expect(paymentBody({ account: 'a', method: 'cash', amount })).not.toHaveProperty('paymentItem')
    expect(amountText({ unit: 'KWD', value: 1.5 })).toBe('1.500')
  })

  it('makes one order item for each line, with only the characteristics that were chosen', () => {
    expect(orderBody({ id: 'c' }, { id: 'a' }, [
      { offering: { id: 'o' }, quantity: 2, characteristics: { number: '48', colour: '' } }, { offering: { id: 'p' }, quantity: 1, characteristics: {} },
    ])).toMatchObject({
      relatedParty: [{ id: 'c', role: 'customer' }], billingAccount: { id: 'a' },
      productOrderItem: [{ id: '1', action: 'add', quantity: 2, product: { productCharacteristic: [{ name: 'number', value: '48' }] } }, { id: '2', quantity: 1 }],
    })
  })
})

describe('places and links', () => {
  it('knows the place of an address, and whose it is', () => {
    expect(['/', '/orders/fallout', '/nowhere'].map((path) => placeOf(path)?.label)).toEqual(['Home', 'Orders', undefined])
    expect([allows(['billing'], ['billing']), allows(['csr'], ['billing']), allows(['admin'], []), allows([], ['csr'])]).toEqual([true, false, true, false])
    expect(new Set(PLACES.map((p) => p.key)).size).toBe(PLACES.length)
  })

  it('leads to the page of a type, else to the trace', () => {
    expect([objectPath('CustomerBill', '1'), objectPath('ledgerEntry', '2'), objectPath('Individual', 'a/b')]).toEqual(['/billing/bills/1', '/ledger/entry/2', '/trace/a%2Fb'])
  })
})

it('tells an order’s story: milestones, then the step’s outcome', () => {
  const items = fulfilmentTimeline([{ id: 's', state: 'failed', serviceOrderItem: [{ service: { name: 'Line' } }], milestone: [{ name: 'reserved', status: 'completed' }], errorMessage: [{ message: 'no port' }] }])
  expect(items.map((i) => [i.label, i.state, i.detail])).toEqual([['Line: reserved', 'completed', undefined], ['Line', 'failed', 'no port']])
  expect(orderTimeline([{ id: 'o', productOrderItem: [{ action: 'modify', quantity: 2, productOffering: { id: 'x', name: 'SIM' } }] }])[0]?.label).toBe('modify 2 × SIM')
})

it('counts what became of a file', () => {
  expect(fileParts({ id: 'f', records: 10, rated: 7, rejected: 3 }).reduce((sum, part) => sum + part.count, 0)).toBe(10)
})

it('begins where the roles open a place', () => {
  expect([startOf(['admin']), startOf(['billing']), startOf(['customer']), startOf([])]).toEqual(['/', '/', '/customers', '/'])
})
