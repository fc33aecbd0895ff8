/** The console's places: where they stand, which keys lead there, and which roles work there. */
export type Role = 'admin' | 'csr' | 'product-manager' | 'billing' | 'network' | 'operations' | 'customer'
export interface Place { to: string, label: string, icon: string, key: string, roles: Role[] }

const ALL: Role[] = ['csr', 'product-manager', 'billing', 'network', 'operations', 'customer']

export const PLACES: Place[] = [
  { to: '/', label: 'Home', icon: 'i-lucide-house', key: 'h', roles: ALL },
  { to: '/customers', label: 'Customers', icon: 'i-lucide-users', key: 'c', roles: ['csr', 'billing', 'customer'] },
  { to: '/sell', label: 'Sell', icon: 'i-lucide-shopping-cart', key: 's', roles: ['csr'] },
  { to: '/orders', label: 'Orders', icon: 'i-lucide-package', key: 'o', roles: ['csr', 'network', 'customer'] },
  { to: '/catalog', label: 'Catalog', icon: 'i-lucide-book-open', key: 'a', roles: ALL },
  { to: '/usage', label: 'Usage', icon: 'i-lucide-activity', key: 'u', roles: ['network', 'billing', 'csr', 'customer'] },
  { to: '/billing', label: 'Billing', icon: 'i-lucide-receipt-text', key: 'b', roles: ['billing', 'csr', 'customer'] },
  { to: '/payments', label: 'Payments', icon: 'i-lucide-wallet', key: 'p', roles: ['billing', 'csr', 'customer'] },
  { to: '/ledger', label: 'Ledger', icon: 'i-lucide-scale', key: 'l', roles: ['billing'] },
  { to: '/events', label: 'Events', icon: 'i-lucide-radio', key: 'e', roles: ['operations'] },
]

/** Whether one of the reader's roles is among the wanted ones; `admin` may do everything. */
export function allows(roles: string[], wanted: Role[]): boolean {
  return roles.includes('admin') || wanted.some((role) => roles.includes(role))
}

/** The place that an address belongs to: the longest that it begins with. */
export function placeOf(path: string): Place | undefined {
  return PLACES.filter((place) => place.to === path || (place.to !== '/' && path.startsWith(`${place.to}/`)))
    .sort((a, b) => b.to.length - a.to.length)[0]
}
