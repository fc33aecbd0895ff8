// Writes the API's types from the committed description, or with --check says whether they are of it.
import { readFileSync, writeFileSync } from 'node:fs'
import openapi, { astToString } from 'openapi-typescript'

const document = new URL('../../docs/openapi.json', import.meta.url)
const target = new URL('../app/api/schema.d.ts', import.meta.url)

// Every object keeps what the description doesn't name. Read here, such an index would make any misspelt
// attribute a valid one, so that only the named attributes become types.
function named(_key, value) {
  if (!value?.properties || value.additionalProperties !== true) return value
  const { additionalProperties, properties, ...rest } = value
  return Object.keys(properties).length > 0 ? { ...rest, properties } : { ...rest, additionalProperties }
}

const types = astToString(await openapi(JSON.parse(readFileSync(document, 'utf8'), named)))
const text = `/** Generated from docs/openapi.json by \`npm run api\`; never edited. */\n\n${types}`
if (!process.argv.includes('--check')) {
  writeFileSync(target, text)
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('console/app/api/schema.d.ts is stale: scripts/console.sh npm run api writes it anew')
  process.exit(1)
}
