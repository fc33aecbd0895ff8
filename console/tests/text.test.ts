import { describe, expect, it } from 'vitest'
import de from '../app/locales/de'
import pl from '../app/locales/pl'
import { csvLine, valueAt } from '../app/utils/csv'
import { translate, translateCount } from '../app/utils/text'
import { meaningOf } from '../app/utils/states'

describe('texts', () => {
  it('falls back to English and fills values', () => {
    expect(translate({}, 'Page {n}', { n: 3 })).toBe('Page 3')
    expect(translate(de, 'Customers')).toBe('Kunden')
  })

  it.each([[1, '1 wiersz'], [3, '3 wiersze'], [5, '5 wierszy'], [22, '22 wiersze']])('Polish has its own plural for %i', (n, text) => {
    expect(translateCount(pl, 'pl', '{n} row', '{n} rows', n)).toBe(text)
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
