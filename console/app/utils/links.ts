/** Where an object stands in the console, by its TM Forum type (`@type` or `@referredType`). */
const PLACES: Record<string, (id: string) => string> = {
  customer: (id) => `/customers/${id}`,
  individual: (id) => `/parties/individual/${id}`,
  organization: (id) => `/parties/organization/${id}`,
  billingaccount: (id) => `/billing/accounts/${id}`,
  productorder: (id) => `/orders/${id}`,
  serviceorder: (id) => `/trace/${id}`,
  product: (id) => `/products/${id}`,
  service: (id) => `/trace/${id}`,
  resource: (id) => `/trace/${id}`,
  usage: (id) => `/usage/${id}`,
  customerbill: (id) => `/billing/bills/${id}`,
  payment: (id) => `/payments/${id}`,
  productoffering: (id) => `/catalog/${id}`,
  ledgerentry: (id) => `/trace/${id}`,
  ledgeraccount: (id) => `/ledger/${id}`,
}

/** The address of an object; an unknown type goes to the trace, which takes any id. */
export function objectPath(type: string, id: string): string {
  const place = PLACES[type.toLowerCase().replaceAll(/[\s_-]/g, '')]
  const key = encodeURIComponent(id)
  return place ? place(key) : `/trace/${key}`
}
