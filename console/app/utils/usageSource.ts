import type { SentSource, UsageSource } from '~/api/types'

/** The formats that mediation reads. */
export const SOURCE_FORMATS = ['asterisk', 'generic'] as const

/** What a form of a source begins with: the source as it stands, else a new one in the reader's zone. */
export function sourceForm(source: UsageSource | undefined, zone: string): SentSource {
  const { internationalPrefix = '00', trunkPrefix = '0', countryCode = '' } = source?.numbers ?? {}
  return {
    name: source?.name ?? '', format: source?.format ?? 'asterisk', zone: source?.zone ?? zone,
    numbers: { internationalPrefix, trunkPrefix, countryCode },
  }
}

/** The form as it is sent: nobody means the spaces around a name. */
export function sourceBody(form: SentSource): SentSource {
  const { internationalPrefix, trunkPrefix, countryCode } = form.numbers
  return {
    name: form.name.trim(), format: form.format, zone: form.zone.trim(),
    numbers: { internationalPrefix: internationalPrefix.trim(), trunkPrefix: trunkPrefix.trim(), countryCode: countryCode.trim() },
  }
}

/** How a source's national number is written and read, for the reader to compare: `0 22…` is `48 22…`. */
export function numberExample({ trunkPrefix, countryCode }: SentSource['numbers']): [written: string, read: string] | undefined {
  return countryCode.trim() === '' ? undefined : [`${trunkPrefix.trim()}221234567`, `${countryCode.trim()}221234567`]
}
