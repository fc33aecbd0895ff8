//! Cancelling an order: until its point of no return it is undone, item by item.

use super::{ItemAction, ItemState, OrderState, ProductOrder, ProductOrderItem};
use crate::{Instant, Refusal};

impl ProductOrder {
    /// Begins to undo the order. It is refused where nothing is left to undo or the point of no return is passed: once
    /// an item is completed, or the network was asked to end a product, which `begun` tells of an item. Items that
    /// failed stay failed.
    pub fn begin_cancellation(
        &mut self,
        reason: Option<&str>,
        begun: impl Fn(&ProductOrderItem) -> bool,
    ) -> Result<(), Refusal> {
        if self.state.is_terminal() {
            return Err(self.too_late("ended", &format!("is {} already", self.state)));
        }
        if self.state == OrderState::PendingCancellation {
            return Err(self.too_late("cancellationGoingOn", "is being cancelled already"));
        }
        if let Some(item) = self
            .product_order_item
            .iter()
            .find(|item| item.state == ItemState::Completed)
        {
            let remedy = match item.action {
                ItemAction::Add => "end its product by an order with the action delete",
                ItemAction::Modify => "order the offering that the product had before",
                ItemAction::Delete => "order its offering anew",
            };
            let said = format!("can't be cancelled: item {} is completed; {remedy}", item.id);
            return Err(self.too_late("pointOfNoReturn", &said));
        }
        if let Some(item) = self
            .product_order_item
            .iter()
            .find(|item| item.action == ItemAction::Delete && !item.state.is_terminal() && begun(item))
        {
            let said = format!(
                "can't be cancelled: the network is ending the product of item {}; order its offering anew",
                item.id
            );
            return Err(self.too_late("pointOfNoReturn", &said));
        }
        if self.state == OrderState::Acknowledged {
            self.begin()?;
        }
        self.state = self
            .state
            .to(OrderState::AssessingCancellation)?
            .to(OrderState::PendingCancellation)?;
        for item in &mut self.product_order_item {
            if !item.state.is_terminal() {
                item.state = item
                    .state
                    .to(ItemState::AssessingCancellation)?
                    .to(ItemState::PendingCancellation)?;
            }
        }
        self.cancellation_reason = reason.map(str::to_owned);
        Ok(())
    }

    /// Whether it is being undone.
    pub fn is_being_cancelled(&self) -> bool {
        self.state == OrderState::PendingCancellation
    }

    /// It is cancelled once every item is at its end.
    pub(super) fn roll_up_cancellation(&mut self, now: Instant) -> Result<(), Refusal> {
        if self
            .product_order_item
            .iter()
            .all(|item| item.state.is_terminal())
        {
            self.state = self.state.to(OrderState::Cancelled)?;
            self.completion_date = Some(now);
            self.cancellation_date = Some(now);
        }
        Ok(())
    }

    fn too_late(&self, code: &'static str, said: &str) -> Refusal {
        Refusal {
            field: Some("productOrder.id".to_owned()),
            value: Some(self.id.to_string()),
            ..Refusal::conflict(code, format!("ProductOrder {} {said}", self.id))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::NewProductOrder;
    use super::*;
    use crate::ids::ProductOrderId;
    use crate::{Slot, TypedId};

    fn now() -> Instant {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    /// Two items, the second of which ends a product.
    fn order() -> ProductOrder {
        let body: Value = json!({
            "relatedParty": [{"id": "c1", "role": "customer"}], "billingAccount": {"id": "a1"},
            "productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": "o1"}},
                                 {"id": "2", "action": "delete", "product": {"id": "p1"}}],
        });
        let id = ProductOrderId::at(1, Slot::new(5).unwrap(), 9);
        NewProductOrder::read(&body).unwrap().accept(id, now())
    }

    fn refused(order: &mut ProductOrder, begun: bool) -> &'static str {
        let before = order.clone();
        let refusal = order.begin_cancellation(None, |_| begun).unwrap_err();
        assert_eq!(*order, before, "a refusal changes nothing");
        refusal.code
    }

    #[test]
    fn an_order_is_cancelled_when_its_last_item_is_undone() {
        for acknowledged in [true, false] {
            let mut order = order();
            if !acknowledged {
                order.begin().unwrap();
                order.settle_item("1", ItemState::Held, now()).unwrap();
            }
            order.begin_cancellation(Some("moved"), |_| false).unwrap();
            assert!(order.is_being_cancelled());
            order.settle_item("1", ItemState::Cancelled, now()).unwrap();
            assert!(order.is_being_cancelled(), "one item is still being undone");
            order.settle_item("2", ItemState::Cancelled, now()).unwrap();
            assert_eq!(order.state, OrderState::Cancelled);
            assert_eq!(
                (order.cancellation_date, order.completion_date),
                (Some(now()), Some(now()))
            );
            assert_eq!(order.cancellation_reason.as_deref(), Some("moved"));
        }
    }

    #[test]
    fn an_item_that_failed_stays_failed() {
        let mut order = order();
        order.begin().unwrap();
        order.settle_item("1", ItemState::Failed, now()).unwrap();
        order.begin_cancellation(None, |_| false).unwrap();
        order.settle_item("2", ItemState::Cancelled, now()).unwrap();
        assert_eq!(order.state, OrderState::Cancelled);
        assert_eq!(order.product_order_item[0].state, ItemState::Failed);
    }

    #[test]
    fn the_point_of_no_return_is_told_with_its_reason() {
        let mut done = order();
        done.begin().unwrap();
        assert_eq!(
            refused(&mut done, true),
            "pointOfNoReturn",
            "a product is being ended"
        );
        done.settle_item("1", ItemState::Completed, now()).unwrap();
        assert_eq!(
            refused(&mut done, false),
            "pointOfNoReturn",
            "an item is completed"
        );
        done.settle_item("2", ItemState::Completed, now()).unwrap();
        assert_eq!(refused(&mut done, false), "ended");
        let mut twice = order();
        twice.begin_cancellation(None, |_| false).unwrap();
        assert_eq!(refused(&mut twice, false), "cancellationGoingOn");
    }
}
