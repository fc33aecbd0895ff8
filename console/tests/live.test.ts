import { effectScope, ref } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

vi.mock('../app/api/client', () => ({ listen: async () => 404, ApiError: class extends Error {} }))
const page = { hidden: false, querySelector: (): unknown => null }
vi.stubGlobal('document', page)

import { useLive, type Live } from '../app/composables/useLive'

describe('a live load', () => {
  let calls = 0
  let finish: () => void = () => {}
  const loadedAt = ref(0)
  const scope = { current: effectScope() }
  const load = { loadedAt, reload: () => { calls += 1; return new Promise<void>((resolve) => { finish = resolve }) } }
  let live: Live

  beforeEach(() => {
    vi.useFakeTimers()
    calls = 0
    loadedAt.value = Date.now()
    page.hidden = false
    page.querySelector = () => null
    scope.current = effectScope()
    live = scope.current.run(() => useLive(load, () => true, 3000))!
  })
  afterEach(() => { scope.current.stop(); vi.useRealTimers() })

  it('asks again after its time, and waits for a slow answer', async () => {
    await vi.advanceTimersByTimeAsync(2_400)
    expect(calls).toBe(0)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(calls).toBe(1)
    finish()
    await vi.advanceTimersByTimeAsync(500)
    expect(calls).toBe(2)
  })

  it('asks a server that refuses no faster', async () => {
    for (let round = 0; round < 60; round += 1) {
      await vi.advanceTimersByTimeAsync(500)
      finish()
    }
    expect(calls).toBeLessThanOrEqual(10)
    expect(calls).toBeGreaterThanOrEqual(8)
    expect(live.stale.value).toBe(true)
  })

  it.each([
    ['paused', () => { live.toggle() }],
    ['held', () => { live.hold(true) }],
    ['hidden', () => { page.hidden = true }],
    ['behind a dialog', () => { page.querySelector = () => ({}) }],
  ])('rests while %s', async (_, rest) => {
    rest()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(calls).toBe(0)
  })
})
