/**
 * The answers of `/bss-api/v1` and of the bill's explanation. The description names these calls, but leaves their bodies
 * open, so that their shapes are typed by hand, here alone; `console/API.md` is their contract.
 */
import type { CustomerBill, BillingRate, Entity, Money, Period, Ref } from './types'

/** A node of an explanation or a trace: what it is, how much, why, and what lies below it. */
export interface ExplainNode {
  type?: string, id?: string, label?: string, why?: string, state?: string, at?: string, amount?: Money
  quantity?: { amount?: number, units?: string }, children?: ExplainNode[]
}
export interface Dashboard {
  at?: string, since?: string
  orders?: { today: number, completed: number, open: number }
  revenue?: { since?: string, amount: Money[] }
  usage?: { today: number, rated: number, waiting: number }
  billsDue?: { count: number, overdue: number, open: Money[] }
  failures?: { fallout?: number, rejects?: number, parked?: number, denied?: number }
  streams?: { lag: number, group?: string, stalled?: number }
}
export interface SearchHit { type: string, id: string, label: string, detail?: string, state?: string }
/** `detail` tells accounts of one name apart: the tax's category and rate, the channel. */
export interface TrialBalanceRow { account: string, name?: string, detail?: string, currency: string, debit: Money, credit: Money, balance: Money }
export interface LedgerEntry extends Entity {
  at?: string, kind?: string, description?: string, cause?: Ref, billingAccount?: Ref
  line?: { account: string, name?: string, debit?: Money, credit?: Money }[]
}
export interface LedgerLine { id: string, entry?: string, at?: string, kind?: string, cause?: Ref, debit?: Money, credit?: Money, balance?: Money }
export interface UsageFile extends Entity {
  name?: string, format?: string, source?: string, state?: string, receivedAt?: string, finishedAt?: string
  records?: number, rated?: number, rejected?: number, duplicates?: number, waiting?: number, notCharged?: number
}
/** How a switch writes numbers; an empty prefix stands before none. */
export interface NumberPlan { internationalPrefix: string, trunkPrefix: string, countryCode: string }
export interface SentSource { name: string, format: string, zone: string, numbers: NumberPlan }
export interface UsageSource extends Entity, SentSource {}
export interface UsageReject extends Entity {
  file?: Ref, line?: number, raw?: string, reason?: string, code?: string, state?: string, at?: string, usage?: Ref
}
export interface BillRun extends Entity {
  state?: string, startedAt?: string, finishedAt?: string, closeThrough?: string, accounts?: number, done?: number
  bills?: number, onHold?: number, failed?: number, total?: Money[]
  anomaly?: { billingAccount?: Ref, bill?: Ref, code?: string, reason?: string }[]
}
export interface BillPreview { bill: Omit<CustomerBill, 'id'>, rate: BillingRate[], explain?: BillExplanation | ExplainNode, recurring?: Money[] }
export interface Allocation extends Entity { billingAccount?: Ref, applied?: { bill?: Ref, amount?: Money }[] }
export interface Chargeback extends Entity { payment?: Ref, reopened?: { bill?: Ref, amount?: Money }[], fromCredit?: Money }
/** `payments` is how many are done by it. */
export interface Settlement extends Entity { channel?: { name: string }, payments?: number, paid?: Money, fees?: Money }
export interface WriteOff extends Entity { customerBill?: Ref, amount?: Money, reason?: string }
/** `balance` is the account's prepaid balance after it. */
export interface TopUp extends Entity { billingAccount?: Ref, amount?: Money, channel?: { name: string }, balance?: Money }
/** `applied` went off the bill, `credit` became credit of the account. */
export interface CreditNote extends Entity { number?: string, customerBill?: Ref, amount?: Money, applied?: Money, credit?: Money, reason?: string }
export interface Fallout extends Entity {
  productOrder?: Ref, serviceOrder?: Ref, customer?: Ref, step?: string, code?: string, reason?: string, attempts?: number
  at?: string, held?: Ref[], state?: string
}
export interface Topic { name: string, partitions?: number, messages?: number, bytes?: number, oldest?: string, newest?: string }
export interface Message {
  partition: number, position: number, key?: string, id?: string, type?: string, time?: string, traceparent?: string, data?: unknown
}
export interface GroupPartition { topic?: string, partition: number, position: number, head: number, worker?: string }
export interface Group {
  name: string, topics?: string[], lag?: number, parked?: number, workers?: number, rate?: number, committedAt?: string
  state?: string, partition?: GroupPartition[]
}
export interface ParkedEvent extends Entity {
  group?: string, topic?: string, partition?: number, position?: number, key?: string, type?: string, reason?: string
  attempts?: number, at?: string, waiting?: number
}
export interface Allowance extends Entity {
  name?: string, product?: Ref, granted: number, used: number, reserved?: number, units: string, validFor?: Period
  priority?: number, shared?: boolean
}
export interface Analytics {
  usage?: { type: string, count: number, quantity?: number, units?: string, amount?: Money }[]
  orders?: { state: string, count: number }[], billed?: Money[], paid?: Money[], open?: Money[], latePayer?: boolean, through?: string
  hour?: { start: string, type: string, count: number, quantity?: number, units?: string, amount?: Money }[]
}
export interface Clock { now: string, mode?: string }

/** What a bill was computed from, line by line (`GET …/customerBill/{id}/explain`); decimal texts are exact. */
export interface RatedPart {
  why: { kind: string, band?: string, tier?: number, step?: number, bucket?: string }
  quantity: number, charged: number, unit: number, unitPrice: string, amount: string
}
export interface BilledUsage {
  id: string, startDateTime?: string, quantity: number, zone?: string, amount: string, isCorrected?: boolean, position?: number, part: RatedPart[]
}
export interface ExplainedLine {
  line: number, kind: string, description: string, product?: Ref, price?: { id: string, name?: string, version?: string }, period?: Period
  quantity?: number, exactAmount?: string, amount?: Money, taxExcludedAmount?: Money, taxAmount?: Money
  obligation?: {
    revision: number, chargePeriod?: Period, owed?: string, owedBefore?: string, billedBefore?: Money
    piece?: { startDateTime: string, endDateTime: string, quantity: number, amount: string }[]
  }
  unit?: string, covered?: number, isLate?: boolean, records?: number, usage?: BilledUsage[]
}
export interface BillExplanation {
  id: string, billNo?: string, billingAccount?: Ref, billingPeriod?: Period, rulesVersion?: number | string, line: ExplainedLine[]
  tax?: { category: string, ratePpm: number, netMinor: number, taxMinor: number }[]
  taxExcludedAmount?: Money, taxAmount?: Money, taxIncludedAmount?: Money, creditApplied?: Money, amountDue?: Money
}
