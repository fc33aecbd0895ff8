import { computed } from 'vue'

/** The pages of the usage's place. */
export function useUsageTabs() {
  const { can } = useAuth()
  return computed(() => [
    { to: '/usage', label: 'Records' },
    ...(can('network', 'billing') ? [{ to: '/usage/files', label: 'Files' }, { to: '/usage/rejects', label: 'Rejects' }, { to: '/usage/sources', label: 'Sources' }] : []),
  ])
}
