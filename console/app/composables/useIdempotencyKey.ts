import { computed, shallowRef, type ComputedRef } from 'vue'

/**
 * The key of a form: what is sent again unchanged has the key that it had, so that it is done once; other content has
 * another one. Only a success earns new keys. Without a form, whatever is sent counts as the same.
 */
export function useIdempotencyKey(form: () => unknown = () => ''): { key: ComputedRef<string>, renew: () => void } {
  const keys = shallowRef(new Map<string, string>())
  const key = computed(() => {
    const content = JSON.stringify(form()) ?? ''
    const known = keys.value.get(content) ?? crypto.randomUUID()
    keys.value.set(content, known)
    return known
  })
  return { key, renew: () => { keys.value = new Map() } }
}
