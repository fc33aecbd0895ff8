import { ref } from 'vue'
import { describe, expect, it } from 'vitest'
import { useIdempotencyKey } from '../app/composables/useIdempotencyKey'
import { beyond, broughtBy, isPaid, payables, paymentStanding, settlementBody } from '../app/utils/payments'

const payment = (id: string, channel: string, unit: string, value: number) => ({ id, channel: { id: channel, name: channel }, totalAmount: { unit, value } })

describe('a payment', () => {
  it.each([
    ['pendingAuthorization', 'authorized denied failed', 'authorize deny fail'],
    ['authorized', 'captured canceled failed', 'capture cancel fail'],
    ['captured', 'done', 'chargeback'],
    ['done', '', 'chargeback'],
    ['denied', '', ''], ['failed', '', ''], ['canceled', '', ''], [undefined, '', ''],
  ])('that is %s may become %s by %s', (status, next, acts) => {
    expect(paymentStanding(status)).toEqual({ next: next.split(' ').filter(Boolean), acts: acts.split(' ').filter(Boolean) })
    expect(isPaid(status)).toBe(acts === 'chargeback')
  })
})

describe('a settlement', () => {
  const payments = [payment('a', 'cash', 'EUR', 0.1), payment('b', 'card', 'EUR', 30), payment('c', 'cash', 'EUR', 0.2), payment('d', 'cash', 'KWD', 1.125), { id: 'e', totalAmount: { unit: 'EUR', value: 1 } }]

  it('puts together what one channel may pay out in one currency', () => {
    expect(payables(payments).map((g) => [g.key, g.payments.map((p) => p.id).join()])).toEqual([['cash EUR', 'a,c'], ['card EUR', 'b'], ['cash KWD', 'd']])
  })

  it('sums to the minor unit, and says what a statement lacks or has too much', () => {
    const brought = broughtBy(payments.slice(0, 3), 'EUR')
    expect(brought).toEqual({ unit: 'EUR', value: 30.3 })
    expect([beyond(brought, 29.9, 0.4), beyond(brought, 30.3, 0.01), beyond(brought, 30, 0)]).toEqual([0, 0.01, -0.3])
    expect(broughtBy([], 'JPY')).toEqual({ unit: 'JPY', value: 0 })
  })

  it('names the channel and its payments', () => {
    expect(settlementBody(payables(payments)[0]!, ['a'], 0.09, 0.01)).toEqual({
      channel: { name: 'cash' }, payment: [{ id: 'a', '@referredType': 'Payment' }], paid: { unit: 'EUR', value: 0.09 }, fees: { unit: 'EUR', value: 0.01 },
    })
  })
})

it('the same form has the same key until it succeeded', () => {
  const amount = ref('10')
  const { key, renew } = useIdempotencyKey(() => ({ amount: amount.value }))
  const first = key.value
  amount.value = '20'
  const second = key.value
  amount.value = '10'
  expect(key.value).toBe(first)
  expect(second).not.toBe(first)
  renew()
  expect([first, second]).not.toContain(key.value)
})
