//! First answers: to which slot a record was guided, where asking again could give another one.

use std::collections::HashMap;

use bss_domain::Slot;
use bss_domain::usage::RecordHash;
use uuid::Uuid;

use crate::{Session, StoreError};

/// The slots to which these records of a source were guided first. Records that aren't named had no reason to be
/// kept: their number's owner is the only answer there ever was.
pub async fn slots(
    session: &Session,
    source: &str,
    hashes: &[RecordHash],
) -> Result<HashMap<RecordHash, Slot>, StoreError> {
    // As one condition of one scan of the index, which goes from leaf to leaf: hardly any record is there.
    let hashes: Vec<i64> = hashes.iter().map(|hash| hash.sql()).collect();
    let rows = session
        .query(
            "SELECT k.hash, k.slot FROM usage_key k WHERE k.source = $1 AND k.hash = ANY($2)",
            &[&source, &hashes],
        )
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            let (hash, slot): (i64, i16) = (row.get(0), row.get(1));
            let slot = Slot::new(slot.unsigned_abs())?;
            Some((RecordHash::from_bits(hash as u64), slot))
        })
        .collect())
}

/// Keeps the slot to which a record is guided; the first answer stays.
pub async fn keep(session: &Session, source: &str, hash: RecordHash, slot: Slot) -> Result<(), StoreError> {
    session
        .execute(
            "INSERT INTO usage_key (tenant_id, source, hash, slot) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (tenant_id, source, hash) DO NOTHING",
            &[&Uuid::from(session.tenant()), &source, &hash.sql(), &slot.sql()],
        )
        .await?;
    Ok(())
}
