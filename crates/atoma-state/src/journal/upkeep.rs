//! Dropping what concluded attempts carried, which is more than half of a journal.

use async_trait::async_trait;
use atoma_domain::TimestampMs;
use atoma_domain::ports::{StoreError, Upkeep};

use crate::columns::number;
use crate::error::statement_failed;
use crate::store::SqliteState;

#[async_trait]
impl Upkeep for SqliteState {
    async fn drop_carried(
        &self,
        concluded_before: TimestampMs,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        // That there are effects says that the attempt executed, so they become empty instead of NULL.
        let dropped = sqlx::query(
            "UPDATE attempts SET bytes = x'', signatures = x'', \
             effects = iif(effects IS NULL, NULL, x'') \
             WHERE id IN (SELECT id FROM attempts WHERE concluded_at < $1 AND bytes <> x'' \
             ORDER BY concluded_at LIMIT $2)",
        )
        .bind(number(concluded_before.get()))
        .bind(limit)
        .execute(&mut *transaction)
        .await
        .map_err(statement_failed)?
        .rows_affected();
        transaction.commit().await?;
        Ok(dropped)
    }
}
