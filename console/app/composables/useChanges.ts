import { onScopeDispose, ref, type Ref } from 'vue'
import { listen } from '~/api/client'
import type { ServerEvent } from '~/utils/serverEvents'

/** What the server says about one event of the log. */
export interface Change { type: string, id: string, event?: string, state?: string, customer?: string, at?: string }
type Reader = (change: Change) => void

/** The server sends at least a comment every 10 s; after 25 s of silence the stream counts as cut. */
const SILENCE_MS = 25_000
const RETRY_MS = [1_000, 2_000, 5_000, 15_000, 30_000]
const readers = new Set<Reader>()
const connected = ref(false)
let running: AbortController | undefined
let heardAt = 0

function read({ event, data }: ServerEvent): void {
  if (event !== 'change') return
  let change: Change
  try {
    change = JSON.parse(data) as Change
  } catch {
    return
  }
  for (const reader of readers) reader(change)
}

const pause = (ms: number, signal: AbortSignal) => new Promise<void>((resolve) => {
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => { clearTimeout(timer); resolve() }, { once: true })
})

/** Holds one stream for all pages of this tab; it is opened anew after a cut, ever more slowly. */
async function run(signal: AbortSignal): Promise<void> {
  for (let failed = 0; !signal.aborted; failed += 1) {
    const attempt = new AbortController()
    const stop = () => attempt.abort()
    signal.addEventListener('abort', stop, { once: true })
    heardAt = Date.now()
    const watch = setInterval(() => { if (Date.now() - heardAt > SILENCE_MS) attempt.abort() }, 5_000)
    const heard = () => { heardAt = Date.now(); connected.value = true; failed = 0 }
    // A cut, a refusal and an end all lead to the next attempt; the pages ask by themselves meanwhile.
    await listen(read, heard, attempt.signal).catch(() => 0)
    clearInterval(watch)
    signal.removeEventListener('abort', stop)
    connected.value = false
    await pause(RETRY_MS[Math.min(failed, RETRY_MS.length - 1)]!, signal)
  }
}

/** Calls the reader for every change while the caller lives; says whether the stream stands. */
export function useChanges(reader: Reader): { connected: Ref<boolean> } {
  readers.add(reader)
  if (!running) {
    running = new AbortController()
    void run(running.signal)
  }
  onScopeDispose(() => {
    readers.delete(reader)
    // The next page takes the stream over; only when nobody reads any more it is closed.
    setTimeout(() => {
      if (readers.size > 0) return
      running?.abort()
      running = undefined
    }, 2_000)
  })
  return { connected }
}
