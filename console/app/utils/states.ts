/** One meaning, one colour and one icon for every state word of TM Forum's models. */
export type Meaning = 'waiting' | 'working' | 'good' | 'bad' | 'over'

const WORDS: Record<Meaning, string[]> = {
  waiting: ['acknowledged', 'pending', 'held', 'created', 'new', 'pendingAuthorization', 'draft', 'planned', 'inStudy', 'inDesign',
    'inTest', 'feasibilityChecked', 'designed', 'reserved', 'waiting', 'suspended', 'pendingActive', 'received',
    'guided', 'unallocated', 'onHold', 'pendingCancellation', 'assessingCancellation', 'standby', 'open', 'due'],
  working: ['inProgress', 'running', 'onCycle', 'processing', 'partiallyPaid', 'sent', 'validated', 'retrying',
    'activating', 'rebalancing', 'working', 'authorized', 'partial', 'started', 'importing'],
  good: ['completed', 'active', 'settled', 'paid', 'done', 'launched', 'captured', 'available', 'rated', 'billed',
    'approved', 'live', 'stable', 'healthy', 'finished', 'replayed', 'imported', 'success', 'allocated'],
  bad: ['failed', 'rejected', 'error', 'overdue', 'denied', 'quarantined', 'parked', 'fallout', 'aborted',
    'stalled', 'refused', 'unknown'],
  over: ['cancelled', 'canceled', 'terminated', 'inactive', 'retired', 'obsolete', 'closed', 'refunded', 'expired',
    'superseded', 'skipped', 'empty', 'recycled', 'duplicate'],
}

/** Bills with something to pay, as one filter: a list's values by commas are alternatives. */
export const DUE_STATES = 'validated,sent,partiallyPaid'
/** Bills that are written for good: they are corrected by credit notes. */
export const VALIDATED_STATES = [...DUE_STATES.split(','), 'settled']

const BY_WORD = new Map<string, Meaning>(
  (Object.entries(WORDS) as [Meaning, string[]][]).flatMap(([meaning, words]) =>
    words.map((word) => [word.toLowerCase(), meaning] as const)),
)

/** The meaning of a state's word; a word that isn't known counts as waiting, which promises nothing. */
export function meaningOf(state: string): Meaning {
  return BY_WORD.get(state.toLowerCase().replaceAll(/[\s_-]/g, '')) ?? 'waiting'
}

export const MEANING_ICON: Record<Meaning, string> = {
  waiting: 'i-lucide-clock',
  working: 'i-lucide-loader',
  good: 'i-lucide-circle-check',
  bad: 'i-lucide-circle-x',
  over: 'i-lucide-circle-slash',
}

export const MEANING_CLASS: Record<Meaning, string> = {
  waiting: 'bg-slate-100 text-slate-800 ring-slate-300 dark:bg-slate-800 dark:text-slate-200 dark:ring-slate-600',
  working: 'bg-sky-50 text-sky-900 ring-sky-300 dark:bg-sky-950 dark:text-sky-200 dark:ring-sky-700',
  good: 'bg-emerald-50 text-emerald-900 ring-emerald-300 dark:bg-emerald-950 dark:text-emerald-200 dark:ring-emerald-700',
  bad: 'bg-red-50 text-red-900 ring-red-300 dark:bg-red-950 dark:text-red-200 dark:ring-red-700',
  over: 'bg-stone-100 text-stone-700 ring-stone-300 dark:bg-stone-900 dark:text-stone-300 dark:ring-stone-700',
}

export const MEANING_TEXT: Record<Meaning, string> = {
  waiting: 'text-slate-600 dark:text-slate-300',
  working: 'text-sky-700 dark:text-sky-300',
  good: 'text-emerald-700 dark:text-emerald-300',
  bad: 'text-red-700 dark:text-red-300',
  over: 'text-stone-600 dark:text-stone-400',
}

export const MEANING_BAR: Record<Meaning, string> = {
  waiting: 'bg-slate-400',
  working: 'bg-sky-600',
  good: 'bg-emerald-600',
  bad: 'bg-red-600',
  over: 'bg-stone-400',
}
