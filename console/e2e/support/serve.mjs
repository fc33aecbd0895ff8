// Serves the generated console as the gateway will: unknown paths get the application, scripts need a CSP hash.
import { createServer } from 'node:http'
import { readFileSync, existsSync, statSync } from 'node:fs'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../.output/public', import.meta.url))
const hashes = readFileSync(join(root, 'csp-hashes.txt'), 'utf8').trim().split('\n').join(' ')
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' }
// The gateway's own policy for pages (crates/bss-gateway, security_headers.rs).
const policy = `default-src 'self'; script-src 'self' ${hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'`
createServer((request, response) => {
  const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname))
  let file = join(root, path)
  if (/^\/(tmf-api|bss-api|realms)\//.test(path)) { response.writeHead(404).end(); return }
  if (/\.[^/]*$/.test(path) && !existsSync(file)) { response.writeHead(404).end(); return }
  if (!existsSync(file) || statSync(file).isDirectory()) file = join(root, '200.html')
  response.writeHead(200, {
    'content-type': types[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': policy,
  })
  response.end(readFileSync(file))
}).listen(Number(process.argv[2]), '127.0.0.1')
