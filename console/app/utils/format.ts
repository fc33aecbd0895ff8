/** Text forms of money, quantities and instants. Pure: the language and the zone come in as values. */
import type { Money } from '~/api/types'

/** Digits after the point that ISO 4217 gives a currency (JPY 0, EUR 2, KWD 3); 2 for an unknown code. */
export function currencyDigits(currency: string): number {
  try {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency })
    return format.resolvedOptions().maximumFractionDigits ?? 2
  } catch {
    return 2
  }
}

/**
 * An amount as text: grouped digits, the currency's own number of decimals, a true minus sign, ISO code last.
 * `precise` shows up to nine decimals, for rated amounts that aren't rounded to the minor unit yet.
 */
export function formatMoney(money: Money, locale: string, precise = false): string {
  const digits = currencyDigits(money.unit)
  const number = new Intl.NumberFormat(locale, {
    minimumFractionDigits: digits,
    maximumFractionDigits: precise ? Math.max(digits, 9) : digits,
  })
  const value = Number(money.value)
  // Rounding may leave "-0.00", which reads as a debt.
  const text = number.format(Math.abs(value))
  const isZero = !/[1-9]/.test(text)
  const sign = value < 0 && !isZero ? '\u2212' : ''
  return `${sign}${text}\u00a0${money.unit}`
}

/** The sum of amounts by currency; amounts of two currencies are never added. */
export function sumByCurrency(amounts: Money[]): Money[] {
  const sums = new Map<string, number>()
  for (const { unit, value } of amounts) {
    const scale = 10 ** currencyDigits(unit)
    sums.set(unit, (sums.get(unit) ?? 0) + Math.round(Number(value) * scale))
  }
  return [...sums].map(([unit, minor]) => ({ unit, value: minor / 10 ** currencyDigits(unit) }))
}

/** An instant as `2026-11-24 06:48:09` in a zone; an ISO-like order sorts and lines up in every language. */
export function formatInstant(iso: string, timeZone: string, withSeconds = false): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone, year: 'numeric', month: '2-digit', day: '2-digit',
    hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
  }).formatToParts(date)
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? ''
  const day = `${part('year')}-${part('month')}-${part('day')}`
  const time = `${part('hour')}:${part('minute')}`
  return `${day} ${withSeconds ? `${time}:${part('second')}` : time}`
}

/** Only the date of an instant in a zone. */
export function formatDate(iso: string, timeZone: string): string {
  return formatInstant(iso, timeZone).slice(0, 10)
}

/** "3 minutes ago" in the reader's language; stands only beside the absolute time. */
export function formatRelative(iso: string, now: number, locale: string): string {
  const seconds = Math.round((new Date(iso).getTime() - now) / 1000)
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' })
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ['year', 31_536_000], ['month', 2_592_000], ['day', 86_400], ['hour', 3_600], ['minute', 60],
  ]
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit)
  }
  return format.format(seconds, 'second')
}

/** A count with grouped digits. */
export function formatCount(value: number | undefined, locale: string): string {
  return value === undefined || value === null ? '–' : new Intl.NumberFormat(locale).format(Number(value))
}

/** A quantity with its unit; seconds as m:ss, bytes by 1,000s, so that a reader needs no arithmetic. */
export function formatQuantity(amount: number, unit: string, locale: string): string {
  const number = (value: number) => new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(value)
  if (unit === 's' || unit === 'sec' || unit === 'second') {
    const minutes = Math.floor(amount / 60)
    return `${number(minutes)}:${String(Math.round(amount % 60)).padStart(2, '0')}\u00a0min`
  }
  if (unit === 'B' || unit === 'byte') {
    const scales: [string, number][] = [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]]
    for (const [name, size] of scales) {
      if (Math.abs(amount) >= size) return `${number(amount / size)}\u00a0${name}`
    }
  }
  return `${number(amount)}\u00a0${unit === 'message' ? 'SMS' : unit}`
}

/** An id as it stands on the screen: its end, for the beginning of a time-ordered id is the same all day. */
export function shortId(id: string): string {
  return id.length > 14 ? `…${id.slice(-8)}` : id
}
