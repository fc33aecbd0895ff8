import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

/** What a page does that it must not: calls of other origins, breaches of the policy, errors that nobody caught. */
export function watch(page: Page, origin: string): { nothingWrong: () => void } {
  const foreign: string[] = []
  const complaints: string[] = []
  page.on('request', (r) => { if (/^https?:/.test(r.url()) && !r.url().startsWith(`${origin}/`)) foreign.push(r.url()) })
  page.on('console', (m) => { if (m.text().includes('Content Security Policy')) complaints.push(m.text()) })
  page.on('pageerror', (e) => complaints.push(String(e)))
  return {
    nothingWrong: () => {
      expect(foreign, 'no request leaves the origin').toEqual([])
      expect(complaints, 'the policy holds and nothing throws').toEqual([])
    },
  }
}

/** axe's findings that keep somebody out. */
export async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html} ${n.failureSummary}`))
}

/** The whole page is as wide as the window: only tables and boards scroll sideways, in their own frames. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}
