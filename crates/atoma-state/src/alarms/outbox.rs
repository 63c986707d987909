//! Messages that wait for their receivers.

use atoma_domain::alarms::{
    Alarm, AlarmEvent, Delivery, DeliveryEnd, LONGEST_PAUSE, MOST_WAITING, Notification, Receiver,
};
use atoma_domain::ports::StoreError;
use atoma_domain::{DeliveryId, TimestampMs};
use sqlx::SqliteConnection;

use crate::columns::{Cells, json, number, row_number};
use crate::error::{out_of_range, statement_failed};

/// Adds a message for each receiver that wants it. A reminder is needless while another message that says that the alarm
/// fires still waits.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    alarm: &Alarm,
    event: AlarmEvent,
    receivers: &[Receiver],
    now: TimestampMs,
) -> Result<(), StoreError> {
    let alarm_id = row_number(alarm.id.get());
    let alarm_id = alarm_id.ok_or_else(|| out_of_range("the number of an alarm"))?;
    let notification = Notification {
        event,
        alarm: alarm.clone(),
        at: now,
    };
    let notification = json("a message about an alarm", &notification)?;
    for receiver in receivers {
        if receiver.min_severity > alarm.severity() {
            continue;
        }
        sqlx::query(
            "INSERT INTO alarm_deliveries (receiver, alarm_id, event, notification, next_attempt_at) \
             SELECT $1, $2, $3, $4, $5 WHERE $3 <> 'reminder' OR NOT EXISTS (SELECT 1 FROM alarm_deliveries \
             WHERE receiver = $1 AND alarm_id = $2 AND event IN ('fired', 'reminder'))",
        )
        .bind(&receiver.name)
        .bind(alarm_id)
        .bind(event.name())
        .bind(&notification)
        .bind(number(now.get()))
        .execute(&mut *connection)
        .await
        .map_err(statement_failed)?;
    }
    Ok(())
}

/// Forgets messages to other receivers, and the oldest of those that are too many.
pub(super) async fn bound(
    connection: &mut SqliteConnection,
    receivers: &[Receiver],
) -> Result<(), StoreError> {
    let names: Vec<_> = receivers.iter().map(|receiver| &receiver.name).collect();
    sqlx::query(
        "DELETE FROM alarm_deliveries WHERE receiver NOT IN (SELECT value FROM json_each($1))",
    )
    .bind(json("the names of receivers", &names)?)
    .execute(&mut *connection)
    .await
    .map_err(statement_failed)?;
    for name in names {
        sqlx::query(
            "DELETE FROM alarm_deliveries WHERE receiver = $1 AND id <= (SELECT id FROM alarm_deliveries \
             WHERE receiver = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
        )
        .bind(name)
        .bind(MOST_WAITING)
        .execute(&mut *connection)
        .await
        .map_err(statement_failed)?;
    }
    Ok(())
}

/// The messages to a receiver from the oldest to the first that has to wait.
pub(super) async fn due(
    connection: &mut SqliteConnection,
    receiver: &str,
    now: TimestampMs,
    limit: u32,
) -> Result<Vec<Delivery>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, notification, attempts, next_attempt_at FROM alarm_deliveries \
         WHERE receiver = $1 ORDER BY id LIMIT $2",
    )
    .bind(receiver)
    .bind(limit)
    .fetch_all(connection)
    .await
    .map_err(statement_failed)?;
    let longest = u64::try_from(LONGEST_PAUSE.as_millis()).unwrap_or(u64::MAX);
    let mut due = Vec::new();
    for row in &rows {
        let cells = Cells::new(row, "alarm_deliveries", "id");
        let left = cells.number("next_attempt_at")?.saturating_sub(now.get());
        // No pause is longer: the clock was set back.
        if left > 0 && left <= longest {
            break;
        }
        due.push(Delivery {
            id: DeliveryId::new(cells.row_number("id")?),
            notification: cells.json("notification")?,
            attempts: cells.small("attempts")?,
        });
    }
    Ok(due)
}

/// Notes how a try ended.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    id: DeliveryId,
    end: DeliveryEnd,
) -> Result<(), StoreError> {
    let Some(id) = row_number(id.get()) else {
        return Ok(());
    };
    let query = match end {
        DeliveryEnd::Done => sqlx::query("DELETE FROM alarm_deliveries WHERE id = $1").bind(id),
        DeliveryEnd::Again(at) => sqlx::query(
            "UPDATE alarm_deliveries SET attempts = attempts + 1, next_attempt_at = $2 WHERE id = $1",
        )
        .bind(id)
        .bind(number(at.get())),
    };
    query.execute(connection).await.map_err(statement_failed)?;
    Ok(())
}

/// How many messages wait for a receiver.
pub(super) async fn waiting(
    connection: &mut SqliteConnection,
    receiver: &str,
) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT count(*) AS waiting FROM alarm_deliveries WHERE receiver = $1")
        .bind(receiver)
        .fetch_one(connection)
        .await
        .map_err(statement_failed)?;
    Cells::new(&row, "alarm_deliveries", "waiting").row_number("waiting")
}
