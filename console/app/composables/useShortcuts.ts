import { onMounted, onUnmounted, type Ref } from 'vue'
import type { Place } from '~/utils/places'

/** A second key after `g` counts for this long. */
const SECOND_KEY_MS = 1000

/** `/` searches, `g` and a place's key go there, `?` shows the keys; never while somebody types. */
export function useShortcuts(places: Ref<Place[]>, actions: { search: () => void, help: () => void }): void {
  let goingSince = 0
  function onKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable || target.closest('[role=dialog]')) return
    if (places.value.length === 0) return
    const place = Date.now() - goingSince < SECOND_KEY_MS ? places.value.find((p) => p.key === event.key) : undefined
    goingSince = event.key === 'g' ? Date.now() : 0
    if (place) void navigateTo(place.to)
    else if (event.key === '/') actions.search()
    else if (event.key === '?') actions.help()
    else return
    event.preventDefault()
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onUnmounted(() => window.removeEventListener('keydown', onKey))
}
