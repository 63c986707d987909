//! What the contract charged, as it was read.

use atoma_domain::Permille;
use atoma_domain::contract::{Charges, ChargesHistory, ChargesRead, ContractCounters};
use atoma_domain::ports::StoreError;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::columns::{Cells, number};
use crate::error::statement_failed;

/// Notes the charges that were read. An earlier version than the last one noted says nothing new.
pub(crate) async fn note(
    connection: &mut SqliteConnection,
    counters: &ContractCounters,
) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT * FROM contract_charges ORDER BY first_version DESC LIMIT 1")
        .fetch_optional(&mut *connection)
        .await
        .map_err(statement_failed)?;
    let last = row.as_ref().map(charges_read).transpose()?;
    let version = counters.version;
    match last {
        Some(last) if version <= last.last => Ok(()),
        Some(last) if last.charges == counters.charges => {
            sqlx::query("UPDATE contract_charges SET last_version = $1 WHERE first_version = $2")
                .bind(number(version))
                .bind(number(last.first))
                .execute(connection)
                .await
                .map_err(statement_failed)?;
            Ok(())
        }
        _ => {
            let charges = &counters.charges;
            sqlx::query(
                "INSERT INTO contract_charges (first_version, last_version, \
                 sampling_consensus_charge, extra_nodes_charge, extra_nodes_count) \
                 VALUES ($1, $1, $2, $3, $4)",
            )
            .bind(number(version))
            .bind(number(charges.sampling_consensus.get()))
            .bind(number(charges.extra_nodes.get()))
            .bind(number(charges.extra_nodes_count))
            .execute(connection)
            .await
            .map_err(statement_failed)?;
            Ok(())
        }
    }
}

/// All that was noted.
pub(super) async fn history(
    connection: &mut SqliteConnection,
) -> Result<ChargesHistory, StoreError> {
    let rows = sqlx::query("SELECT * FROM contract_charges")
        .fetch_all(connection)
        .await
        .map_err(statement_failed)?;
    let reads: Result<_, StoreError> = rows.iter().map(charges_read).collect();
    Ok(ChargesHistory::new(reads?))
}

fn charges_read(row: &SqliteRow) -> Result<ChargesRead, StoreError> {
    let cells = Cells::new(row, "contract_charges", "first_version");
    Ok(ChargesRead {
        charges: Charges {
            sampling_consensus: Permille::new(cells.number("sampling_consensus_charge")?),
            extra_nodes: Permille::new(cells.number("extra_nodes_charge")?),
            extra_nodes_count: cells.number("extra_nodes_count")?,
        },
        first: cells.number("first_version")?,
        last: cells.number("last_version")?,
    })
}
