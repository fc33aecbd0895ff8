import { computed } from 'vue'

/** The pages of the orders' place. */
export function useOrderTabs() {
  const { can } = useAuth()
  return computed(() => [
    { to: '/orders', label: 'Board' },
    { to: '/orders/list', label: 'List' },
    ...(can('csr', 'network') ? [{ to: '/orders/fallout', label: 'Fallout' }] : []),
  ])
}
