import { inject, provide, type ComputedRef, type InjectionKey, computed } from 'vue'

const ZONE: InjectionKey<ComputedRef<string>> = Symbol('zone')

/** A page about one account shows times in that account's zone; the parts below find it here. */
export function provideZone(zone: () => string | undefined): void {
  provide(ZONE, computed(() => validZone(zone())))
}

/** The zone of the nearest account, else the reader's own. */
export function useZone(): ComputedRef<string> {
  return inject(ZONE, computed(() => validZone(undefined)), false)
}

function validZone(zone: string | undefined): string {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
  if (!zone) return own
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return zone
  } catch {
    return own
  }
}
