import type { Offering, OfferingPrice, Tariff, TariffBand, TariffStep } from '~/api/types'
import { formatMoney } from './format'

type Say = (key: string, values?: Record<string, string | number>) => string

/** What one price says, in a few words. The amount may be a text, which is exact beyond 15 digits. */
export function describePrice(price: OfferingPrice, t: Say, locale: string): string {
  const amount = price.price?.value !== undefined && price.price.unit ? formatMoney(price.price, locale, true) : ''
  switch (price.priceType) {
    case 'recurring': {
      const length = price.recurringChargePeriodLength ?? 1
      const unit = t(price.recurringChargePeriodType ?? 'month')
      return t('{amount} per {period}', { amount, period: length === 1 ? unit : `${length} ${unit}` })
    }
    case 'oneTime': return t('{amount} once', { amount })
    case 'usage': return t('{n} rates', { n: price.tariff?.rates?.length ?? 0 })
    case 'allowance': return t('{quantity} included', { quantity: describeQuantity(price.allowance?.quantity) })
    case 'discount':
    case 'surcharge': return price.percentage === undefined ? amount : `${price.percentage}\u00a0%`
    case 'commitment': return t('{n} months', { n: price.commitment?.months ?? 0 })
    default: return amount
  }
}

/** A quantity of the catalog: a number of base units, a text such as `10 GB`, or TM Forum's object. */
export function describeQuantity(quantity: unknown): string {
  if (quantity === undefined || quantity === null) return '–'
  if (typeof quantity === 'object') {
    const { amount, units } = quantity as { amount?: number, units?: string }
    return `${amount ?? ''}\u00a0${units ?? ''}`.trim()
  }
  return String(quantity)
}

/** One line of a tariff as a table: what it costs where and when. */
export interface TariffRow {
  service: string, direction: string, zone: string, band: string, when: string, from: string, upTo: string
  increment: string, price: string, fee: string
}

/** A tariff flattened: one row for each step of each tier of each band. */
export function tariffRows(tariff: Tariff | undefined): TariffRow[] {
  return (tariff?.rates ?? []).flatMap((rate) => {
    const head = { service: rate.service ?? '', direction: rate.direction ?? 'outgoing', zone: rate.zone ?? '*' }
    return (rate.bands ?? [rate]).flatMap((band) => bandRows(band).map((row) => ({ ...head, ...row })))
  })
}

function bandRows(band: TariffBand): Omit<TariffRow, 'service' | 'direction' | 'zone'>[] {
  const head = { band: band.name ?? '', when: whenOf(band), fee: band.connectionFee === undefined ? '' : String(band.connectionFee) }
  if (band.package) {
    return [{ ...head, from: '', upTo: '', increment: describeQuantity(band.package.size), price: String(band.package.price ?? '') }]
  }
  const tiers = band.graduated ?? band.volume ?? [{ steps: band.steps }]
  return tiers.flatMap((tier) => (tier.steps ?? []).map((step) => ({
    ...head, upTo: 'upTo' in tier && tier.upTo !== undefined ? describeQuantity(tier.upTo) : '', ...stepRow(step),
  })))
}

function stepRow(step: TariffStep): { from: string, increment: string, price: string } {
  return {
    from: step.from === undefined ? '' : inBaseUnit(step.from, step.unit),
    increment: step.increment === undefined ? '' : inBaseUnit(step.increment, step.unit),
    price: `${step.price ?? 0}${step.unit ? ` / ${step.unit}` : ''}`,
  }
}

/** A bare number of a step counts base units: seconds where the price is for a time. */
function inBaseUnit(quantity: number | string, unit: string | undefined): string {
  const isTime = unit === 's' || unit === 'min' || unit === 'h'
  return isTime && /^\d+$/.test(String(quantity)) ? `${quantity}\u00a0s` : describeQuantity(quantity)
}

function whenOf(band: TariffBand): string {
  const days = (band.days ?? []).join(' ')
  const hours = band.from || band.to ? `${band.from ?? '00:00'}–${band.to ?? '24:00'}` : ''
  return [days, hours].filter(Boolean).join(', ')
}

/** The prices of an offering, in the order of the offering. */
export function pricesOf(offering: Offering, prices: Map<string, OfferingPrice>): OfferingPrice[] {
  return (offering.productOfferingPrice ?? []).map((ref) => prices.get(ref.id) ?? (ref as OfferingPrice))
}

/** Whether an offering can be paid in a currency: it has a price in it, or none that has a currency. */
export function paidIn(prices: OfferingPrice[], currency: string | undefined): boolean {
  const units = prices.map((price) => price.price?.unit).filter(Boolean)
  return !currency || units.length === 0 || units.includes(currency)
}

/** Whether an offering may be sold now, as its state and validity say. */
export function sellable(offering: Offering, now: string): boolean {
  const from = offering.validFor?.startDateTime
  const to = offering.validFor?.endDateTime
  const state = (offering.lifecycleStatus ?? '').toLowerCase()
  return offering.isSellable !== false && ['active', 'launched'].includes(state)
    && (!from || Date.parse(from) <= Date.parse(now)) && (!to || Date.parse(now) < Date.parse(to))
}
