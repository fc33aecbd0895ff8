import { expect, it } from 'vitest'
import { creditNoteBody, creditOf, creditSplit, creditSum, isWanted } from '../app/utils/creditNote'
import { topUpBody } from '../app/utils/paymentForm'

const EUR = (value: number) => ({ unit: 'EUR', value })
const rates = [{ id: 'a', line: 1, taxIncludedAmount: EUR(19.99) }, { id: 'b', line: 2, taxIncludedAmount: EUR(1.18) }, { id: 'c', line: 3, taxIncludedAmount: EUR(-5) }]

it.each([['', 19.99], ['19,99', 19.99], ['0.01', 0.01], ['20', undefined], ['0', undefined], ['-1', undefined], ['x', undefined]])('%j of a line of 19.99 is %s', (text, value) => {
  expect(creditOf(rates[0]!, text)?.value).toBe(value)
})

it.each([
  [{ 1: '', 2: '' }, 21.17], [{ 1: '5', 2: '0.18' }, 5.18], [{ 1: '', 3: '' }, 14.99],
  [{}, undefined], [{ 1: 'x', 2: '' }, undefined], [{ 3: '' }, undefined],
])('%j takes back %s', (wanted, value) => {
  expect(creditSum(rates, wanted)?.value).toBe(value)
})

it.each([[21.17, 10, 10, 11.17], [5, 21.17, 5, 0], [5, 0, 0, 5]])('%d with %d open: %d off the bill, %d credit', (sum, open, applied, credit) => {
  expect(creditSplit(EUR(sum), EUR(open))).toEqual({ applied: EUR(applied), credit: EUR(credit) })
})

it('names the lines by number, and an amount only where one was typed', () => {
  expect([isWanted(rates[1]!, { 2: '' }), isWanted(rates[0]!, { 2: '' }), isWanted({ id: 'x' }, { 2: '' })]).toEqual([true, false, false])
  expect(creditNoteBody('bill', rates, { 1: '2.5', 2: ' ' }, ' wrong tariff ')).toEqual({
    customerBill: { id: 'bill', '@referredType': 'CustomerBill' }, reason: 'wrong tariff', line: [{ number: 1, amount: EUR(2.5) }, { number: 2 }],
  })
})

it('a top-up says how much came in for which account by which channel', () => {
  expect(topUpBody('a', EUR(10), 'cash')).toEqual({ billingAccount: { id: 'a', '@referredType': 'BillingAccount' }, amount: EUR(10), channel: { name: 'cash' } })
})
