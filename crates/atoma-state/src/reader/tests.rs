//! How SQLite finds the stacks of a list.

use sqlx::{AssertSqlSafe, Row};

use super::*;

async fn plan(sql: &str) -> Vec<String> {
    let store = SqliteState::open_temporary().await.unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
    let plan = sqlx::query(explain).fetch_all(&store.lists).await.unwrap();
    plan.iter().map(|row| row.get("detail")).collect()
}

fn sorts(steps: &[String]) -> usize {
    let sorts = steps.iter();
    sorts
        .filter(|step| step.contains("TEMP B-TREE FOR ORDER BY"))
        .count()
}

/// Each level is read in its order from the index alone, and the levels are merged. The page of many nodes
/// is sorted, and nothing within it.
#[tokio::test]
async fn fuller_stacks_are_merged_and_not_sorted() {
    let levels = [("0", 12 + 64), ("B", 1 + 64), ("C0", 64), ("FF", 1)];
    for (lowest, levels) in levels {
        for (nodes, parts, sorted) in [(1, 1, 0), (2, 2, 0), (FEW, FEW, 0), (FEW + 1, 1, 1)] {
            let steps = plan(&stacks_statement(nodes, Some(lowest))).await;
            let found = steps.iter().filter(|step| {
                step.starts_with("SEARCH c USING COVERING INDEX work_records_by_fill")
                    && step.contains("fill_level=? AND stack_small_id>?")
            });
            assert_eq!(found.count(), levels * parts, "{steps:?}");
            assert!(
                !steps.iter().any(|step| step.starts_with("SCAN c")),
                "{steps:?}"
            );
            assert_eq!(sorts(&steps), sorted, "{steps:?}");
        }
    }
}

#[tokio::test]
async fn stacks_of_a_node_are_read_in_the_order_of_its_index() {
    for (nodes, sorted) in [(1, 0), (2, 0), (FEW, 0), (FEW + 1, 1)] {
        let steps = plan(&stacks_statement(nodes, None)).await;
        let uses_index = steps.iter().any(|step| {
            step.contains("stacks_by_selected_node (selected_node_id=? AND stack_small_id>?)")
        });
        assert!(uses_index, "{steps:?}");
        assert_eq!(sorts(&steps), sorted, "{steps:?}");
    }
}
