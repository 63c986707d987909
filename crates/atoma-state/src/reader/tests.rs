//! How SQLite finds the stacks of a list.

use sqlx::{AssertSqlSafe, Row};

use super::*;

/// Each level is read in its order from the index alone, and the levels are merged.
#[tokio::test]
async fn fuller_stacks_are_merged_and_not_sorted() {
    let store = SqliteState::open_temporary().await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", *STACKS_BY_FILL));
    let plan = sqlx::query(explain).fetch_all(&store.lists).await.unwrap();
    let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
    let levels = steps.iter().filter(|step| {
        step.starts_with("SEARCH c USING COVERING INDEX work_records_by_fill")
            && step.contains("fill_level=? AND stack_small_id>?")
    });
    assert_eq!(levels.count(), 12 + 64, "{steps:?}");
    assert!(
        !steps.iter().any(|step| step.starts_with("SCAN c")),
        "{steps:?}"
    );
    // The page is sorted, and nothing within it.
    let sorted = steps
        .iter()
        .filter(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
    assert_eq!(sorted.count(), 1, "{steps:?}");
}
