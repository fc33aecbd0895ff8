import { computed, ref } from 'vue'
import type { Column } from '~/utils/columns'

/**
 * Which columns a reader has chosen, kept by this browser under the table's name. A sparse column that nobody has
 * chosen stands only while a row has something in it.
 */
export function useColumns(name: () => string, columns: () => Column[], filled: (column: Column) => boolean) {
  const key = `bss-columns:${name()}`
  const chosen = ref<Record<string, boolean>>(read(key))
  const isShown = (column: Column) => chosen.value[column.key] ?? (!column.extra && (!column.sparse || filled(column)))
  return {
    isShown,
    shown: computed(() => columns().filter(isShown)),
    toggleColumn(column: Column): void {
      chosen.value = { ...chosen.value, [column.key]: !isShown(column) }
      localStorage.setItem(key, JSON.stringify(chosen.value))
    },
  }
}

function read(key: string): Record<string, boolean> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '{}') as Record<string, boolean>
  } catch {
    return {}
  }
}
