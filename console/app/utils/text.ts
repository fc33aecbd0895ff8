/** Texts are keyed by their English form; a catalogue holds the other languages. Pure, for tests. */
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>>
export type Catalogue = Record<string, string | Plural>

/** Puts `{name}` values into a text. */
export function fill(text: string, values: Record<string, string | number> = {}): string {
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole))
}

/** The text of a key; English where the catalogue has none. */
export function translate(catalogue: Catalogue, key: string, values?: Record<string, string | number>): string {
  const entry = catalogue[key]
  return fill(typeof entry === 'string' ? entry : key, values)
}

/** The form of a text for a count, by the language's own plural rules; `{n}` is the grouped count. */
export function translateCount(
  catalogue: Catalogue, locale: string, one: string, other: string, count: number,
): string {
  const entry = catalogue[other]
  const n = new Intl.NumberFormat(locale).format(count)
  if (entry && typeof entry === 'object') {
    const form = entry[new Intl.PluralRules(locale).select(count)] ?? entry.other ?? other
    return fill(form, { n })
  }
  return fill(new Intl.PluralRules('en').select(count) === 'one' ? one : other, { n })
}
