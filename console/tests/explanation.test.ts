import { describe, expect, it } from 'vitest'
import type { BillExplanation, ExplainNode } from '../app/api/types'
import { billTree } from '../app/utils/explanation'
import { fill } from '../app/utils/text'

const voice = { t: (key: string, values?: Record<string, string | number>) => fill(key, values), locale: 'en', zone: 'Europe/Warsaw' }
const EUR = (value: number) => ({ unit: 'EUR', value })
/** A bill as the server explains it: a monthly fee with its tax in the price, in two segments, and three calls. */
const bill: BillExplanation = {
  id: 'b', billNo: '2026-1', taxIncludedAmount: EUR(10.55), tax: [{ category: 'S', ratePpm: 230_000, netMinor: 858, taxMinor: 197 }],
  line: [
    { line: 1, kind: 'recurring', description: 'Mobile M, monthly', price: { id: 'p', name: 'Mobile M', version: '2' }, quantity: 1, exactAmount: '9.99', amount: EUR(9.99), taxExcludedAmount: EUR(8.12),
      obligation: { revision: 0, owed: '9.99', owedBefore: '0', piece: [
        { startDateTime: '2026-02-28T23:00:00Z', endDateTime: '2026-03-15T23:00:00Z', quantity: 1, amount: '4.834' }, { startDateTime: '2026-03-15T23:00:00Z', endDateTime: '2026-03-31T22:00:00Z', quantity: 1, amount: '5.156' }] } },
    { line: 2, kind: 'usage', description: 'Calls, national', price: { id: 'q', name: 'Usage', version: '1' }, quantity: 200, unit: 'second', covered: 60, records: 3, exactAmount: '0.461333333', amount: EUR(0.46), taxExcludedAmount: EUR(0.46), usage: [
      { id: 'u1', startDateTime: '2026-03-02T10:00:00Z', quantity: 61, zone: 'national', amount: '0.101666667', part: [
        { why: { kind: 'connectionFee', band: 'peak' }, quantity: 0, charged: 1, unit: 1, unitPrice: '0.05', amount: '0.05' },
        { why: { kind: 'step', band: 'peak', step: 0 }, quantity: 61, charged: 62, unit: 60, unitPrice: '0.05', amount: '0.051666667' }] },
      { id: 'u2', quantity: 60, zone: 'national', amount: '0', part: [{ why: { kind: 'allowance', bucket: 'k' }, quantity: 60, charged: 60, unit: 1, unitPrice: '0', amount: '0' }] }] },
  ],
}

const sum = (nodes: ExplainNode[] = []) => Math.round(nodes.reduce((all, node) => all + (node.amount?.value ?? 0), 0) * 1e9) / 1e9
function imbalances(node: ExplainNode): string[] {
  const own = node.amount && node.children?.length && sum(node.children) !== node.amount.value ? [`${node.label}: ${sum(node.children)} is not ${node.amount.value}`] : []
  return [...own, ...(node.children ?? []).flatMap(imbalances)]
}

describe('a bill explained', () => {
  const tree = billTree(bill, voice)

  it('sums at every node, with rounding and the tax within a price as nodes of their own', () => {
    expect(imbalances(tree)).toEqual([])
    expect(tree.children?.map((child) => [child.label, child.amount?.value])).toEqual([['Mobile M, monthly', 8.12], ['Calls, national', 0.46], ['Tax S 23\u00a0%', 1.97]])
    expect(tree.children?.[0]?.children?.map((child) => [child.label, child.amount?.value])).toEqual([
      ['2026-03-01 – 2026-03-16', 4.834], ['2026-03-16 – 2026-04-01', 5.156], ['Tax within the price', -1.87]])
  })

  it('shows the records, each part with its reason, and how many are left out', () => {
    const calls = tree.children?.[1]
    expect(calls?.why).toBe('Usage, version 1 · 1:00\u00a0min covered by allowances')
    expect(calls?.children?.map((child) => child.label)).toEqual(['national', 'national', '1 more records', 'Rounded once, at the line'])
    expect(calls?.children?.[0]?.children?.map((part) => [part.label, part.why])).toEqual([
      ['Connection fee', 'peak'], ['By use', 'peak: 1:02\u00a0min charged, 0.05\u00a0EUR for each 1:00\u00a0min']])
    expect(calls?.children?.[1]?.children?.[0]).toMatchObject({ label: 'Allowance', id: 'k' })
  })

  it('sums where a line has neither pieces nor records', () => {
    const discount = { line: 1, kind: 'alteration', description: 'Welcome', exactAmount: '-1.005', amount: EUR(-1.01), taxExcludedAmount: EUR(-0.82) }
    const [line] = billTree({ id: 'b', line: [discount] }, voice).children ?? []
    expect(line?.children?.map((child) => child.amount?.value)).toEqual([-1.005, -0.005, 0.19])
    expect(imbalances(line!)).toEqual([])
  })

  it('finds a wrong sum', () => {
    const wrong = structuredClone(bill)
    wrong.line[0]!.obligation!.piece!.pop()
    expect(imbalances(billTree(wrong, voice))).not.toEqual([])
  })

  it('leaves a tree as it is', () => {
    const node = { type: 'Usage', label: 'x' }
    expect(billTree(node, voice)).toBe(node)
  })
})
