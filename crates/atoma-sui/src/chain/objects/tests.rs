//! Which version counts when nodes return different ones.

use atoma_domain::{Address, Digest};
use sui_rpc::proto::sui::rpc::v2::Object;

use super::*;

const BADGE: ObjectId = Address::new([5; 32]);

fn badge(version: u64) -> Option<ObjectRead> {
    let mut object = Object::default();
    object.object_id = Some(BADGE.to_string());
    object.version = Some(version);
    object.digest = Some(Digest::ZERO.to_string());
    Some(ObjectRead::new(BADGE, object).unwrap())
}

fn version_kept(reads: [Option<ObjectRead>; 2]) -> Option<u64> {
    let mut objects = ViewObjects::default();
    for object in reads {
        objects.insert(BADGE, object);
    }
    match objects.lookup(BADGE) {
        Lookup::Read(object) => Some(object.reference.version()),
        Lookup::Absent => None,
        Lookup::NotRead => panic!("it was inserted"),
    }
}

/// Whatever was read with the older badge may be as old. Signing it over the newer badge would
/// hide that something happened in between.
#[test]
fn the_older_of_two_badges_counts() {
    assert_eq!(version_kept([badge(5), badge(4)]), Some(4));
    assert_eq!(version_kept([badge(4), badge(5)]), Some(4));
    assert_eq!(version_kept([badge(4), None]), None);
    assert_eq!(version_kept([None, badge(4)]), None);
}
