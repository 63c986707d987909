//! The objects that clients see: ids, types, owners, contents, and which ones transactions write.

use std::collections::BTreeSet;

use atoma_domain::events::ContractEvent;
use atoma_domain::{ObjectId, TaskSmallId};
use sui_sdk_types::{Address, Digest, Owner, TypeTag};

use super::chain::{CONFIDENTIAL, MANAGER, NONE, PRICE, TestChain, UNITS, USER, address_of};
use super::vectors::{load, text};
use crate::vm::{MoveErrorKind, ObjectReader, ObjectState};

fn object(chain: &TestChain, id: &ObjectId) -> ObjectState {
    ObjectState::of(&chain.store.object(id).unwrap()).unwrap()
}

fn tag(chain: &TestChain, name: &str) -> TypeTag {
    format!("{}::db::{name}", chain.addresses.package)
        .parse()
        .unwrap()
}

/// The id of the table at `index` among the `AtomaDb`'s tables.
fn table_at(chain: &TestChain, index: usize) -> ObjectId {
    let contents = object(chain, &chain.addresses.atoma_db).contents;
    // The id, tickets and three small ids come first; each table is an id and a size.
    let start = 32 + 32 + 24 + index * 40;
    Address::from_bytes(&contents[start..start + 32]).unwrap()
}

#[test]
fn the_atoma_db_is_shared_and_starts_as_published() {
    let chain = TestChain::new(0);
    let db = object(&chain, &chain.addresses.atoma_db);
    assert_eq!(
        TypeTag::from(db.object_type.clone()),
        tag(&chain, "AtomaDb")
    );
    assert!(!db.has_public_transfer);
    assert_eq!(db.owner, Some(Owner::Shared(0)));
    let badge = object(&chain, &chain.manager_badge);
    assert_eq!(badge.owner, Some(Owner::Address(MANAGER)));
    assert_eq!(badge.contents, chain.manager_badge.as_bytes());
    let parameters = chain.state().parameters;
    assert_eq!(parameters.cross_validation_probability_permille, 10);
    assert_eq!(parameters.cross_validation_extra_nodes_count, 1);
    assert_eq!(parameters.sampling_consensus_charge_permille, 1200);
    assert_eq!(parameters.cross_validation_extra_nodes_charge_permille, 12);
    assert_eq!(parameters.permille_to_slash_node_on_timeout, 100);
    assert_eq!(parameters.next_stack_small_id.get(), 1);
    // Ids, small ids, tables, treasuries, six numbers, a flag, four numbers.
    assert_eq!(db.contents.len(), 64 + 24 + 5 * 40 + 16 + 6 * 8 + 1 + 4 * 8);
}

#[test]
fn table_entries_are_dynamic_fields_of_the_table() {
    let mut chain = TestChain::new(1);
    let task = chain.task(NONE, &[1]);
    let stack = chain.stack(task);
    let stacks = table_at(&chain, 3);
    let key = bcs::to_bytes(&stack).unwrap();
    let id = stacks.derive_dynamic_child_id(&tag(&chain, "StackSmallId"), &key);
    let field = object(&chain, &id);
    assert_eq!(field.owner, Some(Owner::Object(stacks)));
    assert!(!field.has_public_transfer);
    let field_type = format!(
        "0x2::dynamic_field::Field<{}, {}>",
        tag(&chain, "StackSmallId"),
        tag(&chain, "Stack")
    );
    assert_eq!(
        TypeTag::from(field.object_type),
        field_type.parse().unwrap()
    );
    let value = (id, stack, USER, PRICE, UNITS, 1_u64, task, false);
    assert_eq!(field.contents, bcs::to_bytes(&value).unwrap());
}

#[test]
fn object_table_entries_are_children_of_a_field_with_a_wrapped_key() {
    let mut chain = TestChain::new(1);
    let task = chain.task(CONFIDENTIAL, &[]);
    let tasks = table_at(&chain, 2);
    let wrapper: TypeTag = format!(
        "0x2::dynamic_object_field::Wrapper<{}>",
        tag(&chain, "TaskSmallId")
    )
    .parse()
    .unwrap();
    let id = tasks.derive_dynamic_child_id(&wrapper, &bcs::to_bytes(&task).unwrap());
    let field = object(&chain, &id);
    assert_eq!(field.owner, Some(Owner::Object(tasks)));
    let field_type = format!("0x2::dynamic_field::Field<{wrapper}, 0x2::object::ID>");
    assert_eq!(
        TypeTag::from(field.object_type),
        field_type.parse().unwrap()
    );
    let child = Address::from_bytes(&field.contents[40..]).unwrap();
    let task = object(&chain, &child);
    assert_eq!(task.owner, Some(Owner::Object(id)));
    assert_eq!(TypeTag::from(task.object_type), tag(&chain, "Task"));
    assert_eq!(task.contents[..32], *child.as_bytes());
}

#[test]
fn a_subscription_is_a_dynamic_field_of_the_badge() {
    let mut chain = TestChain::new(1);
    let task = chain.task(NONE, &[1]);
    let badge = chain.badges[&1];
    assert_eq!(
        object(&chain, &badge).owner,
        Some(Owner::Address(address_of(1)))
    );
    let key = bcs::to_bytes(&task).unwrap();
    let id = badge.derive_dynamic_child_id(&tag(&chain, "TaskSmallId"), &key);
    let field = object(&chain, &id);
    assert_eq!(field.owner, Some(Owner::Object(badge)));
    assert_eq!(field.contents, bcs::to_bytes(&(id, task, true)).unwrap());
    let results = chain.unsubscribe(1, task).unwrap();
    assert!(results.deleted.contains(&id));
}

#[test]
fn a_claim_deletes_stack_and_ticket() {
    let mut chain = TestChain::new(1);
    let task = chain.task(NONE, &[1]);
    let before: BTreeSet<ObjectId> = chain.store.0.keys().copied().collect();
    let stack = chain.stack(task);
    chain.settle(1, stack, UNITS).unwrap();
    chain.epoch += 1;
    let results = chain.claim(1, &[stack]).unwrap();
    // The stack's field, the ticket's field and the ticket.
    assert_eq!(results.deleted.len(), 3);
    assert_eq!(results.created.len(), 1, "one coin");
    let after: BTreeSet<ObjectId> = chain.store.0.keys().copied().collect();
    // The stack's badge and the coin paid remain.
    assert_eq!(after.difference(&before).count(), 2);
}

#[test]
fn only_changed_objects_are_written() {
    let mut chain = TestChain::new(1);
    let task = chain.task(NONE, &[1]);
    let results = chain.update(1, task, PRICE + 1).unwrap();
    assert_eq!(results.mutated.len(), 1, "the offer");
    assert!(results.created.is_empty() && results.deleted.is_empty());
    let db = chain.addresses.atoma_db;
    assert!(results.read.contains(&db) && !results.written.contains_key(&db));
}

#[test]
fn destroying_pays_out_an_empty_collateral() {
    let mut chain = TestChain::new(1);
    chain.disable(1).unwrap();
    chain.epoch += 4;
    let badge = chain.badges[&1];
    let results = chain.destroy(1).unwrap();
    assert!(results.deleted.contains(&badge));
    let coin = chain.created(&results, "Coin");
    assert_eq!(results.written[&coin].coin_value(), Some(0));
}

#[test]
fn created_ids_derive_from_the_digest_in_order() {
    let mut chain = TestChain::new(0);
    let (results, (first, second)) = chain
        .transact(USER, |vm| {
            let digest = vm.context().digest;
            assert_eq!(vm.fresh_id(), Address::derive_id(digest, 0));
            Ok((Address::derive_id(digest, 1), vm.fresh_id()))
        })
        .unwrap();
    assert_eq!(first, second);
    assert!(results.created.is_empty());
}

/// In the vectors, a transaction's digest is its number, which shows which of the transaction's
/// derived ids each object has.
#[test]
fn objects_get_their_ids_in_the_contracts_order() {
    let mut chain = TestChain::new(1);
    assert_eq!(chain.badges[&1], Address::derive_id(chain.digest, 0));

    // The task, its two tables, its badge.
    let task = chain.create_task(NONE, None, true);
    let badge = chain.task_badges[&task];
    assert_eq!(badge, Address::derive_id(chain.digest, 3));
    let object = chain.state().tasks[&TaskSmallId::new(task)].id;
    assert_eq!(object, Address::derive_id(chain.digest, 0));

    // The random generator uses one before the badge.
    chain.subscribe(1, task, PRICE).unwrap();
    chain.stack(task);
    let Some(ContractEvent::StackCreated(event)) = chain.events.last() else {
        panic!("no event of the new stack");
    };
    assert_eq!(event.stack_id, Address::derive_id(chain.digest, 1));

    let measured = load("events.json");
    let emitted = |name: &str, scenario: &str, field: &str| -> Address {
        let all = measured[name].as_array().unwrap();
        let found = all.iter().find(|vector| vector["scenario"] == scenario);
        text(&found.unwrap()["fields"], field).parse().unwrap()
    };
    let digest = |number: u8| {
        let mut digest = [0; 32];
        digest[0] = number;
        Digest::new(digest)
    };
    let badge = emitted("NodeRegisteredEvent", "tour/0/0", "badge_id");
    assert_eq!(badge, Address::derive_id(digest(12), 0));
    let badge = emitted("TaskRegisteredEvent", "tour/0/0", "task_id");
    assert_eq!(badge, Address::derive_id(digest(18), 3));
}

#[test]
fn coins_split_merge_and_move() {
    let mut chain = TestChain::new(0);
    let coin = chain.coin(USER, 100);
    let (results, part) = chain
        .transact(USER, |vm| {
            let part = vm.split_coin(&coin, 30)?;
            vm.transfer(&part, MANAGER)?;
            Ok(part)
        })
        .unwrap();
    assert_eq!(results.created, BTreeSet::from([part]));
    assert_eq!(chain.coin_value(&coin), 70);
    assert_eq!(chain.coin_value(&part), 30);
    assert_eq!(object(&chain, &part).owner, Some(Owner::Address(MANAGER)));

    let error = chain
        .transact(USER, |vm| vm.split_coin(&coin, 71))
        .unwrap_err();
    assert!(matches!(
        error.kind,
        MoveErrorKind::InsufficientCoinBalance { balance: 70, .. }
    ));
    let (results, ()) = chain
        .transact(USER, |vm| vm.merge_coins(&coin, &[part]))
        .unwrap();
    assert_eq!(results.deleted, BTreeSet::from([part]));
    assert_eq!(chain.coin_value(&coin), 100);

    let full = chain.coin(USER, u64::MAX);
    let error = chain
        .transact(USER, |vm| vm.merge_coins(&full, &[coin]))
        .unwrap_err();
    assert!(matches!(
        error.kind,
        MoveErrorKind::CoinBalanceOverflow { .. }
    ));

    let db = chain.addresses.atoma_db;
    let error = chain
        .transact(USER, |vm| vm.transfer(&db, USER))
        .unwrap_err();
    assert!(matches!(
        error.kind,
        MoveErrorKind::InvalidTransferObject { .. }
    ));
}

#[test]
fn a_coin_split_and_merged_in_one_transaction_leaves_no_trace() {
    let mut chain = TestChain::new(0);
    let coin = chain.coin(USER, 100);
    let (results, ()) = chain
        .transact(USER, |vm| {
            let part = vm.split_coin(&coin, 30)?;
            vm.merge_coins(&coin, &[part])
        })
        .unwrap();
    assert!(results.created.is_empty() && results.deleted.is_empty());
    assert!(results.mutated.is_empty());
}

#[test]
fn objects_without_an_owner_are_reported() {
    let mut chain = TestChain::new(0);
    let coin = chain.coin(USER, 100);
    let reader = &chain.store;
    let context = crate::vm::TxContext {
        digest: sui_sdk_types::Digest::new([9; 32]),
        sender: USER,
        epoch: 1,
        epoch_timestamp_ms: 0,
    };
    let mut vm = crate::vm::Execution::new(reader, context, [0; 32]);
    let part = vm.split_coin(&coin, 1).unwrap();
    assert_eq!(vm.finish().ownerless, [part]);
}

#[test]
fn a_transaction_can_access_a_thousand_child_objects() {
    let mut chain = TestChain::new(1);
    let task = chain.task(NONE, &[1]);
    let stacks: Vec<u64> = (0..340).map(|_| chain.stack(task)).collect();
    for stack in &stacks {
        chain.settle(1, *stack, UNITS).unwrap();
    }
    chain.epoch += 1;
    let error = chain.claim(1, &stacks).unwrap_err();
    assert!(
        matches!(
            error.kind,
            MoveErrorKind::TooManyChildObjects { limit: 1000, .. }
        ),
        "{error}"
    );
    chain.claim(1, &stacks[..300]).unwrap();
}
