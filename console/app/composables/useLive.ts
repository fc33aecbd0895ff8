import { computed, onScopeDispose, ref, type Ref } from 'vue'
import { useChanges, type Change } from './useChanges'
import type { Load } from './useLoad'

export interface Live {
  paused: Ref<boolean>
  stale: Ref<boolean>
  /** True while changes come by the stream; otherwise the page asks every few seconds. */
  streaming: Ref<boolean>
  at: Ref<number>
  toggle: () => void
  /** While held (the reader points into what would move) nothing is replaced; a change waits for the release. */
  hold: (on: boolean) => void
}

/**
 * Keeps a load fresh while the page is seen: at once when a change matches, else by asking. It rests while paused,
 * hidden, held or while a dialog is open, so that nothing moves under the reader's pointer, and is stale after
 * three missed rounds.
 */
export function useLive(
  load: Pick<Load<unknown>, 'loadedAt' | 'reload'>, matches: (change: Change) => boolean = () => true, everyMs = 3000,
): Live {
  const paused = ref(false)
  const now = ref(Date.now())
  let held = false
  let changed = false
  // A refused call counts as asked, and one under way is waited for: a slow server is never asked faster.
  let asking = false
  let askedAt = Date.now()
  const { connected } = useChanges((change) => { if (matches(change)) changed = true })
  // The stream may miss what no event tells, so that a slow round stays.
  const round = () => (connected.value ? everyMs * 10 : everyMs)
  const timer = setInterval(() => {
    now.value = Date.now()
    if (asking || paused.value || held || document.hidden || document.querySelector('[role=dialog]') !== null) return
    if (!changed && now.value - Math.max(load.loadedAt.value, askedAt) < round()) return
    changed = false
    asking = true
    askedAt = now.value
    void load.reload().finally(() => { asking = false })
  }, Math.min(everyMs, 500))
  onScopeDispose(() => clearInterval(timer))
  const stale = computed(() => load.loadedAt.value > 0 && now.value - load.loadedAt.value > round() * 3 + 2000)
  return {
    paused, stale, streaming: connected, at: load.loadedAt,
    toggle: () => { paused.value = !paused.value },
    hold: (on) => { held = on },
  }
}
