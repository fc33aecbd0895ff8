/** The console's places: where they stand, which keys lead there, and which roles work there. */
export type Role = 'admin' | 'csr' | 'product-manager' | 'billing' | 'network' | 'operations' | 'customer'
export interface Place { to: string, label: string, icon: string, key: string, roles: Role[] }

const STAFF: Role[] = ['csr', 'product-manager', 'billing', 'network', 'operations']
/** Who may search, follow traces, and see how an order is fulfilled, as the server's matrix has it. */
export const SEARCHERS: Role[] = ['csr', 'billing', 'network']
export const TRACERS: Role[] = ['csr', 'billing', 'network', 'operations']
export const FULFILLERS: Role[] = ['csr', 'network']

export const PLACES: Place[] = [
  { to: '/', label: 'Home', icon: 'i-lucide-house', key: 'h', roles: STAFF },
  { to: '/customers', label: 'Customers', icon: 'i-lucide-users', key: 'c', roles: ['csr', 'billing', 'network', 'customer'] },
  { to: '/sell', label: 'Sell', icon: 'i-lucide-shopping-cart', key: 's', roles: ['csr'] },
  { to: '/orders', label: 'Orders', icon: 'i-lucide-package', key: 'o', roles: ['csr', 'network', 'billing', 'customer'] },
  { to: '/catalog', label: 'Catalog', icon: 'i-lucide-book-open', key: 'a', roles: [...STAFF, 'customer'] },
  { to: '/usage', label: 'Usage', icon: 'i-lucide-activity', key: 'u', roles: ['network', 'billing', 'csr', 'customer'] },
  { to: '/billing', label: 'Billing', icon: 'i-lucide-receipt-text', key: 'b', roles: ['billing', 'csr', 'customer'] },
  { to: '/payments', label: 'Payments', icon: 'i-lucide-wallet', key: 'p', roles: ['billing', 'csr', 'customer'] },
  { to: '/ledger', label: 'Ledger', icon: 'i-lucide-scale', key: 'l', roles: ['billing'] },
  { to: '/events', label: 'Events', icon: 'i-lucide-radio', key: 'e', roles: ['operations'] },
]

/** Where a reader begins: the first place that the roles open. */
export function startOf(roles: string[]): string {
  return PLACES.find((place) => allows(roles, place.roles))?.to ?? '/'
}

/** Whether one of the reader's roles is among the wanted ones; `admin` may do everything. */
export function allows(roles: string[], wanted: Role[]): boolean {
  return roles.includes('admin') || wanted.some((role) => roles.includes(role))
}

/** The place that an address belongs to: the longest that it begins with. */
export function placeOf(path: string): Place | undefined {
  return PLACES.filter((place) => place.to === path || (place.to !== '/' && path.startsWith(`${place.to}/`)))
    .sort((a, b) => b.to.length - a.to.length)[0]
}
