import { getCurrentScope, onScopeDispose, ref, watch, type Ref } from 'vue'

/** Follows a text, trimmed, once its writer has paused. */
export function refAfterPause(source: Ref<string>, pauseMs: number): Ref<string> {
  const settled = ref(source.value.trim())
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(source, (next) => {
    clearTimeout(timer)
    timer = setTimeout(() => { settled.value = next.trim() }, pauseMs)
  })
  if (getCurrentScope()) onScopeDispose(() => clearTimeout(timer))
  return settled
}
