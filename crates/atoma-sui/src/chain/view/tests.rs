//! Which of two showings of an object counts.

use atoma_domain::{Address, Digest};
use sui_rpc::proto::sui::rpc::v2::Object;

use super::*;

const BADGE: ObjectId = Address::new([5; 32]);

fn shown(version: u64) -> Option<ObjectRead> {
    let mut object = Object::default();
    object.object_id = Some(BADGE.to_string());
    object.version = Some(version);
    object.digest = Some(Digest::ZERO.to_string());
    Some(ObjectRead::new(BADGE, object).unwrap())
}

fn noted(showings: [Option<ObjectRead>; 2]) -> Option<u64> {
    let mut objects = Objects::default();
    for object in showings {
        objects.note(BADGE, object);
    }
    match objects.find(BADGE) {
        Known::Read(object) => Some(object.reference.version()),
        Known::Absent => None,
        Known::Not => panic!("it was noted"),
    }
}

/// What was read along with the older badge may be as old: over a newer one it would be signed as
/// though nothing had happened in between.
#[test]
fn of_two_badges_the_older_one_is_the_views() {
    assert_eq!(noted([shown(5), shown(4)]), Some(4));
    assert_eq!(noted([shown(4), shown(5)]), Some(4));
    assert_eq!(noted([shown(4), None]), None);
    assert_eq!(noted([None, shown(4)]), None);
}
