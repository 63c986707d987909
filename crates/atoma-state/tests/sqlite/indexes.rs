//! Lists and transitions are served by indexes.

use crate::raw::Database;

/// None of these statements reads a whole table.
#[tokio::test]
async fn lists_and_transitions_are_served_by_indexes() {
    let database = Database::new();
    database.open().await.close().await;
    let raw = database.raw().await;
    for (statement, index) in [
        (
            "SELECT x.stack_small_id FROM stacks x WHERE x.selected_node_id = x'' AND \
             x.stack_small_id > x'' ORDER BY x.stack_small_id LIMIT 5",
            "stacks_by_selected_node",
        ),
        (
            "SELECT x.stack_small_id FROM settlements x WHERE x.selected_node_id = x'' AND \
             x.stack_small_id > x'' ORDER BY x.stack_small_id LIMIT 5",
            "settlements_by_selected_node",
        ),
        (
            "SELECT * FROM disputes WHERE defendant_node_id IN (SELECT unhex(value) FROM \
             json_each('[]')) AND stack_small_id > x'' ORDER BY stack_small_id LIMIT 5",
            "disputes_by_defendant",
        ),
        (
            "SELECT * FROM disputes WHERE plaintiff_node_id IN (SELECT unhex(value) FROM \
             json_each('[]')) AND stack_small_id > x'' ORDER BY stack_small_id LIMIT 5",
            "disputes_by_plaintiff",
        ),
        (
            "SELECT * FROM subscriptions WHERE task_small_id = x'' AND valid = 1 ORDER BY sequence",
            "subscriptions_by_task",
        ),
        (
            "DELETE FROM reservations WHERE expires_at <= x'' RETURNING *",
            "reservations_by_expiry",
        ),
        (
            "UPDATE reservations SET expires_at = x'' WHERE expires_at > x''",
            "reservations_by_expiry",
        ),
        (
            "DELETE FROM reservations WHERE holder = 'h' RETURNING *",
            "reservations_by_holder",
        ),
        (
            "SELECT * FROM reservations WHERE request_scope = 's'",
            "reservations_by_request",
        ),
        (
            "SELECT 1 FROM reservations r WHERE r.stack_small_id = x'' AND r.expires_at > x''",
            "reservations_by_stack",
        ),
        (
            "SELECT selected_node_id, stack_small_id FROM stacks WHERE is_claimed = 0 \
             AND (selected_node_id, stack_small_id) > (x'', x'') \
             ORDER BY selected_node_id, stack_small_id LIMIT 5",
            "stacks_that_are_unclaimed",
        ),
        (
            "SELECT s.stack_small_id FROM stacks s WHERE s.owner_address = x'' \
             AND s.is_claimed = 0 AND s.task_small_id = x''",
            "stacks_by_owner",
        ),
        (
            "SELECT * FROM recorded_messages WHERE stack_small_id = x'' AND node_small_id = x'' \
             AND message_id = 'm'",
            "recorded_messages_by_id",
        ),
        (
            "SELECT * FROM recorded_messages WHERE request_scope = 's'",
            "recorded_messages_by_request",
        ),
        (
            "DELETE FROM recorded_messages WHERE request_scope IS NOT NULL AND key_stored < x'' \
             AND recorded_at < x'' AND message_id IS NULL",
            "recorded_messages_by_key_age",
        ),
        (
            "DELETE FROM requests WHERE key_stored < x'' AND created_at < x''",
            "requests_by_key_age",
        ),
        (
            "SELECT * FROM intents WHERE status IN ('queued', 'submitted') ORDER BY id",
            "intents_that_are_open",
        ),
        (
            "SELECT * FROM intents WHERE id < 9 AND status IN ('succeeded', 'failed') \
             AND status = 'failed' ORDER BY id DESC LIMIT 5",
            "final_intents_by_status",
        ),
        (
            "SELECT status, count(*) FROM intents WHERE status IN ('queued', 'submitted') \
             GROUP BY status",
            "intents_that_are_open",
        ),
        (
            "SELECT status, count(*) FROM intents WHERE status IN ('succeeded', 'failed') \
             GROUP BY status",
            "final_intents_by_status",
        ),
        (
            "SELECT * FROM intents WHERE id < 9 AND stack_small_id = x'' ORDER BY id DESC LIMIT 5",
            "intents_by_stack",
        ),
        (
            "SELECT * FROM intents WHERE id < 9 AND kind = 'claim_stack' ORDER BY id DESC LIMIT 5",
            "intents_by_kind",
        ),
        (
            "SELECT * FROM work_records c WHERE c.node_small_id = x'' AND c.fill_level = 'F' \
             AND c.stack_small_id > x'' AND c.fill > x'' ORDER BY c.stack_small_id",
            "work_records_by_fill",
        ),
        (
            "SELECT * FROM attempts a WHERE a.status = 'signed' ORDER BY a.id",
            "attempts_that_are_signed",
        ),
        (
            "SELECT max(id) FROM attempts WHERE badge ->> 'object_id' = 'x' \
             AND effects IS NOT NULL",
            "attempts_by_executed_badge",
        ),
        (
            "SELECT max(id) FROM attempts WHERE registered_badge = 'x'",
            "attempts_by_registered_badge",
        ),
        (
            "SELECT * FROM intents WHERE holds_key = 1 AND action_key IN \
             (SELECT value FROM json_each('[]'))",
            "intents_by_held_key",
        ),
        (
            "SELECT id, action FROM intents WHERE status <> 'failed' AND stack_small_id IN \
             (SELECT unhex(value) FROM json_each('[]'))",
            "intents_by_stack",
        ),
        (
            "SELECT object_id FROM signed_versions WHERE (object_id, version) IN \
             (SELECT value ->> 'object_id', value -> 'version' FROM json_each('[]'))",
            "PRIMARY KEY",
        ),
        (
            "DELETE FROM signed_versions WHERE digest = x''",
            "signed_versions_by_digest",
        ),
    ] {
        let plan = sqlx::query(sqlx::AssertSqlSafe(format!(
            "EXPLAIN QUERY PLAN {statement}"
        )))
        .fetch_all(&raw)
        .await
        .unwrap();
        let steps: Vec<String> = plan
            .iter()
            .map(|row| sqlx::Row::get::<String, _>(row, "detail"))
            .collect();
        assert!(
            steps.iter().any(|step| step.contains(index)),
            "{statement}: {steps:?}"
        );
        assert!(
            !steps.iter().any(|step| step.starts_with("SCAN")
                    && !step.contains("json_each")
                    // An index that holds nothing else.
                    && !step.contains("attempts_that_are_signed")),
            "{statement}: {steps:?}"
        );
    }
}
