/**
 * The resources as the console reads them. What the API's description says comes from `schema.d.ts`, which is generated
 * from it; here stands only what the description leaves open, and it may not contradict it: see `Said`.
 */
import type { components } from './schema'
import type { Tariff } from './tariff'

type Schemas = components['schemas']
export type Money = Schemas['Money']
export type Period = Schemas['TimePeriod']
export type Ref = Schemas['Reference']

/** An answer always has its id, which the description can't require of a body that is sent. */
export interface Entity { id: string, href?: string, '@type'?: string }

/** More about a resource than its description: an attribute that both name must fit what the description says of it. */
type Said<Resource, More extends { [Name in keyof More]: Name extends keyof Resource ? Resource[Name] : unknown }> =
  Entity & Omit<Partial<Resource>, keyof Entity | keyof More> & More

export interface Characteristic { name: string, value?: unknown, valueType?: string }
export type ContactMedium = { mediumType?: string, preferred?: boolean, characteristic?: Record<string, string> }
export interface Note { id?: string, text?: string, date?: string, author?: string }
export interface Complaint { code?: string, reason?: string, message?: string, timestamp?: string, orderItem?: { id?: string }[] }

export type Customer = Said<Schemas['Customer'], { contactMedium?: ContactMedium[] }>
export type Party = Entity & Omit<Partial<Schemas['Individual'] & Schemas['Organization']>, keyof Entity | 'contactMedium'> & { contactMedium?: ContactMedium[] }
export type BillingAccount = Said<Schemas['BillingAccount'], object>
type SentItem = Schemas['ProductOrder']['productOrderItem'][number]
export type OrderItem = Omit<SentItem, 'productOffering' | 'product'> & { productOffering?: Ref, product?: Partial<Product> }
export type ProductOrder = Said<Schemas['ProductOrder'], {
  relatedParty?: Ref[], productOrderItem?: OrderItem[], note?: Note[], productOrderErrorMessage?: Complaint[]
}>
export type ServiceOrder = Said<Schemas['ServiceOrder'], {
  milestone?: { name?: string, status?: string, milestoneDate?: string, message?: string }[]
  serviceOrderItem?: { id?: string, action?: string, state?: string, service?: { id?: string, name?: string } }[]
  note?: Note[], errorMessage?: Complaint[]
}>
export type Product = Said<Schemas['Product'], {
  productCharacteristic?: Characteristic[], productOrderItem?: { productOrderId?: string }[], productPrice?: ProductPrice[]
}>
export interface ProductPrice {
  name?: string, priceType?: string, recurringChargePeriod?: string, productOfferingPrice?: Ref
  price?: { taxIncludedAmount?: Money, dutyFreeAmount?: Money }
}
export type Service = Said<Schemas['Service'], object>
export type StockItem = Said<Schemas['Resource'], object>
export type Category = Said<Schemas['Category'], object>
export type Specification = Said<Schemas['ProductSpecification'], object>
export interface Usage extends Entity {
  usageDate?: string, usageType?: string, status?: string, description?: string, usageCharacteristic?: Characteristic[]
  relatedParty?: Ref[], ratedProductUsage?: { ratingDate?: string, taxExcludedRatingAmount?: Money, taxIncludedRatingAmount?: Money, usageRatingTag?: string, isBilled?: boolean, productRef?: Ref }[]
}
export interface CustomerBill extends Entity {
  billNo?: string, billDate?: string, state?: string, category?: string, runType?: string, paymentDueDate?: string
  amountDue?: Money, remainingAmount?: Money, taxExcludedAmount?: Money, taxIncludedAmount?: Money, billingAccount?: Ref
  billingPeriod?: Period, relatedParty?: Ref[], taxItem?: { taxCategory?: string, taxRate?: number, taxAmount?: Money }[]
  appliedPayment?: { appliedAmount?: Money, payment?: Ref }[]
  onHoldReason?: { code: string, message: string }
}
export interface BillingRate extends Entity {
  name?: string, description?: string, type?: string, date?: string, periodCoverage?: Period, product?: Ref, bill?: Ref, line?: number
  taxExcludedAmount?: Money, taxIncludedAmount?: Money
  /** What no credit note has taken back yet, with tax. */
  creditableAmount?: Money
}
export interface Payment extends Entity {
  status?: string, paymentDate?: string, amount?: Money, totalAmount?: Money, description?: string, account?: Ref, unallocatedAmount?: Money, reversedAmount?: Money
  statusDate?: string, statusReason?: string, authorizationCode?: string
  channel?: Ref, payer?: Ref, paymentMethod?: Ref, paymentItem?: { id?: string, amount?: Money, item?: Ref }[]
}
export type Offering = Said<Schemas['ProductOffering'], {
  prodSpecCharValueUse?: { name: string, valueType?: string, minCardinality?: number, productSpecCharacteristicValue?: { value?: unknown, isDefault?: boolean }[] }[]
}>
export interface PriceAllowance {
  quantity?: number | string | { amount?: number, units?: string }, covers?: { service?: string, direction?: string, zones?: string[] }[]
  window?: unknown, priority?: number, shared?: boolean, rollover?: { max?: number | string }
}
export type OfferingPrice = Said<Schemas['ProductOfferingPrice'], {
  price?: Money, tax?: { taxCategory?: string, taxRate?: number }[], tariff?: Tariff, allowance?: PriceAllowance
  commitment?: { months?: number, minimumSpend?: number, leavingFee?: number }, alteration?: { appliesTo?: string, periods?: number }
}>

export * from './tariff'
export * from './v1'
