import { reactive } from 'vue'
import { list, type ResourceName } from '~/api/client'

/** What an object of a type is called: the resource that knows it, and the attribute. */
const NAMED: Record<string, [resource: ResourceName, attribute: string]> = {
  Customer: ['customer', 'name'], BillingAccount: ['billingAccount', 'name'], Category: ['category', 'name'],
  ProductOffering: ['productOffering', 'name'], Product: ['product', 'name'], CustomerBill: ['customerBill', 'billNo'],
}
/** As many ids as an address holds with room to spare. */
const BATCH = 50
const names = reactive(new Map<string, string>())
const asked = new Set<string>()
const waiting = new Map<string, Set<string>>()

async function ask(type: string, ids: string[]): Promise<void> {
  const [resource, attribute] = NAMED[type]!
  const page = await list(resource, { id: ids.join(','), fields: `id,${attribute}`, limit: BATCH })
  for (const row of page.rows) {
    const name = (row as unknown as Record<string, unknown>)[attribute]
    if (typeof name === 'string' && name !== '') names.set(row.id, name)
  }
}

function askAll(): void {
  for (const [type, ids] of waiting) {
    const all = [...ids]
    for (let from = 0; from < all.length; from += BATCH) {
      // Who may not read the object sees its short id, as before.
      void ask(type, all.slice(from, from + BATCH)).catch(() => {})
    }
  }
  waiting.clear()
}

/**
 * The name of what a reference without one points at. References of a moment are asked for together, each once in the
 * life of this tab; until the answer comes, and where there is none, nothing is given.
 */
export function nameOf(type: string, id: string | undefined): string | undefined {
  if (!id || !NAMED[type]) return undefined
  if (!asked.has(id)) {
    asked.add(id)
    if (waiting.size === 0) setTimeout(askAll, 0)
    const ids = waiting.get(type) ?? new Set<string>()
    waiting.set(type, ids.add(id))
  }
  return names.get(id)
}
