import type { BillingRate, Money } from '~/api/types'
import { sumByCurrency } from './format'
import { parseAmount } from './paymentForm'

/** What is to be taken back of a bill's lines: by the line's number the amount as typed; empty is all that is left of it. */
export type Wanted = Record<number, string>

/** The amount of a line that is to be taken back, with tax; none where the text is no amount, or more than was billed. */
export function creditOf(rate: BillingRate, text: string): Money | undefined {
  const billed = rate.creditableAmount ?? rate.taxIncludedAmount
  if (!billed || text.trim() === '') return billed
  const value = parseAmount(text, billed.unit)
  return value === undefined || value > billed.value ? undefined : { unit: billed.unit, value }
}

/** What a credit note takes back, with tax; none where a line's amount is wrong or nothing would be taken back. */
export function creditSum(rates: BillingRate[], wanted: Wanted): Money | undefined {
  const amounts = rates.filter((rate) => isWanted(rate, wanted)).map((rate) => creditOf(rate, wanted[rate.line!]!))
  if (amounts.includes(undefined)) return undefined
  const sum = sumByCurrency(amounts as Money[])[0]
  return sum && sum.value > 0 ? sum : undefined
}

export function isWanted(rate: BillingRate, wanted: Wanted): boolean {
  return rate.line !== undefined && wanted[rate.line] !== undefined
}

/** How a credit note splits: first what is open of the bill, the rest becomes credit of the account. */
export function creditSplit(sum: Money, open: Money | undefined): { applied: Money, credit: Money } {
  const { unit } = sum
  const applied = Math.min(sum.value, Math.max(0, open?.value ?? 0))
  return { applied: { unit, value: applied }, credit: sumByCurrency([sum, { unit, value: -applied }])[0]! }
}

/** The body of a credit note; a line without an amount is taken back wholly. */
export function creditNoteBody(bill: string, rates: BillingRate[], wanted: Wanted, reason: string): object {
  return {
    customerBill: { id: bill, '@referredType': 'CustomerBill' }, reason: reason.trim(),
    line: rates.filter((rate) => isWanted(rate, wanted)).map((rate) => {
      const text = wanted[rate.line!]!
      return { number: rate.line, ...(text.trim() === '' ? {} : { amount: creditOf(rate, text) }) }
    }),
  }
}
