// Writes the sha256 of every inline script of the generated page, one a line, as CSP source expressions:
// the gateway's policy then needs no 'unsafe-inline'.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'

const output = new URL('../.output/public/', import.meta.url)
const hashes = new Set()
for (const page of ['index.html', '200.html', '404.html']) {
  const html = readFileSync(new URL(page, output), 'utf8')
  for (const [, attributes, body] of html.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)) {
    if (!/\ssrc=/.test(attributes) && body) hashes.add(`'sha256-${createHash('sha256').update(body).digest('base64')}'`)
  }
}
if (hashes.size === 0) throw new Error('the generated pages hold no inline script: has Nuxt changed its output?')
writeFileSync(new URL('csp-hashes.txt', output), `${[...hashes].sort().join('\n')}\n`)
