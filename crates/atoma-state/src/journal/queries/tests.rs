//! How SQLite finds the intents of a list.

use atoma_domain::{NodeSmallId, StackSmallId};
use sqlx::AssertSqlSafe;

use super::*;
use crate::SqliteState;

/// All filters that an index serves.
fn filters() -> JournalFilter {
    JournalFilter {
        kind: Some("claim_stack"),
        status: Some(IntentStatus::Failed),
        node: Some(NodeSmallId::new(1)),
        stack: Some(StackSmallId::new(1)),
        tx_digest: None,
    }
}

/// The steps of a statement's plan, without those of its subqueries, which look at one intent each.
async fn plan(store: &SqliteState, sql: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = sqlx::query(explain).fetch_all(&store.lists).await.unwrap();
    let outer = rows.iter().filter(|row| row.get::<i64, _>("parent") == 0);
    outer.map(|row| row.get("detail")).collect()
}

#[tokio::test]
async fn any_two_filters_are_served_by_an_index_in_order() {
    let store = SqliteState::open_temporary().await.unwrap();
    let both = |first, second, index| {
        let mut filter = JournalFilter::default();
        for name in [first, second] {
            match name {
                "kind" => filter.kind = filters().kind,
                "status" => filter.status = filters().status,
                "open" => filter.status = Some(IntentStatus::Queued),
                "node" => filter.node = filters().node,
                _ => filter.stack = filters().stack,
            }
        }
        (filter, index)
    };
    for (filter, index) in [
        both(
            "kind",
            "status",
            "final_intents_by_kind (kind=? AND status=? AND",
        ),
        both(
            "kind",
            "node",
            "intents_by_kind_and_node (kind=? AND node_small_id=? AND",
        ),
        both(
            "status",
            "node",
            "final_intents_by_node (node_small_id=? AND status=? AND",
        ),
        both("kind", "open", "intents_that_are_open (status=? AND"),
        both("open", "node", "intents_that_are_open (status=? AND"),
        both("open", "stack", "intents_by_stack (stack_small_id=? AND"),
        both("kind", "stack", "intents_by_stack (stack_small_id=? AND"),
        both("status", "stack", "intents_by_stack (stack_small_id=? AND"),
        both("node", "stack", "intents_by_stack (stack_small_id=? AND"),
    ] {
        let query = query_before(&filter, 9, 5);
        let steps = plan(&store, query.sql().as_str()).await;
        let uses_index = steps.iter().any(|step| step.contains(index));
        assert!(uses_index, "{filter:?}: {steps:?}");
        let is_slow = |step: &&String| step.starts_with("SCAN") || step.contains("TEMP B-TREE");
        let slow = steps.iter().find(is_slow);
        assert_eq!(slow, None, "{filter:?}: {steps:?}");
    }
}
