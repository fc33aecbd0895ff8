/**
 * The state of a table as it stands in the address, so that a view can be sent to a colleague.
 * Several tables of one page differ by a prefix; attributes that belong to nobody here are kept.
 */
export interface TableState {
  /** Counted from 1. */
  page: number
  size: number
  /** A field's name, with a leading minus for descending; empty for the server's own order. */
  sort: string
  filters: Record<string, string>
}

export interface TableSpec {
  prefix?: string
  filterKeys: string[]
  sortKeys: string[]
  defaultSort?: string
  defaultSize?: number
}

export type Query = Record<string, string | null | (string | null)[] | undefined>

/** Page sizes that a reader may choose; others in an address are ignored. */
export const PAGE_SIZES = [20, 50, 100, 200]

function first(value: Query[string]): string {
  const one = Array.isArray(value) ? value[0] : value
  return one ?? ''
}

/** Reads the state from an address; what is missing or makes no sense becomes the default. */
export function parseTableState(query: Query, spec: TableSpec): TableState {
  const prefix = spec.prefix ?? ''
  const page = Number.parseInt(first(query[`${prefix}page`]), 10)
  const size = Number.parseInt(first(query[`${prefix}size`]), 10)
  const sort = first(query[`${prefix}sort`])
  const filters: Record<string, string> = {}
  for (const key of spec.filterKeys) {
    const value = first(query[`${prefix}${key}`])
    if (value !== '') filters[key] = value
  }
  return {
    page: page >= 1 && page <= 1_000_000 ? page : 1,
    size: PAGE_SIZES.includes(size) ? size : (spec.defaultSize ?? 50),
    sort: spec.sortKeys.includes(sort.replace(/^-/, '')) ? sort : (spec.defaultSort ?? ''),
    filters,
  }
}

/** Writes the state into an address: defaults are left out, and attributes of others stay. */
export function toAddress(state: TableState, spec: TableSpec, current: Query): Query {
  const prefix = spec.prefix ?? ''
  const own = new Set(['page', 'size', 'sort', ...spec.filterKeys].map((key) => prefix + key))
  const query: Query = {}
  for (const [key, value] of Object.entries(current)) {
    if (!own.has(key)) query[key] = value
  }
  if (state.page > 1) query[`${prefix}page`] = String(state.page)
  if (state.size !== (spec.defaultSize ?? 50)) query[`${prefix}size`] = String(state.size)
  if (state.sort !== (spec.defaultSort ?? '')) query[`${prefix}sort`] = state.sort
  for (const key of spec.filterKeys) {
    const value = state.filters[key]
    if (value) query[`${prefix}${key}`] = value
  }
  return query
}

/** The attributes of the list call (TMF630): offset, limit, sort and the filters. */
export function toListQuery(state: TableState): Record<string, string | number> {
  const query: Record<string, string | number> = {
    ...state.filters,
    offset: (state.page - 1) * state.size,
    limit: state.size,
  }
  if (state.sort) query.sort = state.sort
  return query
}

/** What a click on a column's head does: ascending, descending, back to the server's order. */
export function nextSort(current: string, key: string): string {
  if (current === key) return `-${key}`
  if (current === `-${key}`) return ''
  return key
}
