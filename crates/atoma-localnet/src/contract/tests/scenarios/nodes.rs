//! Nodes: registration, keys, disabling and destroying.

use super::{Scenario, done};
use crate::contract::ResolvedArgument;
use crate::contract::tests::chain::{MANAGER, address_of};

const ROTATE: &str = "rotate_node_public_key";

pub(super) const SCENARIOS: &[Scenario] = &[
    (ROTATE, "device type 16000", |w| {
        done(w.rotate(1, b"key", b"", 0, 16_000))
    }),
    (ROTATE, "device type 15999", |w| {
        done(w.rotate(1, b"key", b"", 0, 15_999))
    }),
    (ROTATE, "counter 1 while the contract is at 0", |w| {
        done(w.rotate(1, b"key", b"", 1, 300))
    }),
    (ROTATE, "counter 0 while the contract is at 1", |w| {
        w.rotate_network();
        done(w.rotate(1, b"key", b"", 0, 300))
    }),
    (ROTATE, "second device, other key, same rotation", |w| {
        w.rotate(1, b"key", b"", 0, 300).unwrap();
        done(w.rotate(1, b"other", b"", 0, 10_000))
    }),
    (ROTATE, "second device, same key, same rotation", |w| {
        w.rotate(1, b"key", b"", 0, 300).unwrap();
        done(w.rotate(1, b"key", b"", 0, 10_000))
    }),
    (ROTATE, "new key after a network rotation", |w| {
        w.rotate(1, b"key", b"", 0, 300).unwrap();
        w.rotate_network();
        done(w.rotate(1, b"other", b"", 1, 300))
    }),
    ("permanently_disable_node", "disabled twice", |w| {
        w.disable(1).unwrap();
        done(w.disable(1))
    }),
    ("destroy_disabled_node", "never disabled", |w| {
        done(w.destroy(1))
    }),
    (
        "destroy_disabled_node",
        "same epoch as the disabling",
        |w| {
            w.disable(1).unwrap();
            done(w.destroy(1))
        },
    ),
    (
        "register_node_entry",
        "second registration from the same address (a second badge)",
        |w| done(w.call(address_of(1), "register_node_entry", &[])),
    ),
    ("register_node_entry", "registration enabled again", |w| {
        let badge = [ResolvedArgument::Object(w.manager_badge)];
        w.call(MANAGER, "disable_registration", &badge).unwrap();
        assert!(w.call(address_of(5), "register_node_entry", &[]).is_err());
        w.call(MANAGER, "enable_registration", &badge).unwrap();
        done(w.call(address_of(5), "register_node_entry", &[]))
    }),
];
