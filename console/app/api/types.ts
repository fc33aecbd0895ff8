/**
 * The attributes of TM Forum's resources that the console reads, by TM Forum's names.
 * Every attribute but the id may be missing: the specifications make nearly all of them optional.
 */
export interface Money { unit: string, value: number }
export interface Period { startDateTime?: string, endDateTime?: string }
export interface Ref { id: string, href?: string, name?: string, role?: string, '@referredType'?: string, '@type'?: string }
export interface Characteristic { name: string, value?: unknown, valueType?: string }
export interface ContactMedium { mediumType?: string, preferred?: boolean, characteristic?: Record<string, string> }

export interface Entity { id: string, href?: string, '@type'?: string }
export interface Customer extends Entity {
  name?: string, status?: string, statusReason?: string, account?: Ref[], engagedParty?: Ref
  contactMedium?: ContactMedium[], characteristic?: Characteristic[], validFor?: Period
}
export interface Party extends Entity {
  givenName?: string, familyName?: string, name?: string, tradingName?: string, status?: string, birthDate?: string
  contactMedium?: ContactMedium[]
}
export interface BillingAccount extends Entity {
  name?: string, state?: string, paymentStatus?: string, accountType?: string, relatedParty?: Ref[]
  accountBalance?: { balanceType?: string, amount?: Money }[], characteristic?: Characteristic[]
  currency?: string, timeZone?: string, cycleDay?: number, creditLimit?: Money
}
export interface Note { id?: string, text?: string, date?: string, author?: string }
export interface OrderItem {
  id?: string, action?: string, quantity?: number, state?: string, productOffering?: Ref, billingAccount?: Ref
  product?: Partial<Product>, itemPrice?: OrderPrice[], note?: Note[]
}
export interface OrderPrice { name?: string, priceType?: string, recurringChargePeriod?: string, price?: { taxIncludedAmount?: Money, dutyFreeAmount?: Money } }
export interface ProductOrder extends Entity {
  state?: string, orderDate?: string, completionDate?: string, expectedCompletionDate?: string, description?: string
  externalId?: string, category?: string, productOrderItem?: OrderItem[], relatedParty?: Ref[], billingAccount?: Ref
  note?: Note[], cancellationReason?: string
  productOrderErrorMessage?: { code?: string, reason?: string, message?: string, timestamp?: string, orderItem?: { id?: string }[] }[]
}
export interface ServiceOrder extends Entity {
  state?: string, orderDate?: string, startDate?: string, completionDate?: string, externalId?: string
  milestone?: { name?: string, status?: string, milestoneDate?: string, message?: string }[]
  serviceOrderItem?: { id?: string, action?: string, state?: string, service?: { id?: string, name?: string } }[]
  note?: Note[], errorMessage?: { code?: string, reason?: string, message?: string, timestamp?: string }[]
}
export interface Product extends Entity {
  name?: string, status?: string, startDate?: string, terminationDate?: string, orderDate?: string, productOffering?: Ref
  billingAccount?: Ref, productCharacteristic?: Characteristic[], productPrice?: { name?: string, priceType?: string, recurringChargePeriod?: string, price?: { taxIncludedAmount?: Money, dutyFreeAmount?: Money }, productOfferingPrice?: Ref }[]
  realizingResource?: Ref[], realizingService?: Ref[], relatedParty?: Ref[], productOrderItem?: { productOrderId?: string }[]
}
export interface Usage extends Entity {
  usageDate?: string, usageType?: string, status?: string, description?: string, usageCharacteristic?: Characteristic[]
  relatedParty?: Ref[], ratedProductUsage?: { ratingDate?: string, taxExcludedRatingAmount?: Money, taxIncludedRatingAmount?: Money, usageRatingTag?: string, isBilled?: boolean, productRef?: Ref }[]
}
export interface CustomerBill extends Entity {
  billNo?: string, billDate?: string, state?: string, category?: string, runType?: string, paymentDueDate?: string
  amountDue?: Money, remainingAmount?: Money, taxExcludedAmount?: Money, taxIncludedAmount?: Money, billingAccount?: Ref
  billingPeriod?: Period, relatedParty?: Ref[], taxItem?: { taxCategory?: string, taxRate?: number, taxAmount?: Money }[]
  appliedPayment?: { appliedAmount?: Money, payment?: Ref }[]
}
export interface BillingRate extends Entity {
  name?: string, description?: string, type?: string, date?: string, periodCoverage?: Period, product?: Ref, bill?: Ref, line?: number
  taxExcludedAmount?: Money, taxIncludedAmount?: Money
}
export interface Payment extends Entity {
  status?: string, paymentDate?: string, amount?: Money, totalAmount?: Money, description?: string, account?: Ref, unallocatedAmount?: Money
  channel?: Ref, payer?: Ref, paymentMethod?: Ref, paymentItem?: { id?: string, amount?: Money, item?: Ref }[]
}
export interface Offering extends Entity {
  name?: string, description?: string, version?: string, lifecycleStatus?: string, isBundle?: boolean, isSellable?: boolean
  category?: Ref[], validFor?: Period, lastUpdate?: string, productSpecification?: Ref, productOfferingPrice?: Ref[]
  bundledProductOffering?: Ref[]
  prodSpecCharValueUse?: { name?: string, valueType?: string, minCardinality?: number, productSpecCharacteristicValue?: { value?: unknown, isDefault?: boolean }[] }[]
}
export interface OfferingPrice extends Entity {
  name?: string, description?: string, version?: string, priceType?: string, lifecycleStatus?: string, price?: Money
  recurringChargePeriodType?: string, recurringChargePeriodLength?: number, unitOfMeasure?: { amount?: number, units?: string }
  validFor?: Period, percentage?: number, tax?: { taxCategory?: string, taxRate?: number }[], taxIncluded?: boolean
  inAdvance?: boolean, dueOn?: string, proration?: string, tariff?: Tariff
  allowance?: { quantity?: number | string | { amount?: number, units?: string }, covers?: { service?: string, direction?: string, zones?: string[] }[], window?: unknown, priority?: number, shared?: boolean, rollover?: { max?: number | string } }
  commitment?: { months?: number, minimumSpend?: number, leavingFee?: number }, alteration?: { appliesTo?: string, periods?: number }
}

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
  records?: number, rated?: number, rejected?: number, duplicates?: number, waiting?: number
}
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

/** A tariff as the catalog carries it (`bss-domain`, catalog::tariff): what use costs, by service, direction and zone. */
export interface TariffStep { from?: number | string, unit?: string, increment?: number | string, price?: number | string }
export interface TariffTier { upTo?: number | string, steps?: TariffStep[] }
export interface TariffBand {
  name?: string, days?: string[], from?: string, to?: string, split?: boolean, connectionFee?: number | string
  steps?: TariffStep[], graduated?: TariffTier[], volume?: TariffTier[], package?: { size?: number | string, price?: number | string }
}
export interface TariffRate extends TariffBand { service?: string, direction?: string, zone?: string, counter?: string, bands?: TariffBand[] }
export interface Tariff { zones?: { name?: string, prefixes?: string[], networks?: string[] }[], holidays?: string[], rates?: TariffRate[] }

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
