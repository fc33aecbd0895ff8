import { describe, expect, it } from 'vitest'
import { nextSort, parseTableState, toAddress, toListQuery, type TableSpec } from '../app/utils/tableState'

const spec: TableSpec = { filterKeys: ['state', 'name'], sortKeys: ['orderDate', 'id'], defaultSort: '-orderDate' }

describe('a table in the address', () => {
  it.each([
    [{}, { page: 1, size: 50, sort: '-orderDate', filters: {} }],
    [{ page: '3', size: '100', sort: 'id', state: 'failed' }, { page: 3, size: 100, sort: 'id', filters: { state: 'failed' } }],
    [{ page: '-2', size: '7', sort: 'password', state: '' }, { page: 1, size: 50, sort: '-orderDate', filters: {} }],
    [{ page: ['2', '9'], unknown: 'x' }, { page: 2, size: 50, sort: '-orderDate', filters: {} }],
  ])('reads %o', (query, state) => {
    expect(parseTableState(query, spec)).toEqual(state)
  })

  it('survives the way to the address and back', () => {
    const state = { page: 4, size: 20, sort: 'id', filters: { name: 'Müller & Söhne' } }
    expect(parseTableState(toAddress(state, spec, {}), spec)).toEqual(state)
  })

  it('leaves defaults out and keeps what belongs to others', () => {
    const start = parseTableState({}, spec)
    expect(toAddress(start, spec, { tab: 'bills', page: '9', state: 'x' })).toEqual({ tab: 'bills' })
  })

  it('keeps two tables of one page apart by their prefix', () => {
    const bills = { ...spec, prefix: 'b.' }
    const query = toAddress({ page: 2, size: 50, sort: '-orderDate', filters: {} }, bills, { page: '5' })
    expect(query).toEqual({ 'page': '5', 'b.page': '2' })
  })

  it('becomes the list call', () => {
    expect(toListQuery({ page: 3, size: 20, sort: '-id', filters: { state: 'held' } }))
      .toEqual({ offset: 40, limit: 20, sort: '-id', state: 'held' })
  })

  it('sorts up, down, and not at all', () => {
    expect([nextSort('', 'id'), nextSort('id', 'id'), nextSort('-id', 'id'), nextSort('-id', 'name')])
      .toEqual(['id', '-id', '', 'name'])
  })
})
