//! Orders that are cancelled, at every moment of their way, against a real database and a network over real HTTP.

mod support;

use bss_app::AppError;
use bss_app::cancel_product_order::CancelProductOrders;
use bss_app::resource::ResourceUseCases;
use bss_domain::TypedId;
use bss_domain::ids::ProductOrderId;
use bss_load::network_sim::{Behaviour, Mode};
use bss_store::cancel_product_order::CANCEL_PRODUCT_ORDER;
use bss_store::product::PRODUCT;
use bss_store::product_order::PRODUCT_ORDER;
use serde_json::{Value, json};
use support::{World, first_product};
use uuid::Uuid;

impl World {
    /// Asks to cancel; gives the request.
    async fn cancel(&self, order: ProductOrderId) -> Result<Value, AppError> {
        let body = json!({ "productOrder": { "id": order }, "cancellationReason": "changed my mind" });
        let stored = CancelProductOrders.create(&self.app, &self.context, body).await?;
        Ok(stored.body)
    }

    async fn refused(&self, order: ProductOrderId) -> (&'static str, String) {
        match self.cancel(order).await {
            Err(AppError::Refused(refusal)) => (refusal.code, refusal.message),
            other => panic!("{other:?}"),
        }
    }

    async fn request(&self, request: &Value) -> Value {
        let id: Uuid = request["id"].as_str().unwrap().parse().unwrap();
        self.document(&CANCEL_PRODUCT_ORDER, id).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sent_yet_is_taken_back_at_once() {
    let world = World::new().await;
    for taken_up in [false, true] {
        let order = world.accept(World::one(10)).await;
        if taken_up {
            world.take_up(order).await;
        }
        let request = world.cancel(order).await.unwrap();
        assert_eq!(request["state"], "done");
        assert!(request["effectiveCancellationDate"].is_string());
        // Its event comes late, or again.
        world.take_up(order).await;
        let body = world.until(order, &["cancelled"]).await;
        assert_eq!(body["productOrderItem"][0]["state"], "cancelled");
        assert_eq!(
            (&body["cancellationReason"], body["cancellationDate"].is_string()),
            (&json!("changed my mind"), true)
        );
        assert_eq!(world.refused(order).await.0, "ended");
    }
    assert_eq!(world.sim.carried_out(), 0);
    assert_eq!(world.counts("product", "status").await, "cancelled:1");
    assert_eq!(world.counts("service", "state").await, "terminated:2");
    assert_eq!(world.counts("service_order", "state").await, "cancelled:1");
    assert_eq!(world.counts("activation", "state").await, "refused:2");
    assert_eq!(
        world.counts("resource", "resource_status").await,
        "available:8",
        "what never was in use needs no rest"
    );
    assert_eq!(world.counts("product_segment", "state").await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_work_is_deactivated_before_anything_is_released() {
    let world = World::new().await;
    world.sim.behave(Behaviour {
        mode: Mode::HangAfter,
        ..Behaviour::default()
    });
    let order = world.accept(World::one(10)).await;
    world.take_up(order).await;
    world.work_once().await;
    assert_eq!(world.sim.working(), 2, "the network did it, and nobody knows");
    let request = world.cancel(order).await.unwrap();
    assert_eq!(request["state"], "inProgress");
    let body = world.document(&PRODUCT_ORDER, order.uuid()).await;
    assert_eq!(
        (&body["state"], &body["productOrderItem"][0]["state"]),
        (&json!("pendingCancellation"), &json!("pendingCancellation"))
    );
    assert_eq!(
        world.counts("resource", "resource_status").await,
        "available:6 reserved:2"
    );
    assert_eq!(world.refused(order).await.0, "cancellationGoingOn");
    world.until(order, &["cancelled"]).await;
    assert_eq!(world.sim.working(), 0);
    assert_eq!(
        world.counts("resource", "resource_status").await,
        "available:6 suspended:2",
        "what was in use rests"
    );
    assert_eq!(world.request(&request).await["state"], "done");
    assert_eq!(world.counts("product", "status").await, "cancelled:1");
    assert_eq!(world.counts("cancel_product_order", "state").await, "done:1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_does_not_let_go_keeps_what_the_order_holds() {
    let world = World::new().await;
    world.sim.behave(Behaviour {
        mode: Mode::HangAfter,
        deactivation: Mode::Refuse,
        ..Behaviour::default()
    });
    let order = world.accept(World::one(10)).await;
    world.take_up(order).await;
    world.work_once().await;
    let request = world.cancel(order).await.unwrap();
    world
        .until_counted(
            "activation",
            "state || '/' || action",
            "confirmed/activate:2 fallout/deactivate:2",
        )
        .await;
    assert_eq!(
        world.document(&PRODUCT_ORDER, order.uuid()).await["state"],
        "pendingCancellation"
    );
    assert_eq!(world.request(&request).await["state"], "inProgress");
    assert_eq!(world.sim.working(), 2);
    assert_eq!(
        world.counts("resource", "resource_status").await,
        "available:6 reserved:2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_waits_in_the_fallout_queue_is_cancelled_once_people_know() {
    let world = World::new().await;
    world.sim.behave(Behaviour {
        mode: Mode::Busy,
        ..Behaviour::default()
    });
    let order = world.accept(World::one(10)).await;
    world.take_up(order).await;
    world.exhaust().await;
    world.until(order, &["held"]).await;
    let request = world.cancel(order).await.unwrap();
    assert_eq!(
        request["state"], "inProgress",
        "nobody knows what the network did"
    );
    world.sim.behave(Behaviour::default());
    world.retry(order).await;
    world.until(order, &["cancelled"]).await;
    assert_eq!(world.sim.working(), 0);
    assert_eq!(world.request(&request).await["state"], "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn past_its_point_of_no_return_an_order_says_why() {
    let world = World::new().await;
    let order = world.accept(World::one(10)).await;
    world.take_up(order).await;
    let product = first_product(&world.until(order, &["completed"]).await);
    assert_eq!(world.refused(order).await.0, "ended");

    // The end of a product is taken back until the network was asked for it.
    let end = json!([{"id": "1", "action": "delete", "product": {"id": product}}]);
    let order = world.accept(end.clone()).await;
    world.take_up(order).await;
    assert_eq!(
        world.document(&PRODUCT, product).await["status"],
        "pendingTerminate"
    );
    assert_eq!(world.cancel(order).await.unwrap()["state"], "done");
    assert_eq!(world.document(&PRODUCT, product).await["status"], "active");
    assert_eq!(world.sim.working(), 2);

    let order = world.accept(end).await;
    world.take_up(order).await;
    world.sim.behave(Behaviour {
        deactivation: Mode::HangAfter,
        ..Behaviour::default()
    });
    world.work_once().await;
    let (code, message) = world.refused(order).await;
    assert_eq!(code, "pointOfNoReturn");
    assert!(
        message.contains("the network is ending the product of item 1"),
        "{message}"
    );
    assert_eq!(world.counts("cancel_product_order", "state").await, "done:1");
    world.sim.behave(Behaviour::default());
    world.until(order, &["completed"]).await;
    assert_eq!(world.document(&PRODUCT, product).await["status"], "terminated");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_not_there_is_named() {
    let world = World::new().await;
    let nobody = ProductOrderId::at(1, world.customer.slot(), 99);
    let (code, message) = world.refused(nobody).await;
    assert_eq!(code, "unknownReference");
    assert!(message.contains(&nobody.to_string()), "{message}");
}
