import { computed, onScopeDispose, ref, type Ref } from 'vue'
import type { Load } from './useLoad'

export interface Live { paused: Ref<boolean>, stale: Ref<boolean>, at: Ref<number>, toggle: () => void }

/**
 * Keeps a load fresh while the page is seen. It rests while paused, hidden or while a dialog is open,
 * so that nothing moves under the reader's pointer, and is stale after three missed rounds.
 */
export function useLive(load: Pick<Load<unknown>, 'loadedAt' | 'reload'>, everyMs = 3000): Live {
  const paused = ref(false)
  const now = ref(Date.now())
  const timer = setInterval(() => {
    now.value = Date.now()
    const busy = document.hidden || document.querySelector('[role=dialog]') !== null
    if (!paused.value && !busy && now.value - load.loadedAt.value >= everyMs) void load.reload()
  }, Math.min(everyMs, 1000))
  onScopeDispose(() => clearInterval(timer))
  const stale = computed(() => load.loadedAt.value > 0 && now.value - load.loadedAt.value > everyMs * 3 + 2000)
  return { paused, stale, at: load.loadedAt, toggle: () => { paused.value = !paused.value } }
}
