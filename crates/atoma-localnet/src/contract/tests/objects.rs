//! What a client finds in the objects: ids, types, owners, contents, and what transactions write.

use std::collections::BTreeSet;

use atoma_domain::events::ContractEvent;
use atoma_domain::{ObjectId, TaskSmallId};
use sui_sdk_types::{Address, Digest, Owner, TypeTag};

use super::vectors::{load, text};
use super::world::{CONFIDENTIAL, MANAGER, NONE, PRICE, UNITS, USER, World, address_of};
use crate::vm::{MoveErrorKind, ObjectReader, ObjectState};

fn object(world: &World, id: &ObjectId) -> ObjectState {
    ObjectState::of(&world.store.object(id).unwrap()).unwrap()
}

fn tag(world: &World, name: &str) -> TypeTag {
    format!("{}::db::{name}", world.addresses.package)
        .parse()
        .unwrap()
}

/// The id of a table in the `AtomaDb`, which follows `before` bytes of fixed fields.
fn table_at(world: &World, place: usize) -> ObjectId {
    let contents = object(world, &world.addresses.atoma_db).contents;
    // id, tickets, three small ids; then each table is an id and a size.
    let start = 32 + 32 + 24 + place * 40;
    Address::from_bytes(&contents[start..start + 32]).unwrap()
}

#[test]
fn the_atoma_db_is_shared_and_starts_as_published() {
    let world = World::new(0);
    let db = object(&world, &world.addresses.atoma_db);
    assert_eq!(
        TypeTag::from(db.object_type.clone()),
        tag(&world, "AtomaDb")
    );
    assert!(!db.has_public_transfer);
    assert_eq!(db.owner, Some(Owner::Shared(0)));
    let badge = object(&world, &world.manager_badge);
    assert_eq!(badge.owner, Some(Owner::Address(MANAGER)));
    assert_eq!(badge.contents, world.manager_badge.as_bytes());
    let parameters = world.state().parameters;
    assert_eq!(parameters.cross_validation_probability_permille, 10);
    assert_eq!(parameters.cross_validation_extra_nodes_count, 1);
    assert_eq!(parameters.sampling_consensus_charge_permille, 1200);
    assert_eq!(parameters.cross_validation_extra_nodes_charge_permille, 12);
    assert_eq!(parameters.permille_to_slash_node_on_timeout, 100);
    assert_eq!(parameters.next_stack_small_id.get(), 1);
    // ids, small ids, tables, treasuries, six numbers, a flag, four numbers.
    assert_eq!(db.contents.len(), 64 + 24 + 5 * 40 + 16 + 6 * 8 + 1 + 4 * 8);
}

#[test]
fn table_entries_are_dynamic_fields_of_the_table() {
    let mut world = World::new(1);
    let task = world.task(NONE, &[1]);
    let stack = world.stack(task);
    let stacks = table_at(&world, 3);
    let key = bcs::to_bytes(&stack).unwrap();
    let id = stacks.derive_dynamic_child_id(&tag(&world, "StackSmallId"), &key);
    let field = object(&world, &id);
    assert_eq!(field.owner, Some(Owner::Object(stacks)));
    assert!(!field.has_public_transfer);
    let field_type = format!(
        "0x2::dynamic_field::Field<{}, {}>",
        tag(&world, "StackSmallId"),
        tag(&world, "Stack")
    );
    assert_eq!(
        TypeTag::from(field.object_type),
        field_type.parse().unwrap()
    );
    let value = (id, stack, USER, PRICE, UNITS, 1_u64, task, false);
    assert_eq!(field.contents, bcs::to_bytes(&value).unwrap());
}

#[test]
fn object_table_entries_hang_under_a_wrapped_field() {
    let mut world = World::new(1);
    let task = world.task(CONFIDENTIAL, &[]);
    let tasks = table_at(&world, 2);
    let wrapper: TypeTag = format!(
        "0x2::dynamic_object_field::Wrapper<{}>",
        tag(&world, "TaskSmallId")
    )
    .parse()
    .unwrap();
    let id = tasks.derive_dynamic_child_id(&wrapper, &bcs::to_bytes(&task).unwrap());
    let field = object(&world, &id);
    assert_eq!(field.owner, Some(Owner::Object(tasks)));
    let field_type = format!("0x2::dynamic_field::Field<{wrapper}, 0x2::object::ID>");
    assert_eq!(
        TypeTag::from(field.object_type),
        field_type.parse().unwrap()
    );
    let child = Address::from_bytes(&field.contents[40..]).unwrap();
    let task = object(&world, &child);
    assert_eq!(task.owner, Some(Owner::Object(id)));
    assert_eq!(TypeTag::from(task.object_type), tag(&world, "Task"));
    assert_eq!(task.contents[..32], *child.as_bytes());
}

#[test]
fn a_subscription_hangs_on_the_badge() {
    let mut world = World::new(1);
    let task = world.task(NONE, &[1]);
    let badge = world.badges[&1];
    assert_eq!(
        object(&world, &badge).owner,
        Some(Owner::Address(address_of(1)))
    );
    let key = bcs::to_bytes(&task).unwrap();
    let id = badge.derive_dynamic_child_id(&tag(&world, "TaskSmallId"), &key);
    let field = object(&world, &id);
    assert_eq!(field.owner, Some(Owner::Object(badge)));
    assert_eq!(field.contents, bcs::to_bytes(&(id, task, true)).unwrap());
    let outcome = world.unsubscribe(1, task).unwrap();
    assert!(outcome.deleted.contains(&id));
}

#[test]
fn a_claim_deletes_what_it_pays_out() {
    let mut world = World::new(1);
    let task = world.task(NONE, &[1]);
    let before: BTreeSet<ObjectId> = world.store.0.keys().copied().collect();
    let stack = world.stack(task);
    world.settle(1, stack, UNITS).unwrap();
    world.epoch += 1;
    let outcome = world.claim(1, &[stack]).unwrap();
    // The stack's field, the ticket's field and the ticket.
    assert_eq!(outcome.deleted.len(), 3);
    assert_eq!(outcome.created.len(), 1, "one coin");
    let after: BTreeSet<ObjectId> = world.store.0.keys().copied().collect();
    // What is left of it: the stack's badge, and the coin paid.
    assert_eq!(after.difference(&before).count(), 2);
}

#[test]
fn only_changed_objects_are_written() {
    let mut world = World::new(1);
    let task = world.task(NONE, &[1]);
    let outcome = world.update(1, task, PRICE + 1).unwrap();
    assert_eq!(outcome.mutated.len(), 1, "the offer");
    assert!(outcome.created.is_empty() && outcome.deleted.is_empty());
    let db = world.addresses.atoma_db;
    assert!(outcome.read.contains(&db) && !outcome.written.contains_key(&db));
}

#[test]
fn destroying_pays_out_an_empty_collateral() {
    let mut world = World::new(1);
    world.disable(1).unwrap();
    world.epoch += 4;
    let badge = world.badges[&1];
    let outcome = world.destroy(1).unwrap();
    assert!(outcome.deleted.contains(&badge));
    let coin = world.created(&outcome, "Coin");
    assert_eq!(outcome.written[&coin].coin_value(), Some(0));
}

#[test]
fn created_ids_derive_from_the_digest_in_order() {
    let mut world = World::new(0);
    let (outcome, (first, second)) = world
        .transact(USER, |vm| {
            let digest = vm.context().digest;
            assert_eq!(vm.fresh_id(), Address::derive_id(digest, 0));
            Ok((Address::derive_id(digest, 1), vm.fresh_id()))
        })
        .unwrap();
    assert_eq!(first, second);
    assert!(outcome.created.is_empty());
}

/// The vectors' own transactions had their numbers for digests, which shows which of a transaction's
/// ids each object gets.
#[test]
fn objects_take_their_ids_in_the_contracts_order() {
    let mut world = World::new(1);
    assert_eq!(world.badges[&1], Address::derive_id(world.digest, 0));

    // The task, its two tables, its badge.
    let task = world.create_task(NONE, None, true);
    let badge = world.task_badges[&task];
    assert_eq!(badge, Address::derive_id(world.digest, 3));
    let object = world.state().tasks[&TaskSmallId::new(task)].id;
    assert_eq!(object, Address::derive_id(world.digest, 0));

    // The random generator takes one before the badge.
    world.subscribe(1, task, PRICE).unwrap();
    world.stack(task);
    let Some(ContractEvent::StackCreated(event)) = world.events.last() else {
        panic!("no event of the new stack");
    };
    assert_eq!(event.stack_id, Address::derive_id(world.digest, 1));

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
    let mut world = World::new(0);
    let coin = world.coin(USER, 100);
    let (outcome, part) = world
        .transact(USER, |vm| {
            let part = vm.split_coin(&coin, 30)?;
            vm.transfer(&part, MANAGER)?;
            Ok(part)
        })
        .unwrap();
    assert_eq!(outcome.created, BTreeSet::from([part]));
    assert_eq!(world.coin_value(&coin), 70);
    assert_eq!(world.coin_value(&part), 30);
    assert_eq!(object(&world, &part).owner, Some(Owner::Address(MANAGER)));

    let error = world
        .transact(USER, |vm| vm.split_coin(&coin, 71))
        .unwrap_err();
    assert!(matches!(
        error.kind,
        MoveErrorKind::InsufficientCoinBalance { balance: 70, .. }
    ));
    let (outcome, ()) = world
        .transact(USER, |vm| vm.merge_coins(&coin, &[part]))
        .unwrap();
    assert_eq!(outcome.deleted, BTreeSet::from([part]));
    assert_eq!(world.coin_value(&coin), 100);

    let full = world.coin(USER, u64::MAX);
    let error = world
        .transact(USER, |vm| vm.merge_coins(&full, &[coin]))
        .unwrap_err();
    assert!(matches!(
        error.kind,
        MoveErrorKind::CoinBalanceOverflow { .. }
    ));

    let db = world.addresses.atoma_db;
    let error = world
        .transact(USER, |vm| vm.transfer(&db, USER))
        .unwrap_err();
    assert!(matches!(
        error.kind,
        MoveErrorKind::InvalidTransferObject { .. }
    ));
}

#[test]
fn a_coin_split_and_merged_in_one_transaction_never_was() {
    let mut world = World::new(0);
    let coin = world.coin(USER, 100);
    let (outcome, ()) = world
        .transact(USER, |vm| {
            let part = vm.split_coin(&coin, 30)?;
            vm.merge_coins(&coin, &[part])
        })
        .unwrap();
    assert!(outcome.created.is_empty() && outcome.deleted.is_empty());
    assert!(outcome.mutated.is_empty());
}

#[test]
fn what_nobody_received_is_named() {
    let mut world = World::new(0);
    let coin = world.coin(USER, 100);
    let reader = &world.store;
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
fn a_transaction_touches_about_a_thousand_children() {
    let mut world = World::new(1);
    let task = world.task(NONE, &[1]);
    let stacks: Vec<u64> = (0..340).map(|_| world.stack(task)).collect();
    for stack in &stacks {
        world.settle(1, *stack, UNITS).unwrap();
    }
    world.epoch += 1;
    let error = world.claim(1, &stacks).unwrap_err();
    assert!(
        matches!(
            error.kind,
            MoveErrorKind::TooManyChildObjects { limit: 1000, .. }
        ),
        "{error}"
    );
    world.claim(1, &stacks[..300]).unwrap();
}
