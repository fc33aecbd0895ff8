import { computed, ref } from 'vue'
import { translate, translateCount, type Catalogue } from '~/utils/text'

const LOCALES = ['en', 'de', 'pl'] as const
export type Locale = (typeof LOCALES)[number]

const locale = ref<Locale>('en')
const catalogue = ref<Catalogue>({})

/** The texts of the interface in the chosen language; a language's catalogue is loaded when it is chosen. */
export function useText() {
  const t = (key: string, values?: Record<string, string | number>) => translate(catalogue.value, key, values)
  const tn = (one: string, other: string, count: number) => translateCount(catalogue.value, locale.value, one, other, count)
  return { t, tn, locale: computed(() => locale.value), locales: LOCALES, setLocale }
}

async function setLocale(next: Locale): Promise<void> {
  if (next === 'de') catalogue.value = (await import('~/locales/de')).default
  else if (next === 'pl') catalogue.value = (await import('~/locales/pl')).default
  else catalogue.value = {}
  locale.value = next
  localStorage.setItem('bss-language', next)
}

/** The language chosen before, else the browser's, else English. */
export function preferredLocale(): Locale {
  const wanted = localStorage.getItem('bss-language') ?? navigator.language.slice(0, 2)
  return LOCALES.find((one) => one === wanted) ?? 'en'
}
