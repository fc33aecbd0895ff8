//! SQL of the benchmark's references, for psql as a superuser on a scratch database.

/// Rated records.
pub const COUNT_RATED: &str = "SELECT count(*) FROM usage_record";
/// The most rows of [`EXPORT_RATED`].
pub const EXPORTED_MOST: u64 = 500_000;
/// Some rated records as COPY's text format.
pub const EXPORT_RATED: &str = "COPY (SELECT * FROM usage_record LIMIT 500000) TO STDOUT";
/// An empty table of their columns without key, index, policy or partition.
pub const MAKE_BARE_RATED: &str =
    "DROP TABLE IF EXISTS bench_bare; CREATE TABLE bench_bare AS SELECT * FROM usage_record LIMIT 0";
/// The reference: COPY of those rows into it.
pub const COPY_BARE_RATED: &str = "COPY bench_bare FROM STDIN";
/// Takes the reference's table away.
pub const DROP_BARE: &str = "DROP TABLE IF EXISTS bench_bare";
