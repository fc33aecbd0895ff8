import { describe, expect, it } from 'vitest'
import de from '../app/locales/de'
import pl from '../app/locales/pl'
import { csvLine, valueAt } from '../app/utils/csv'
import { translate, translateCount } from '../app/utils/text'
import { meaningOf } from '../app/utils/states'
import { WORDS, bareTexts, textKeys } from './textKeys'

describe('texts', () => {
  it('falls back to English and fills values', () => {
    expect(translate({}, 'Page {n}', { n: 3 })).toBe('Page 3')
    expect(translate(de, 'Customers')).toBe('Kunden')
  })

  it.each([[1, '1 wiersz'], [3, '3 wiersze'], [5, '5 wierszy'], [22, '22 wiersze']])('Polish has its own plural for %i', (n, text) => {
    expect(translateCount(pl, 'pl', '{n} row', '{n} rows', n)).toBe(text)
  })

  it.each([['German', de], ['Polish', pl]])('%s has every text of the pages', (_, catalogue) => {
    const missing = [...textKeys().map((found) => found.text), ...WORDS].filter((text) => text !== '' && !(text in catalogue))
    expect([...new Set(missing)]).toEqual([])
  })

  it.each([['German', de], ['Polish', pl]])('%s keeps the values of each text', (_, catalogue) => {
    const names = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort().join(' ')
    const wrong = Object.entries(catalogue).flatMap(([key, entry]) =>
      (typeof entry === 'string' ? [entry] : Object.values(entry)).filter((text) => names(text) !== names(key)))
    expect(wrong).toEqual([])
  })

  it('writes no bare words into a template', () => {
    expect(bareTexts().map(({ file, text }) => `${file.split('/app/')[1]}: ${text}`)).toEqual([])
  })

  it('has no texts that nothing shows', () => {
    const shown = new Set([...textKeys().map((found) => found.text), ...WORDS])
    expect(Object.keys(de).filter((key) => !shown.has(key))).toEqual([])
  })

  it('has the same texts in both languages', () => {
    expect(Object.keys(de).sort()).toEqual(Object.keys(pl).sort())
  })
})

describe('csv', () => {
  it('quotes, and disarms formulas but not numbers', () => {
    expect(csvLine(['a"b', 'x,y', '=1+1', '-12.50', null])).toBe('"a""b","x,y",\'=1+1,-12.50,\r\n')
  })

  it('reaches into objects and lists', () => {
    expect(valueAt({ relatedParty: [{ name: 'Ada' }] }, 'relatedParty.name')).toBe('Ada')
    expect(valueAt({}, 'a.b')).toBeUndefined()
  })
})

it('knows the meaning of a state however it is written', () => {
  expect(['inProgress', 'in_progress', 'In Progress', 'Failed', 'nonsense'].map(meaningOf))
    .toEqual(['working', 'working', 'working', 'bad', 'waiting'])
})
