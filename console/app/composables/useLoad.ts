import { getCurrentScope, onScopeDispose, ref, shallowRef, watch, type Ref, type WatchSource } from 'vue'
import { ApiError } from '~/api/client'

export interface Load<R> {
  data: Ref<R | undefined>
  error: Ref<ApiError | undefined>
  pending: Ref<boolean>
  /** True once loading has lasted 200 ms without anything to show: below that nothing flickers. */
  slow: Ref<boolean>
  loadedAt: Ref<number>
  reload: () => Promise<void>
}

/** Runs a call now and whenever a source changes; a call that is overtaken by the next one is aborted. */
export function useLoad<R>(call: (signal: AbortSignal) => Promise<R>, sources: WatchSource[] = []): Load<R> {
  const data = shallowRef<R>()
  const error = shallowRef<ApiError>()
  const pending = ref(true)
  const slow = ref(false)
  const loadedAt = ref(0)
  let running: AbortController | undefined

  async function reload(): Promise<void> {
    running?.abort()
    const mine = new AbortController()
    running = mine
    pending.value = true
    const timer = setTimeout(() => { slow.value = data.value === undefined && error.value === undefined }, 200)
    try {
      const answer = await call(mine.signal)
      if (mine.signal.aborted) return
      data.value = answer
      error.value = undefined
      loadedAt.value = Date.now()
    } catch (cause) {
      if (mine.signal.aborted) return
      error.value = cause instanceof ApiError ? cause : new ApiError(0, 'console', 'The console failed', String(cause), '')
    } finally {
      clearTimeout(timer)
      if (!mine.signal.aborted) {
        pending.value = false
        slow.value = false
      }
    }
  }

  if (sources.length > 0) watch(sources, reload)
  if (getCurrentScope()) onScopeDispose(() => running?.abort())
  void reload()
  return { data, error, pending, slow, loadedAt, reload }
}
