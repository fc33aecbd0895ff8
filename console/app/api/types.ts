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
  productOrderErrorMessage?: { code?: string, reason?: string, message?: string, timestamp?: string }[]
}
export interface ServiceOrder extends Entity {
  state?: string, orderDate?: string, startDate?: string, completionDate?: string, externalId?: string
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
  name?: string, description?: string, type?: string, date?: string, periodCoverage?: Period, product?: Ref, bill?: Ref
  taxExcludedAmount?: Money, taxIncludedAmount?: Money
}
export interface Payment extends Entity {
  status?: string, paymentDate?: string, amount?: Money, totalAmount?: Money, description?: string, account?: Ref
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
  validFor?: Period, pricingLogicAlgorithm?: unknown[], tax?: { taxCategory?: string, taxRate?: number }[]
}

/** A node of an explanation or a trace: what it is, how much, why, and what lies below it. */
export interface ExplainNode {
  type?: string, id?: string, label?: string, why?: string, state?: string, at?: string, amount?: Money
  quantity?: { amount?: number, units?: string }, children?: ExplainNode[]
}
export interface Tile { key: string, label?: string, value?: number, money?: Money, state?: string, detail?: string }
export interface SearchHit { type: string, id: string, label: string, detail?: string }
export interface TrialBalanceRow { account: string, name?: string, currency?: string, debit: Money, credit: Money, balance: Money }
export interface LedgerEntry extends Entity {
  at?: string, kind?: string, description?: string, cause?: Ref
  line?: { account: string, name?: string, debit?: Money, credit?: Money }[]
}
export interface LedgerLine { id: string, entry?: string, at?: string, kind?: string, cause?: Ref, debit?: Money, credit?: Money, balance?: Money }
export interface UsageFile extends Entity {
  name?: string, state?: string, receivedAt?: string, lines?: number, accepted?: number, rejected?: number, duplicates?: number, waiting?: number
}
export interface UsageReject extends Entity { file?: string, line?: number, raw?: string, reason?: string, state?: string, at?: string }
export interface BillRun extends Entity {
  state?: string, startedAt?: string, finishedAt?: string, closedThrough?: string, accounts?: number, done?: number, bills?: number
  failed?: number, total?: Money[], anomaly?: { account?: string, reason?: string }[]
}
export interface Topic { name: string, id?: string, messages?: number, bytes?: number, partitions?: number, oldest?: string, newest?: string }
export interface Group { name: string, id?: string, topic?: string, lag?: number, parked?: number, workers?: number, rate?: number, committedAt?: string, state?: string }
export interface Allowance { id: string, name?: string, product?: Ref, granted: number, used: number, reserved?: number, units: string, validFor?: Period }
export interface Analytics { allowance?: Allowance[], usage?: { type: string, count: number, quantity?: number, units?: string, amount?: Money }[], billed?: Money[], paid?: Money[], open?: Money[], latePayer?: boolean }
export interface Clock { now: string, mode?: string }
