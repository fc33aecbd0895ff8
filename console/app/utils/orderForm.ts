/** One line of an order being put together. */
export interface CartItem { offering: { id: string, name?: string }, quantity: number, characteristics: Record<string, string> }

/** The body of a TMF622 order; the console sends the same body for the preview and for the order. */
export function orderBody(customer: { id: string, name?: string }, account: { id: string, name?: string }, items: CartItem[]): object {
  return {
    '@type': 'ProductOrder',
    category: 'console',
    relatedParty: [{ id: customer.id, name: customer.name, role: 'customer', '@referredType': 'Customer' }],
    billingAccount: { id: account.id, name: account.name, '@referredType': 'BillingAccount' },
    productOrderItem: items.map((item, n) => ({
      id: String(n + 1),
      action: 'add',
      quantity: item.quantity,
      productOffering: { id: item.offering.id, name: item.offering.name, '@referredType': 'ProductOffering' },
      ...productOf(item),
    })),
  }
}

function productOf(item: CartItem): object {
  const chosen = Object.entries(item.characteristics).filter(([, value]) => value !== '')
  if (chosen.length === 0) return {}
  return { product: { productCharacteristic: chosen.map(([name, value]) => ({ name, value })) } }
}
