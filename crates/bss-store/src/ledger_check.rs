//! The invariants of money that SQL can prove: each as figures and as the first row that breaks it.

use crate::{Session, StoreError};

/// An invariant of `docs/MONEY.md`.
#[derive(Debug)]
pub struct Invariant {
    /// Its number there.
    pub number: u8,
    /// What holds.
    pub statement: &'static str,
    /// Rows of (name, value) that say how much was looked at.
    figures: &'static str,
    /// At most one row: the first that breaks it, in words.
    broken: &'static str,
}

/// The figures of an invariant, and the first row that breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// (name, value)
    pub figures: Vec<(String, String)>,
    /// The first row that breaks it.
    pub broken: Option<String>,
}

impl Invariant {
    /// Looks.
    pub async fn look(&self, session: &Session) -> Result<Finding, StoreError> {
        let rows = session.query(self.figures, &[]).await?;
        let figures = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let row = session.query_opt(self.broken, &[]).await?;
        Ok(Finding {
            figures,
            broken: row.map(|row| row.get(0)),
        })
    }
}

/// All of them but the seventh, which computes every bill again.
pub const INVARIANTS: &[Invariant] = &[
    Invariant {
        number: 1,
        statement: "debits equal credits, per entry and per currency",
        figures: "SELECT 'entries', count(DISTINCT (slot, entry_id))::text FROM ledger_line
            UNION ALL SELECT 'debits ' || e.currency, sum(l.amount_minor) FILTER (WHERE l.amount_minor > 0)::text
                FROM ledger_entry e JOIN ledger_line l ON (l.tenant_id, l.slot, l.entry_id) = (e.tenant_id, e.slot, e.id)
                GROUP BY e.currency
            UNION ALL SELECT 'credits ' || e.currency, (-sum(l.amount_minor) FILTER (WHERE l.amount_minor < 0))::text
                FROM ledger_entry e JOIN ledger_line l ON (l.tenant_id, l.slot, l.entry_id) = (e.tenant_id, e.slot, e.id)
                GROUP BY e.currency",
        broken: "SELECT format('entry %s (%s) is out of balance by %s', e.id, e.kind, coalesce(sum(l.amount_minor), 0))
            FROM ledger_entry e LEFT JOIN ledger_line l
                ON (l.tenant_id, l.slot, l.entry_id) = (e.tenant_id, e.slot, e.id)
            GROUP BY e.slot, e.id, e.kind HAVING coalesce(sum(l.amount_minor), 0) <> 0 OR count(l.line) = 0
            ORDER BY e.id LIMIT 1",
    },
    Invariant {
        number: 2,
        statement: "receivable per account is what is open of its bills; customer credit is what is left unallocated",
        figures: "SELECT 'accounts', count(DISTINCT account_id)::text FROM ledger_entry
            UNION ALL SELECT 'open ' || currency, sum(open_minor)::text FROM customer_bill GROUP BY currency
            UNION ALL SELECT 'credit ' || currency, sum(balance_minor)::text FROM account_credit GROUP BY currency",
        broken: include_str!("ledger_check/receivable.sql"),
    },
    Invariant {
        number: 3,
        statement: "revenue and deferred revenue of bills are their net less credit notes, tax payable their tax",
        figures: "SELECT 'net ' || currency, sum(net_minor)::text FROM customer_bill WHERE state <> 'onHold' GROUP BY currency
            UNION ALL SELECT 'tax ' || currency, sum(tax_minor)::text FROM customer_bill WHERE state <> 'onHold' GROUP BY currency
            UNION ALL SELECT 'on hold', count(*)::text FROM customer_bill WHERE state = 'onHold'
            UNION ALL SELECT 'credited ' || currency, sum(net_minor + tax_minor)::text FROM credit_note GROUP BY currency
            UNION ALL SELECT 'deferred ' || b.currency, sum(d.net_minor - d.earned_minor)::text
                FROM deferred_revenue d JOIN customer_bill b ON (b.slot, b.id) = (d.slot, d.bill_id) GROUP BY b.currency",
        broken: "WITH booked AS (SELECT e.slot, e.cause, e.kind,
                -coalesce(sum(l.amount_minor) FILTER (WHERE l.account IN ('revenue', 'deferredRevenue')), 0) AS net,
                -coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 'taxPayable'), 0) AS tax
            FROM ledger_entry e JOIN ledger_line l ON (l.tenant_id, l.slot, l.entry_id) = (e.tenant_id, e.slot, e.id)
            WHERE e.kind IN ('billValidated', 'creditNote') GROUP BY 1, 2, 3),
            due AS (SELECT slot, id, 'billValidated' AS kind, net_minor, tax_minor FROM customer_bill
                WHERE state <> 'onHold'
                UNION ALL SELECT slot, id, 'creditNote', -net_minor, -tax_minor FROM credit_note)
            SELECT format('%s %s: net %s and tax %s are booked as %s and %s', coalesce(d.kind, b.kind),
                coalesce(d.id, b.cause), d.net_minor, d.tax_minor, b.net, b.tax)
            FROM due d FULL JOIN booked b ON (b.slot, b.cause, b.kind) = (d.slot, d.id, d.kind)
            WHERE coalesce(d.net_minor, 0) <> coalesce(b.net, 0) OR coalesce(d.tax_minor, 0) <> coalesce(b.tax, 0)
            LIMIT 1",
    },
    Invariant {
        number: 4,
        statement: "every usage record received is rated, rejected, a duplicate or waiting; the counts of files add up",
        figures: "SELECT 'files', count(*)::text FROM usage_file
            UNION ALL SELECT 'accepted', coalesce(sum(accepted), 0)::text FROM usage_file
            UNION ALL SELECT 'rejected', coalesce(sum(rejected), 0)::text FROM usage_file
            UNION ALL SELECT 'duplicates', coalesce(sum(duplicates), 0)::text FROM usage_file
            UNION ALL SELECT 'not charged', coalesce(sum(not_charged), 0)::text FROM usage_file
            UNION ALL SELECT 'rated', count(*)::text FROM usage_record",
        broken: "WITH made AS (SELECT file_id, sum(rated) AS rated, sum(rated + rejected + duplicates) AS done
                FROM usage_file_count GROUP BY file_id),
            stored AS (SELECT file_id, count(*) AS records FROM usage_record WHERE file_id IS NOT NULL GROUP BY file_id)
            SELECT format('file %s: %s accepted, %s of them done; %s rated, %s stored', f.id, f.accepted,
                coalesce(m.done, 0), coalesce(m.rated, 0), coalesce(s.records, 0))
            FROM usage_file f LEFT JOIN made m ON m.file_id = f.id LEFT JOIN stored s ON s.file_id = f.id
            WHERE coalesce(m.done, 0) > f.accepted OR coalesce(m.rated, 0) <> coalesce(s.records, 0) LIMIT 1",
    },
    Invariant {
        number: 5,
        statement: "every rated record falls under one closed period or none yet, every obligation under one bill; none is overdue",
        figures: "SELECT 'closed periods', count(*)::text FROM usage_claim
            UNION ALL SELECT 'obligations', count(*)::text FROM obligation
            UNION ALL SELECT 'corrections', count(*)::text FROM usage_correction",
        broken: include_str!("ledger_check/claims.sql"),
    },
    Invariant {
        number: 6,
        statement: "no allowance is used beyond its grant; a prepaid balance is its top-ups less its use, above its limit",
        figures: "SELECT 'allowances', count(*)::text FROM bucket
            UNION ALL SELECT 'prepaid balances', count(*)::text FROM prepaid_balance
            UNION ALL SELECT 'balance ' || currency, trim_scale(sum(balance_nano) / 1e9)::text FROM prepaid_balance GROUP BY currency
            UNION ALL SELECT 'used ' || currency, trim_scale(sum(used_nano) / 1e9)::text FROM prepaid_use GROUP BY currency
            UNION ALL SELECT 'days to post', count(*)::text FROM prepaid_use WHERE NOT is_posted",
        broken: include_str!("ledger_check/prepaid.sql"),
    },
    Invariant {
        number: 8,
        statement: "segments of a product never overlap and leave no hole",
        figures: "SELECT 'segments', count(*)::text FROM product_segment
            UNION ALL SELECT 'products', count(DISTINCT (slot, product_id))::text FROM product_segment",
        broken: "SELECT format('product %s: the segment from %s ends at %s, the next begins at %s', product_id, from_at,
                to_at, next_from)
            FROM (SELECT product_id, from_at, to_at, lead(from_at) OVER (PARTITION BY slot, product_id ORDER BY from_at)
                AS next_from FROM product_segment) s
            WHERE next_from IS NOT NULL AND to_at IS DISTINCT FROM next_from LIMIT 1",
    },
];
