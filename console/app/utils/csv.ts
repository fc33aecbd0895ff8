/** CSV as RFC 4180 has it; a cell that a spreadsheet would run as a formula is prefixed with an apostrophe. */
export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return ''
  let text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  const isNumber = /^-?\d+(\.\d+)?$/.test(text)
  if (!isNumber && /^[=+\-@\t\r]/.test(text)) text = `'${text}`
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** One line with its line end. */
export function csvLine(values: unknown[]): string {
  return `${values.map(csvCell).join(',')}\r\n`
}

/** The value at `a.b.c` of an object, or undefined; arrays take their first element. */
export function valueAt(row: unknown, path: string): unknown {
  let value: unknown = row
  for (const step of path.split('.')) {
    if (Array.isArray(value)) value = value[0]
    if (value === null || typeof value !== 'object') return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}
