/** What the balances of a billing account are called; TMF666 leaves `balanceType` to the operator. */
export const BALANCES: Record<string, string> = {
  receivable: 'Open on bills',
  customerCredit: 'Credit on the account',
  prepaid: 'Prepaid balance',
}

/** The text key of a balance; an unknown type reads as it is. */
export function balanceLabel(type: string | undefined): string {
  return BALANCES[type ?? ''] ?? type ?? ''
}

/** What a bill may have been settled by, by the type that its `appliedPayment` refers to. */
export const SETTLED_BY: Record<string, string> = {
  Payment: 'Payment',
  CreditNote: 'Credit note',
  WriteOff: 'Write-off',
  CustomerCredit: 'Credit on the account',
}

/** The text key of what settled a bill; without a type it is a payment. */
export function settledBy(type: string | undefined): string {
  return SETTLED_BY[type ?? 'Payment'] ?? type ?? ''
}
