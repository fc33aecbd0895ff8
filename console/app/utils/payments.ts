import type { PaymentAct } from '~/api/client'
import type { Money, Payment } from '~/api/types'
import { sumByCurrency } from './format'

/** What may become of a payment, and what is done for it; the server's own arrows. */
const STANDINGS: Record<string, { next: string[], acts: PaymentAct[] }> = {
  pendingAuthorization: { next: ['authorized', 'denied', 'failed'], acts: ['authorize', 'deny', 'fail'] },
  authorized: { next: ['captured', 'canceled', 'failed'], acts: ['capture', 'cancel', 'fail'] },
  captured: { next: ['done'], acts: ['chargeback'] },
  done: { next: [], acts: ['chargeback'] },
}
const OVER = { next: [], acts: [] }

/** What may become of a payment of this status; nothing where it is over, or the status isn't known. */
export function paymentStanding(status: string | undefined): { next: string[], acts: PaymentAct[] } {
  return STANDINGS[status ?? ''] ?? OVER
}

/** Whether the money of a payment came. */
export function isPaid(status: string | undefined): boolean {
  return status === 'captured' || status === 'done'
}

/** Payments that a channel may pay out together: of one channel and one currency. */
export interface Payable { key: string, channel: string, currency: string, payments: Payment[] }

/** Captured payments by channel and currency, those with the most payments in front. */
export function payables(payments: Payment[]): Payable[] {
  const groups = new Map<string, Payable>()
  for (const payment of payments) {
    const [channel, currency] = [payment.channel?.name, amountOf(payment)?.unit]
    if (!channel || !currency) continue
    const key = `${channel} ${currency}`
    const group = groups.get(key) ?? { key, channel, currency, payments: [] }
    group.payments.push(payment)
    groups.set(key, group)
  }
  return [...groups.values()].sort((a, b) => b.payments.length - a.payments.length || a.key.localeCompare(b.key))
}

/** What payments of one currency brought together. */
export function broughtBy(payments: Payment[], currency: string): Money {
  const amounts = payments.map(amountOf).filter((amount) => amount?.unit === currency) as Money[]
  return sumByCurrency(amounts)[0] ?? { unit: currency, value: 0 }
}

export function amountOf(payment: Payment): Money | undefined {
  return payment.totalAmount ?? payment.amount
}

/** How much a statement says beyond what its payments brought; below zero where it lacks something. */
export function beyond(brought: Money, paid: number, fees: number): number {
  const { unit } = brought
  return sumByCurrency([{ unit, value: paid }, { unit, value: fees }, { unit, value: -brought.value }])[0]?.value ?? 0
}

/** The body of a channel's settlement. */
export function settlementBody({ channel, currency }: Payable, payments: string[], paid: number, fees: number): object {
  return {
    channel: { name: channel }, payment: payments.map((id) => ({ id, '@referredType': 'Payment' })),
    paid: { unit: currency, value: paid }, fees: { unit: currency, value: fees },
  }
}
