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

/** What stands open now, wide and light, then at 390 px and dark: nothing overflows, and axe has no serious finding. */
export async function wideAndNarrow(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ reducedMotion: 'reduce' })
  for (const [width, colorScheme] of [[1280, 'light'], [390, 'dark']] as const) {
    await page.setViewportSize({ width, height: 844 })
    await page.emulateMedia({ colorScheme })
    await expect(page.locator('html.dark')).toHaveCount(colorScheme === 'dark' ? 1 : 0)
    expect(await overflow(page)).toBe(0)
    expect(await serious(page)).toEqual([])
    await page.screenshot({ path: `test-results/pages/${name}-${width}-${colorScheme}.png` })
  }
  await page.setViewportSize({ width: 1280, height: 720 })
  await page.emulateMedia({ colorScheme: 'light' })
}
