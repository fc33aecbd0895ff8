/** Where an object stands in the console, by its TM Forum type (`@type` or `@referredType`). */
const PLACES: Record<string, (id: string) => string> = {
  customer: (id) => `/customers/${id}`,
  productorder: (id) => `/orders/${id}`,
  customerbill: (id) => `/billing/bills/${id}`,
}

/** The address of an object; an unknown type goes to the trace, which takes any id. */
export function objectPath(type: string, id: string): string {
  const place = PLACES[type.toLowerCase().replaceAll(/[\s_-]/g, '')]
  const key = encodeURIComponent(id)
  return place ? place(key) : `/trace/${key}`
}
