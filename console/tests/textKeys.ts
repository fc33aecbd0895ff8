/** Collects the visible texts of the sources: the keys that they look up, and bare words that no catalogue could reach. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parse as parseTemplate, type TemplateChildNode } from '@vue/compiler-dom'
import { parse as parseComponent } from '@vue/compiler-sfc'
import { BALANCES, SETTLED_BY } from '../app/utils/balances'

const APP = new URL('../app', import.meta.url).pathname
const TEXT = String.raw`'((?:[^'\\]|\\.)*)'`

export interface Found { file: string, text: string }

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'locales' ? [] : sources(path)
    return /\.(vue|ts)$/.test(entry.name) ? [path] : []
  })
}

/** Keys of `t('…')`, of `tn('…', '…')` (its second), and of `label: '…'` in tables, tabs and places. */
export function textKeys(): Found[] {
  return sources(APP).filter((file) => !file.endsWith('gallery.vue')).flatMap((file) => {
    const source = readFileSync(file, 'utf8')
    const keys = [
      ...source.matchAll(new RegExp(String.raw`\bt\(\s*${TEXT}`, 'g')),
      ...source.matchAll(new RegExp(String.raw`\blabel: ${TEXT}`, 'g')),
    ].map((match) => match[1]!)
    // Conditions inside t(…) would hide a key from this search.
    const ternaries = [...source.matchAll(/\bt\([^()'?]*\?(?!\?)/g)].map((match) => `t(… ? …): ${match[0]}`)
    const plurals = [...source.matchAll(new RegExp(String.raw`\btn\(\s*${TEXT},\s*${TEXT}`, 'g'))].map((match) => match[2]!)
    return [...keys, ...plurals, ...ternaries].map((text) => ({ file, text: text.replaceAll('\\\'', '\'') }))
  })
}

/** Keys that are looked up by a variable: words of the server that the interface translates. */
export const WORDS = ['month', 'day', 'week', 'year', ...Object.values(BALANCES), ...Object.values(SETTLED_BY)]

/** Words that stand in a template as such, outside of `t(…)`: they would stay English in every language. */
export function bareTexts(): Found[] {
  return sources(APP).filter((file) => file.endsWith('.vue') && !file.endsWith('gallery.vue')).flatMap((file) => {
    const template = parseComponent(readFileSync(file, 'utf8')).descriptor.template
    if (!template) return []
    return bareOf(parseTemplate(template.content).children).map((text) => ({ file, text }))
  })
}

/** Proper names and signs that read the same everywhere. */
const NAMES = /\b(BSS|PDF|UTC|CSV|SIM|Esc|g|s)\b/g
const VISIBLE = new Set(['title', 'label', 'placeholder', 'aria-label', 'caption', 'empty', 'says', 'done', 'alt'])

function bareOf(nodes: TemplateChildNode[]): string[] {
  return nodes.flatMap((node) => {
    if (node.type === 2) return isBare(node.content) ? [node.content.trim()] : []
    if (node.type !== 1) return []
    const attributes = node.props.flatMap((prop) =>
      (prop.type === 6 && VISIBLE.has(prop.name) && prop.value && isBare(prop.value.content) ? [prop.value.content] : []))
    return [...attributes, ...bareOf(node.children)]
  })
}

function isBare(text: string): boolean {
  return /\p{L}/u.test(text.replaceAll(NAMES, ''))
}
