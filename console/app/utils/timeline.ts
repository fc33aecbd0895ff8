import type { ProductOrder, ServiceOrder } from '~/api/types'

export interface TimelineItem { id?: string, type?: string, label: string, state?: string, at?: string, detail?: string, seconds?: boolean }

/** Finds the name of what a reference without one points at. */
type NameOf = (type: string, id: string | undefined) => string | undefined

/** Orders as a timeline, the newest first: what was ordered, and why it went wrong where it did. */
export function orderTimeline(orders: ProductOrder[], nameOf: NameOf = () => undefined): TimelineItem[] {
  return orders.map((order) => ({
    id: order.id,
    type: 'ProductOrder',
    label: (order.productOrderItem ?? []).map((item) => itemName(item, nameOf)).join(', ') || shortName(order.id),
    state: order.state,
    at: order.completionDate ?? order.orderDate,
    detail: order.productOrderErrorMessage?.map((e) => e.message ?? e.reason).join('; '),
  }))
}

/** The steps of an order's fulfilment in time: a step's milestones, then its outcome. */
export function fulfilmentTimeline(steps: ServiceOrder[]): TimelineItem[] {
  return steps.flatMap((step) => {
    const name = step.serviceOrderItem?.map((item) => item.service?.name ?? item.action).join(', ') || step.id
    const milestones = (step.milestone ?? []).map((milestone, n, all) => ({
      label: `${name}: ${milestone.name ?? ''}`,
      // What another milestone has followed is no longer being worked at.
      state: milestone.status === 'working' && n < all.length - 1 ? 'done' : milestone.status,
      at: milestone.milestoneDate,
      detail: milestone.message,
      seconds: true,
    }))
    const outcome: TimelineItem = {
      id: step.id, type: 'ServiceOrder', label: name, state: step.state, seconds: true,
      at: step.completionDate ?? step.orderDate,
      detail: step.errorMessage?.map((e) => e.message ?? e.reason).join('; '),
    }
    return [...milestones, outcome]
  })
}

function itemName(item: NonNullable<ProductOrder['productOrderItem']>[number], nameOf: NameOf): string {
  const { productOffering: offering, product } = item
  const name = offering?.name ?? product?.name ?? nameOf('ProductOffering', offering?.id) ?? nameOf('Product', product?.id)
    ?? shortName(offering?.id ?? product?.id ?? item.id ?? '')
  const verb = item.action && item.action !== 'add' ? `${item.action} ` : ''
  return item.quantity && item.quantity > 1 ? `${verb}${item.quantity} × ${name}` : `${verb}${name}`
}

function shortName(id: string): string {
  return id.slice(-8)
}
