import { expect, it } from 'vitest'
import { numberExample, sourceBody, sourceForm } from '../app/utils/usageSource'

const numbers = { internationalPrefix: '', trunkPrefix: '', countryCode: '' }

it('begins with what the source has, even where that is empty, else with the usual', () => {
  expect(sourceForm({ id: 's', name: 's', format: 'generic', zone: 'UTC', numbers }, 'Europe/Warsaw')).toEqual({ name: 's', format: 'generic', zone: 'UTC', numbers })
  expect(sourceForm(undefined, 'Europe/Warsaw')).toEqual({
    name: '', format: 'asterisk', zone: 'Europe/Warsaw', numbers: { internationalPrefix: '00', trunkPrefix: '0', countryCode: '' },
  })
})

it('sends nobody’s spaces', () => {
  const form = { name: ' s ', format: 'asterisk', zone: ' UTC', numbers: { internationalPrefix: '00 ', trunkPrefix: ' 0', countryCode: ' 48 ' } }
  expect(sourceBody(form)).toEqual({ name: 's', format: 'asterisk', zone: 'UTC', numbers: { internationalPrefix: '00', trunkPrefix: '0', countryCode: '48' } })
})

it.each([['0', '48', ['0221234567', '48221234567']], ['', ' 48 ', ['221234567', '48221234567']], ['0', '', undefined]])('trunk %s and country %s read %j', (trunkPrefix, countryCode, example) => {
  expect(numberExample({ ...numbers, trunkPrefix, countryCode })).toEqual(example)
})
