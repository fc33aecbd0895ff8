//! Answers that are kept for repeated calls are forgotten when nobody may ask for them any more.

mod support;

use bss_app::product_order::ProductOrders;
use bss_app::resource::ResourceUseCases;
use bss_app::{IdempotencyKey, RequestContext, idempotency};
use serde_json::json;
use support::World;

impl World {
    /// Places an order under a key; gives its id.
    async fn place(&self, key: &str) -> uuid::Uuid {
        let context = RequestContext {
            idempotency: Some(IdempotencyKey {
                key: key.to_owned(),
                route: "POST /order".to_owned(),
                request_hash: vec![1],
            }),
            ..self.context.clone()
        };
        let body = json!({"relatedParty": [{"id": self.customer, "role": "customer"}],
            "billingAccount": {"id": self.account}, "productOrderItem": Self::one(10)});
        ProductOrders.create(&self.app, &context, body).await.unwrap().id
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_forgotten_after_a_day_and_not_before() {
    let world = World::new().await;
    let tenant = world.context.tenant();
    world
        .as_owner(&format!(
            "INSERT INTO tenant (tenant_id, name) VALUES ('{tenant}', 'test')"
        ))
        .await;
    let (old, fresh) = (world.place("old").await, world.place("fresh").await);
    assert_eq!(idempotency::purge(&world.app).await.unwrap(), 0);
    world
        .as_owner(
            "UPDATE idempotency_key SET created_at = created_at - interval '24 hours' WHERE key = 'old'",
        )
        .await;
    assert_eq!(idempotency::purge(&world.app).await.unwrap(), 1);
    assert_eq!(world.counts("idempotency_key", "key").await, "fresh:1");
    assert_eq!(world.place("fresh").await, fresh);
    assert_ne!(world.place("old").await, old);
}
