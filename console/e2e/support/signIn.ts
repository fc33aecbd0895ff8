import { readFileSync } from 'node:fs'
import { expect, type Page } from '@playwright/test'

/** The generated passwords of a fresh database: `name password`, one a line, at BSS_SIGN_IN_FILE. */
function passwords(): Map<string, string> {
  const file = process.env.BSS_SIGN_IN_FILE
  if (!file) throw new Error('BSS_SIGN_IN_FILE names no file with sign-in names and passwords')
  return new Map(readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line): [string, string] => {
    const space = line.indexOf(' ')
    return [line.slice(0, space), line.slice(space + 1)]
  }))
}

/** Opens an address and signs in on the issuer's own page, as a person does. */
export async function signIn(page: Page, name: string, path = '/'): Promise<void> {
  const password = passwords().get(name)
  if (!password) throw new Error(`the sign-in file has no ${name}`)
  await page.goto(path)
  await page.locator('#username').fill(name)
  await page.locator('#password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
}
