import type { Money } from '~/api/types'
import { currencyDigits } from './format'

/** An amount as typed, in major units with a point or a comma; nothing where it isn't one of this currency. */
export function parseAmount(text: string, currency: string): number | undefined {
  const clean = text.trim().replace(',', '.')
  const digits = currencyDigits(currency)
  const form = digits === 0 ? /^\d{1,12}$/ : new RegExp(`^\\d{1,12}(\\.\\d{1,${digits}})?$`)
  if (!form.test(clean) || Number(clean) <= 0) return undefined
  return Number(clean)
}

/** An amount as a reader types it: without groups, with the currency's decimals. */
export function amountText(money: Money | undefined): string {
  return money ? Number(money.value).toFixed(currencyDigits(money.unit)) : ''
}

/**
 * The body of a TMF676 payment: what came in by which channel, and the bill that it settles first; the server says
 * how much the bill takes, and the rest becomes credit.
 */
export function paymentBody(form: { account: string, method: string, amount: Money, bill?: string, description?: string }): object {
  return {
    '@type': 'Payment',
    account: { id: form.account, '@referredType': 'BillingAccount' },
    channel: { name: form.method },
    paymentMethod: { '@type': form.method },
    amount: form.amount,
    ...(form.description ? { description: form.description } : {}),
    ...(form.bill ? { paymentItem: [{ item: { id: form.bill, '@referredType': 'CustomerBill' } }] } : {}),
  }
}

/** The body of a top-up of a prepaid balance: what came in by which channel. */
export function topUpBody(account: string, amount: Money, channel: string): object {
  return { billingAccount: { id: account, '@referredType': 'BillingAccount' }, amount, channel: { name: channel } }
}
