use bss_events::{Standing, admit};

use super::Batch;
use super::lane::{Context, Lane, handle};
use super::metrics::count;
use super::split::{Split, split};

/// What a joint batch takes of one cursor.
struct Draw {
    lane: usize,
    cursor: usize,
    to: i64,
    records: usize,
}

/// One batch of several lanes: many partitions with few records each are one transaction. Whether it was committed; if
/// not, nothing of it has happened, and each lane finds by itself what is wrong.
pub(super) async fn joint_batch(lanes: &mut [Lane], context: &Context) -> bool {
    let most = context.app.batch().max(1);
    let Some((batch, draws)) = draw(lanes, context, most).await else {
        return false;
    };
    if let Err(error) = handle(context, &batch).await {
        tracing::warn!(group = context.app.group(), places = batch.places(), %error, "a joint batch failed; one by one");
        return false;
    }
    for draw in draws {
        let lane = &mut lanes[draw.lane];
        let cursor = &mut lane.cursors[draw.cursor];
        let counts = context.metrics.topic(cursor.topic);
        count(&counts.records, draw.records);
        cursor.moved(draw.to, draw.records, most);
    }
    // One transaction is one batch, which is counted with the topic that comes first.
    if let Some(step) = batch.steps.first() {
        count(&context.metrics.topic(step.topic).batches, 1);
    }
    for (record, _) in &batch.parked {
        count(&context.metrics.topic(record.topic).parked, 1);
    }
    true
}

async fn draw<'a>(lanes: &[Lane], context: &'a Context, most: usize) -> Option<(Batch<'a>, Vec<Draw>)> {
    let places: Vec<(usize, usize)> = lanes
        .iter()
        .enumerate()
        .flat_map(|(lane, of)| (0..of.cursors.len()).map(move |cursor| (lane, cursor)))
        .filter(|(lane, cursor)| lanes[*lane].cursors[*cursor].lag() > 0)
        .take(most)
        .collect();
    let standing = |(lane, cursor): &(usize, usize)| Standing {
        topic: lanes[*lane].cursors[*cursor].topic,
        partition: lanes[*lane].partition,
        position: lanes[*lane].cursors[*cursor].position,
    };
    let standings: Vec<Standing> = places.iter().map(standing).collect();
    let max = most / places.len().max(1);
    let each = context.log.read_each(&standings, max).await.ok()?;
    let mut draws = Vec::with_capacity(places.len());
    let (mut steps, mut live, mut parked) = (Vec::new(), Vec::new(), Vec::new());
    for (((lane, cursor), standing), records) in places.into_iter().zip(standings).zip(each) {
        let records = admit(standing.position, records).ok()?;
        let to = records.last()?.position;
        draws.push(Draw {
            lane,
            cursor,
            to,
            records: records.len(),
        });
        let of = &lanes[lane];
        steps.push(of.advance(context, standing.topic, standing.position, to));
        let split: Split = split(records, &of.cursors[cursor].held, of.cursors[cursor].verdicts());
        live.extend(split.live);
        parked.extend(split.parked);
    }
    // Positions are locked in one order by everybody.
    steps.sort_by_key(|step| (step.topic, step.partition));
    // Stable: the order within a partition stays.
    live.sort_by_key(|record| (record.event.tenant, record.topic));
    let batch = Batch {
        store: &context.store,
        steps,
        live,
        parked,
        released: None,
    };
    Some((batch, draws))
}
