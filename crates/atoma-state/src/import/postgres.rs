//! Reading the earlier node's PostgreSQL database.

use futures::StreamExt as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use super::error::ImportError;
use super::records::{EarlierRecords, collect, in_time};
use super::row::{Columns, EarlierRow, MOST_HASH_BYTES};
use super::work::Counting;

/// All statements of the transaction see the same state, and none can write.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

macro_rules! stacks {
    ($closed:literal) => {
        concat!(
            "SELECT stack_small_id::bigint AS stack_small_id, owner_address::text AS owner_address, \
             stack_id::text AS stack_id, task_small_id::bigint AS task_small_id, \
             selected_node_id::bigint AS selected_node_id, \
             num_compute_units::bigint AS num_compute_units, \
             already_computed_units::bigint AS already_computed_units, coalesce(",
            $closed,
            ", false) AS is_closed, num_total_messages::bigint AS num_total_messages, \
             octet_length(total_hash)::bigint AS hash_bytes, \
             CASE WHEN octet_length(total_hash) <= $1 THEN total_hash END AS total_hash \
             FROM stacks ORDER BY stack_small_id"
        )
    };
}

/// Reads all records, as they are at one moment.
pub(super) async fn read(
    options: &PgConnectOptions,
    source_name: &str,
) -> Result<EarlierRecords, ImportError> {
    let failed = |error| ImportError::database(source_name, error);
    let mut connection = in_time(source_name, options.connect())
        .await?
        .map_err(failed)?;
    let records = read_from(&mut connection, source_name).await;
    // It has changed nothing, so nothing can be lost.
    let _ = in_time(source_name, connection.close()).await;
    records
}

async fn read_from(
    connection: &mut PgConnection,
    source_name: &str,
) -> Result<EarlierRecords, ImportError> {
    let failed = |error| ImportError::database(source_name, error);
    let begun = in_time(source_name, connection.begin_with(BEGIN)).await?;
    let mut snapshot = begun.map_err(failed)?;
    let names = sqlx::query_scalar(
        "SELECT attname::text FROM pg_attribute \
         WHERE attrelid = to_regclass('stacks') AND attnum > 0 AND NOT attisdropped",
    )
    .fetch_all(&mut *snapshot);
    let names: Vec<String> = in_time(source_name, names).await?.map_err(failed)?;
    let statement = match Columns::recognise(&names, source_name)? {
        Columns::Plain => stacks!("in_settle_period"),
        Columns::WithClaims => stacks!("in_settle_period OR is_claimed"),
    };
    let rows = sqlx::query_as::<_, EarlierRow>(statement)
        .bind(MOST_HASH_BYTES)
        .fetch(&mut *snapshot)
        .boxed();
    collect(rows, Counting::FirstTwice, source_name, failed).await
}
