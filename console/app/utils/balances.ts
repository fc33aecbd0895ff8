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
