import { computed } from 'vue'

/** The pages of the billing's place. */
export function useBillingTabs() {
  const { can } = useAuth()
  return computed(() => [{ to: '/billing', label: 'Bills' }, ...(can('billing') ? [{ to: '/billing/runs', label: 'Bill runs' }] : [])])
}
