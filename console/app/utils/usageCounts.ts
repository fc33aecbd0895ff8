import type { UsageFile } from '~/api/types'
import type { Meaning } from './states'

/** What became of a file's records; the parts sum to the whole, or the page says that they don't. */
export function fileParts(file: UsageFile): { label: string, count: number, meaning: Meaning }[] {
  return [
    { label: 'rated', count: file.rated ?? 0, meaning: 'good' },
    { label: 'waiting', count: file.waiting ?? 0, meaning: 'working' },
    { label: 'rejected', count: file.rejected ?? 0, meaning: 'bad' },
    { label: 'duplicates', count: file.duplicates ?? 0, meaning: 'over' },
  ]
}
