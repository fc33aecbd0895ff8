/**
 * Where an object stands in the console, by its TM Forum type (`@type` or `@referredType`). A name with a point in it
 * never comes last, for a server takes such an address for a file's.
 */
const PAGES: Record<string, (id: string) => string> = {
  customer: (id) => `/customers/${id}`,
  productorder: (id) => `/orders/${id}`,
  productoffering: (id) => `/catalog/${id}`,
  customerbill: (id) => `/billing/bills/${id}`,
  billrun: (id) => `/billing/runs/${id}`,
  usage: (id) => `/usage/${id}`,
  usagefile: (id) => `/usage/files/${id}`,
  usagereject: (id) => `/usage/rejects/${id}`,
  payment: (id) => `/payments/${id}`,
  ledgerentry: (id) => `/ledger/entry/${id}`,
  ledgeraccount: (id) => `/ledger/account/${id}/lines`,
  topic: (id) => `/events/topics/${id}/messages`,
}

/** The address of an object; an unknown type goes to the trace, which takes any id. */
export function objectPath(type: string, id: string): string {
  const page = PAGES[type.toLowerCase().replaceAll(/[\s_-]/g, '')]
  const key = encodeURIComponent(id)
  return page ? page(key) : `/trace/${key}`
}
