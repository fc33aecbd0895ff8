//! Finds what somebody at the telephone can name: a name, a number, a SIM card, an id or its end.

use uuid::Uuid;

use crate::{Session, StoreError};

/// So many at most.
const HITS_MAX: usize = 20;
/// The shortest end of an id that is looked for.
const ID_END_MIN: usize = 8;

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// TM Forum's name of the type.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub label: String,
    /// What was found in it.
    pub detail: Option<String>,
    /// Where it stands.
    pub state: Option<String>,
}

const BY_NAME: &str = "
    SELECT 'Customer', id, name, NULL::text, status FROM customer WHERE lower(name) LIKE $1 || '%'
    UNION ALL
    SELECT 'Customer', c.id, c.name, NULL, c.status FROM individual i JOIN customer c ON c.engaged_party_id = i.id
    WHERE lower(i.family_name) LIKE $1 || '%'
    UNION ALL
    SELECT 'ProductOffering', id, name, version, lifecycle_status FROM product_offering WHERE lower(name) LIKE $1 || '%'
    LIMIT 20";

const BY_NUMBER: &str = "
    SELECT 'Customer', c.id, c.name, n.number, c.status FROM number_assignment n JOIN customer c
        ON c.slot = n.slot AND c.id = n.customer_id
    WHERE n.number = $1 AND n.valid_to IS NULL
    UNION ALL
    SELECT 'Resource', id, value, category, resource_status FROM resource WHERE value = $1
    LIMIT 20";

const BY_ID: &str = "
    SELECT 'Customer', id, name, NULL::text, status FROM customer WHERE slot = $2 AND id = $1
    UNION ALL SELECT 'BillingAccount', id, name, currency, state FROM billing_account WHERE slot = $2 AND id = $1
    UNION ALL SELECT 'ProductOrder', id, id::text, NULL, state FROM product_order WHERE slot = $2 AND id = $1
    UNION ALL SELECT 'ServiceOrder', id, id::text, NULL, state FROM service_order WHERE slot = $2 AND id = $1
    UNION ALL SELECT 'Product', id, coalesce(name, id::text), NULL, status FROM product WHERE slot = $2 AND id = $1
    UNION ALL SELECT 'Service', id, id::text, NULL, state FROM service WHERE slot = $2 AND id = $1
    UNION ALL SELECT 'Resource', id, value, category, resource_status FROM resource WHERE slot = $2 AND id = $1
    UNION ALL SELECT 'ProductOffering', id, name, version, lifecycle_status FROM product_offering WHERE id = $1
    UNION ALL SELECT 'ProductOfferingPrice', id, name, version, lifecycle_status FROM product_offering_price WHERE id = $1";

const BY_ID_END: &str = "
    SELECT 'Customer', id, name, NULL::text, status FROM customer WHERE reverse(id::text) LIKE reverse($1) || '%'
    UNION ALL
    SELECT 'BillingAccount', id, name, currency, state FROM billing_account WHERE reverse(id::text) LIKE reverse($1) || '%'
    UNION ALL
    SELECT 'ProductOrder', id, id::text, NULL, state FROM product_order WHERE reverse(id::text) LIKE reverse($1) || '%'
    UNION ALL
    SELECT 'Product', id, coalesce(name, id::text), NULL, status FROM product WHERE reverse(id::text) LIKE reverse($1) || '%'
    LIMIT 20";

/// Finds by the text, best first, at most 20.
pub async fn search(session: &Session, text: &str) -> Result<Vec<Hit>, StoreError> {
    let mut hits = Vec::new();
    if let Ok(id) = text.parse::<Uuid>() {
        let slot = bss_domain::Slot::of(id).sql();
        add(session, BY_ID, &[&id, &slot], &mut hits).await?;
        return Ok(hits);
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let numeric = !digits.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')'));
    if numeric {
        add(session, BY_NUMBER, &[&digits], &mut hits).await?;
    } else {
        let prefix = text
            .to_lowercase()
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        add(session, BY_NAME, &[&prefix], &mut hits).await?;
    }
    let end = text.to_lowercase();
    if end.len() >= ID_END_MIN && end.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        add(session, BY_ID_END, &[&end], &mut hits).await?;
    }
    Ok(hits)
}

async fn add(
    session: &Session,
    sql: &str,
    params: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    hits: &mut Vec<Hit>,
) -> Result<(), StoreError> {
    for row in session.query(sql, params).await? {
        let hit = Hit {
            kind: row.try_get(0)?,
            id: row.try_get(1)?,
            label: row.try_get(2)?,
            detail: row.try_get(3)?,
            state: row.try_get(4)?,
        };
        let known = hits
            .iter()
            .any(|other: &Hit| other.kind == hit.kind && other.id == hit.id);
        if !known && hits.len() < HITS_MAX {
            hits.push(hit);
        }
    }
    Ok(())
}
