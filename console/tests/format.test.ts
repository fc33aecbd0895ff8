import { describe, expect, it } from 'vitest'
import { currencyDigits, formatInstant, formatMoney, formatQuantity, formatRelative, shortId, sumByCurrency } from '../app/utils/format'

describe('money', () => {
  it.each([
    [{ unit: 'EUR', value: 1234.5 }, 'en', false, '1,234.50\u00a0EUR'],
    [{ unit: 'EUR', value: 1234.5 }, 'de', false, '1.234,50\u00a0EUR'],
    [{ unit: 'JPY', value: 1200 }, 'en', false, '1,200\u00a0JPY'],
    [{ unit: 'KWD', value: 1.25 }, 'en', false, '1.250\u00a0KWD'],
    [{ unit: 'EUR', value: -3 }, 'en', false, '\u22123.00\u00a0EUR'],
    [{ unit: 'EUR', value: -0.001 }, 'en', false, '0.00\u00a0EUR'],
    [{ unit: 'EUR', value: 0.000123456 }, 'en', true, '0.000123456\u00a0EUR'],
    [{ unit: 'EUR', value: 2 }, 'en', true, '2.00\u00a0EUR'],
  ])('%o in %s (precise: %s) is %s', (money, locale, precise, text) => {
    expect(formatMoney(money, locale, precise)).toBe(text)
  })

  it('takes the decimals from ISO 4217', () => {
    expect([currencyDigits('JPY'), currencyDigits('EUR'), currencyDigits('KWD'), currencyDigits('?')]).toEqual([0, 2, 3, 2])
  })

  it('adds in minor units and never across currencies', () => {
    expect(sumByCurrency([{ unit: 'EUR', value: 0.1 }, { unit: 'EUR', value: 0.2 }, { unit: 'JPY', value: 5 }]))
      .toEqual([{ unit: 'EUR', value: 0.3 }, { unit: 'JPY', value: 5 }])
  })
})

describe('time', () => {
  it.each([
    ['2026-01-31T23:30:00Z', 'Europe/Berlin', '2026-02-01 00:30'],
    ['2026-07-01T12:00:00Z', 'Europe/Berlin', '2026-07-01 14:00'],
    ['2026-07-01T00:00:00Z', 'UTC', '2026-07-01 00:00'],
    ['not a date', 'UTC', 'not a date'],
  ])('%s in %s is %s', (iso, zone, text) => {
    expect(formatInstant(iso, zone)).toBe(text)
  })

  it('says how long ago', () => {
    const now = Date.parse('2026-01-01T12:00:00Z')
    expect(formatRelative('2026-01-01T11:57:00Z', now, 'en')).toBe('3 min. ago')
    expect(formatRelative('2026-01-03T12:00:00Z', now, 'en')).toBe('in 2 days')
  })
})

describe('quantities and ids', () => {
  it('shows seconds as minutes and bytes by thousands', () => {
    expect(formatQuantity(125, 's', 'en')).toBe('2:05\u00a0min')
    expect(formatQuantity(1_500_000, 'B', 'en')).toBe('1.5\u00a0MB')
    expect(formatQuantity(3, 'SMS', 'en')).toBe('3\u00a0SMS')
  })

  it('shortens only long ids, to their end', () => {
    expect(shortId('0190a1b2-c3d4-7e5f-8a6b-112233445566')).toBe('…33445566')
    expect(shortId('2026-000123')).toBe('2026-000123')
  })
})
