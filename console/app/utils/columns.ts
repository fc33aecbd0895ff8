/** A column of a DataTable; its label is a text key. */
export interface Column {
  key: string
  label: string
  kind?: 'text' | 'number' | 'money' | 'instant' | 'date' | 'state' | 'id'
  /** For ids that name something else than the row: its TM Forum type. */
  type?: string
  sort?: boolean
  /** Left out below 640 px, where it can still be chosen. */
  wide?: boolean
  /** A sentence: it keeps a readable width, and the table scrolls instead. */
  broad?: boolean
  /** Left out while no row of the page has it. */
  sparse?: boolean
  /** Hidden until it is chosen. */
  extra?: boolean
}

/** An option may be several values by commas, which are alternatives. */
export interface Filter { key: string, label: string, options?: string[] }

/** Numbers stand at the right, so that their digits line up. */
export function isFigure(column: Column): boolean {
  return column.kind === 'money' || column.kind === 'number'
}
