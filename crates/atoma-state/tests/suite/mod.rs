//! One suite for each database port. Every function takes an empty store and passes on each
//! implementation; `store_suites!` turns them all into tests.

pub mod alarms;
pub mod attempts;
pub mod autopilot;
pub mod batches;
pub mod books;
pub mod due_attestations;
pub mod figures;
pub mod fixtures;
pub mod history;
pub mod journal;
pub mod ledger;
pub mod reading;
pub mod reconciliation;
pub mod repetitions;
pub mod reservations;
pub mod settling;
pub mod work;

use atoma_domain::ports::{
    AlarmStore, AutopilotStore, BookRecords, ChainEvents, Figures, Journal, MirrorRepair,
    ServedWork, StateReader, Upkeep,
};

/// A store under test. It has all database ports, because one reads what another writes.
pub trait Store:
    StateReader
    + ServedWork
    + ChainEvents
    + MirrorRepair
    + Journal
    + Figures
    + BookRecords
    + AutopilotStore
    + Upkeep
    + AlarmStore
    + Clone
    + 'static
{
}

impl<T> Store for T where
    T: StateReader
        + ServedWork
        + ChainEvents
        + MirrorRepair
        + Journal
        + Figures
        + BookRecords
        + AutopilotStore
        + Upkeep
        + AlarmStore
        + Clone
        + 'static
{
}

/// Makes a test of every function of every suite. `$open` is an async function that opens an empty store
/// and returns it with a guard to keep until the end.
macro_rules! store_suites {
    ($open:path) => {
        store_suites! { $open;
            reading {
                tasks_are_listed_by_id_over_the_whole_range,
                cancelled_subscriptions_stay,
                stacks_are_listed_by_node_in_pages,
                a_snapshot_has_stacks_settlements_and_tasks,
                filled_stacks_compare_exactly_and_fill_their_pages,
                operator_nodes_follow_registrations_and_the_chain,
            }
            ledger {
                a_database_is_bound_to_one_chain,
                node_keys_are_those_that_the_contract_keeps,
                progress_follows_the_frames,
                applied_frames_change_nothing_again,
                events_set_aside_are_kept_once,
                transactions_of_a_mirrored_version_change_nothing,
                events_of_unknown_stacks_are_accepted,
                every_recorded_event_is_accepted,
                the_epoch_never_goes_back,
                a_purchase_taken_early_is_mirrored_once,
            }
            reconciliation {
                calls_without_events_are_repaired_and_recorded,
                a_key_is_repaired,
                what_cannot_be_compared_stays,
                a_dry_run_repairs_nothing,
                what_the_mirror_lacks_is_added_as_the_contract_has_it,
                what_the_mirror_missed_of_a_ticket_is_repaired,
                claims_that_were_missed_close_the_stack,
                unexplained_changes_stay_until_they_are_compared,
                a_rebuilt_mirror_is_followed_from_its_version,
                open_and_missing_stacks_are_listed,
            }
            settling {
                a_ticket_takes_its_epoch_from_the_settling_transaction,
                attestations_are_counted_not_nodes,
                the_first_dispute_stays,
                claims_close_ticket_and_stack,
                recorded_settlements_are_mirrored_as_on_chain,
            }
            work {
                messages_add_up_to_the_contracts_root,
                units_never_exceed_the_stack,
                a_message_is_recorded_once_under_its_id,
                a_message_is_recorded_once_under_its_key,
                a_dry_run_records_and_reserves_nothing,
                a_stack_being_claimed_takes_no_first_message,
                settlement_closes_the_selected_nodes_record_alone,
                claimed_stacks_take_no_work,
                many_writers_lose_nothing,
                settlement_inputs_are_task_record_and_subscribers,
            }
            repetitions {
                a_repeated_message_ends_its_new_reservation,
                a_repeated_message_with_other_units_is_reported,
                a_key_counts_also_if_its_message_is_a_repetition,
                a_reservation_that_never_existed_is_reported,
                a_clock_that_was_ahead_makes_no_message_new,
                a_clock_that_was_ahead_forgets_no_request,
                an_old_key_can_be_used_again,
                an_old_request_is_forgotten,
            }
            reservations {
                reservations_are_consumed_corrected_and_released,
                expired_reservations_end_in_the_write_that_they_block,
                a_message_outlives_its_lease,
                leases_are_renewed,
                leases_from_the_future_are_shortened,
                reservations_are_listed_and_released_by_holder,
                the_fullest_stack_with_enough_units_is_taken,
                a_repeated_request_gets_its_reservation,
                reservations_at_once_never_exceed_the_stack,
            }
            journal {
                equal_requests_join_and_others_are_refused,
                actions_done_once_stay_done,
                failed_actions_can_be_requested_again,
                confidential_claims_freeze_the_record,
                a_record_stays_frozen_while_any_intent_needs_it,
                settlements_are_checked_and_freeze_the_record,
            }
            attempts {
                attempts_move_their_intents,
                an_outcome_and_the_next_attempt_are_written_together,
                a_dead_attempt_and_its_successor_are_written_together,
                outcomes_without_success_or_failure_queue_again,
                refused_transitions_change_nothing,
                no_two_signed_attempts_use_the_same_version,
                digests_that_may_have_reached_the_network_are_reported,
                lists_are_newest_first_and_filtered,
            }
            due_attestations {
                what_is_counted_as_due_is_listed,
                due_attestations_come_in_pages,
                due_attestations_say_whether_the_record_agrees,
                without_its_own_record_a_node_attests_from_the_selected_nodes,
            }
            figures {
                stacks_are_summed_by_phase,
                a_claim_is_summed_once,
                sums_are_kept_apart_by_the_way_of_payment,
                missing_attestations_are_due_until_the_ticket_expires,
                intents_are_counted_by_status,
            }
            alarms {
                an_alarm_and_its_messages_are_stored_together,
                alarms_are_listed_newest_first,
                an_acknowledgement_is_stored_once,
                messages_keep_their_order_and_their_pause,
                messages_wait_for_those_that_want_them_and_are_bounded,
                a_reminder_waits_for_no_other_message,
            }
            autopilot {
                an_unpaid_stack_has_its_record_and_its_reservations,
                an_unpaid_stack_has_its_ticket,
                unpaid_stacks_come_in_pages_without_those_that_are_paid,
                a_stack_that_drains_takes_messages_and_no_reservations,
                the_autopilot_remembers_its_pause,
            }
            books {
                what_concerns_the_operators_nodes_is_booked,
                withdrawals_are_known_by_badge_and_balance,
                gas_is_divided_among_the_parts_of_a_transaction,
                gas_that_came_back_is_divided_too,
            }
            batches {
                the_unsignable_intent_of_a_batch_is_named,
                a_refused_batch_thaws_all_its_records,
            }
            history {
                a_use_of_a_badge_is_known_by_attempt_or_acknowledgement,
                recent_gas_coins_are_the_latest_attempts,
                gas_is_spent_when_its_attempt_is_concluded,
                gas_spent_in_the_future_is_dated_by_what_came_after_it,
                attempts_report_their_outcome,
                concluded_attempts_drop_what_they_carried,
                each_attempt_is_found_in_its_own_checkpoint,
                a_badge_was_last_used_by_the_last_execution,
            }
        }
    };
    ($open:path; $($suite:ident { $($case:ident,)* })*) => {
        $(
            mod $suite {
                $(
                    #[tokio::test]
                    async fn $case() {
                        let (store, guard) = $open().await;
                        crate::suite::$suite::$case(store).await;
                        drop(guard);
                    }
                )*
            }
        )*
    };
}
