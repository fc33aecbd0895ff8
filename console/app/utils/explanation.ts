import type { BillExplanation, BilledUsage, ExplainedLine, ExplainNode, Money, RatedPart } from '~/api/types'
import { currencyDigits, formatDate, formatMoney, formatQuantity } from './format'

type Say = (key: string, values?: Record<string, string | number>) => string
/** What the tree needs to speak: the language, and the account's zone for dates. */
export interface Voice { t: Say, locale: string, zone: string }

/** An explanation as a tree; what is a tree already stays as it is. */
export function billTree(explanation: BillExplanation | ExplainNode, voice: Voice): ExplainNode {
  if (!('line' in explanation)) return explanation as ExplainNode
  const bill = explanation as BillExplanation
  const unit = bill.taxIncludedAmount?.unit ?? bill.amountDue?.unit ?? ''
  const taxes = (bill.tax ?? []).map((tax): ExplainNode => ({
    type: 'tax',
    label: `${voice.t('Tax')} ${tax.category} ${tax.ratePpm / 10_000}\u00a0%`,
    why: voice.t('on the sum of its lines, {net}, rounded once', { net: formatMoney(minor(tax.netMinor, unit), voice.locale) }),
    amount: minor(tax.taxMinor, unit),
  }))
  return {
    type: 'CustomerBill', id: bill.id, label: voice.t('Bill {number}', { number: bill.billNo ?? '' }), amount: bill.taxIncludedAmount,
    children: [...bill.line.map((line) => lineTree(line, unit, voice)), ...taxes],
  }
}

/** The node of a line: its pieces or records, then what rounding and the tax within the price make of their sum. */
export function lineTree(line: ExplainedLine, unit: string, voice: Voice): ExplainNode {
  const exact = Number(line.exactAmount ?? line.amount?.value ?? 0)
  const rounding = rest(Number(line.amount?.value ?? 0), exact)
  const withinPrice = rest(Number(line.taxExcludedAmount?.value ?? 0), Number(line.amount?.value ?? 0))
  const pieces = line.usage?.length ? usageNodes(line, unit, voice) : pieceNodes(line, unit, voice)
  // A discount or a minimum spend has neither pieces nor records: then its own amount is what the rest is taken from.
  const below = pieces.length > 0 || (rounding === 0 && withinPrice === 0) ? pieces
    : [{ type: 'price', label: voice.t('By the price'), amount: { unit, value: exact } }]
  return {
    type: line.kind, label: line.description, amount: line.taxExcludedAmount, why: whyOf(line, voice),
    ...(line.kind === 'usage' && line.quantity !== undefined ? { quantity: { amount: line.quantity, units: line.unit ?? '' } } : {}),
    children: [
      ...below,
      ...(rounding === 0 ? [] : [{ type: 'rounding', label: voice.t('Rounded once, at the line'), amount: { unit, value: rounding } }]),
      ...(withinPrice === 0 ? [] : [{ type: 'tax', label: voice.t('Tax within the price'), amount: { unit, value: withinPrice } }]),
    ],
  }
}

function whyOf(line: ExplainedLine, voice: Voice): string {
  const { t, locale } = voice
  return [
    line.price?.name ? `${line.price.name}, ${t('version {version}', { version: line.price.version ?? '' })}` : '',
    line.isLate ? t('of a period that was closed before') : '',
    line.covered ? t('{quantity} covered by allowances', { quantity: formatQuantity(line.covered, line.unit ?? '', locale) }) : '',
    line.obligation && line.obligation.revision > 0 ? t('a correction: only the difference to what was billed is charged') : '',
  ].filter(Boolean).join(' · ')
}

function pieceNodes(line: ExplainedLine, unit: string, voice: Voice): ExplainNode[] {
  const owed = (line.obligation?.piece ?? []).map((piece): ExplainNode => ({
    type: 'segment',
    label: `${formatDate(piece.startDateTime, voice.zone)} – ${formatDate(piece.endDateTime, voice.zone)}`,
    why: piece.quantity > 1 ? `× ${piece.quantity}` : undefined,
    amount: { unit, value: Number(piece.amount) },
  }))
  const sum = Number(line.obligation?.owed ?? 0)
  const before = line.obligation ? rest(Number(line.exactAmount ?? 0), sum) : 0
  return before === 0 ? owed : [...owed, { type: 'billed', label: voice.t('Owed or billed before'), amount: { unit, value: before } }]
}

function usageNodes(line: ExplainedLine, unit: string, voice: Voice): ExplainNode[] {
  const shown = line.usage ?? []
  const nodes = shown.map((record) => usageTree(record, line.unit ?? '', unit, voice))
  const missing = (line.records ?? shown.length) - shown.length
  if (missing <= 0) return nodes
  const value = rest(Number(line.exactAmount ?? 0), nodes.reduce((sum, node) => sum + (node.amount?.value ?? 0), 0))
  return [...nodes, { type: 'more', label: voice.t('{n} more records', { n: missing }), amount: { unit, value } }]
}

/** The node of one record: each part of its rating with its reason. */
export function usageTree(record: BilledUsage, units: string, unit: string, voice: Voice): ExplainNode {
  return {
    type: 'Usage', id: record.id, label: record.zone ?? voice.t('Usage'), at: record.startDateTime,
    quantity: { amount: record.quantity, units }, amount: { unit, value: Number(record.amount) },
    why: record.isCorrected ? voice.t('corrected when its period was closed') : undefined,
    children: record.part.map((part) => partNode(part, units, unit, voice)),
  }
}

function partNode(part: RatedPart, units: string, unit: string, voice: Voice): ExplainNode {
  const { t, locale } = voice
  const names: Record<string, string> = {
    connectionFee: t('Connection fee'), step: t('By use'), package: t('Packages begun'), allowance: t('Allowance'),
    uncollected: t('Beyond the prepaid balance'),
  }
  const counted = part.why.kind === 'step' || part.why.kind === 'allowance'
  const price = formatMoney({ unit, value: Number(part.unitPrice) }, locale, true)
  const terms = counted
    ? t('{charged} charged, {price} for each {per}', { charged: formatQuantity(part.charged, units, locale), price, per: formatQuantity(part.unit, units, locale) })
    : ''
  return {
    type: part.why.kind, id: part.why.bucket, label: names[part.why.kind] ?? part.why.kind,
    why: [part.why.band ? `${part.why.band}` : '', part.why.kind === 'allowance' ? '' : terms].filter(Boolean).join(': ') || undefined,
    quantity: counted ? { amount: part.quantity, units } : undefined, amount: { unit, value: Number(part.amount) },
  }
}

function minor(value: number, unit: string): Money {
  return { unit, value: value / 10 ** currencyDigits(unit) }
}

/** A difference of decimal numbers with at most nine decimals, without the noise of binary fractions. */
function rest(whole: number, part: number): number {
  return Math.round((whole - part) * 1e9) / 1e9
}
