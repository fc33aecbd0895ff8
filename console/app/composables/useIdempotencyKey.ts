import { ref } from 'vue'

/** One key per form: two clicks send the same key, and only a success earns a new one. */
export function useIdempotencyKey() {
  const key = ref(crypto.randomUUID())
  return { key, renew: () => { key.value = crypto.randomUUID() } }
}
