//! Logs that a crash has cut or that were damaged: nothing is lost silently, and nothing false is said.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod support;

use std::fs;
use std::path::Path;

use atoma_domain::ObjectId;
use atoma_localnet::demo;
use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;
use support::disk::{LOG, SNAPSHOT, config};
use support::{Fixture, SUI};
use tempfile::TempDir;
use tonic::Code;

/// A directory with this log, and the snapshot of another.
fn directory_with(log: &[u8], snapshot_of: Option<&Path>) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(LOG), log).unwrap();
    if let Some(other) = snapshot_of {
        fs::copy(other.join(SNAPSHOT), directory.path().join(SNAPSHOT)).unwrap();
    }
    directory
}

/// Where the frames of a log end: 4 bytes of length, 8 of checksum, and the body.
fn frame_ends(log: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while let Some(length) = log.get(at..at + 4) {
        at += 12 + usize::try_from(u32::from_le_bytes(length.try_into().unwrap())).unwrap();
        ends.push(at);
    }
    ends
}

#[tokio::test]
async fn what_a_damaged_log_drops_is_kept_aside() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Fixture::with(config(directory.path())).await;
    for _ in 0..3 {
        let alice = fixture.alice.address;
        fixture.network.faucet(alice, SUI, 0).unwrap();
    }
    let mut log = fs::read(directory.path().join(LOG)).unwrap();
    let ends = frame_ends(&log);
    let kept = ends[ends.len() - 4];
    log[kept + 20] ^= 1;
    let again = directory_with(&log, None);
    let restarted = Fixture::with(config(again.path())).await;
    let aside = again.path().join(format!("{LOG}.dropped-{kept}"));
    assert!(fs::read(aside).unwrap() == log[kept..]);
    restarted
        .network
        .faucet(restarted.alice.address, SUI, 0)
        .unwrap();
}

/// Wherever a crash cuts the end of an epoch, it ends whole or not at all.
#[tokio::test]
async fn an_end_of_epoch_that_a_crash_cut_is_finished() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Fixture::with(config(directory.path())).await;
    let alice = fixture.alice.address;
    fixture.network.faucet(alice, SUI, 0).unwrap();
    let before = fs::metadata(directory.path().join(LOG)).unwrap().len();
    fixture.network.advance_epoch().unwrap();
    let log = fs::read(directory.path().join(LOG)).unwrap();
    let ends: Vec<_> = frame_ends(&log)
        .into_iter()
        .filter(|end| u64::try_from(*end).unwrap() >= before)
        .collect();
    // Prologue, end of the epoch, and two checkpoints.
    assert_eq!(ends.len(), 5);
    let mut epochs = Vec::new();
    for end in ends {
        let cut = directory_with(&log[..end], None);
        let again = Fixture::with(config(cut.path())).await;
        let epoch = again.network.epoch();
        epochs.push(epoch);
        assert_eq!(again.network.advance_epoch().unwrap(), epoch + 1);
        let mut client = again.client.clone();
        let mut request = proto::GetEpochRequest::default();
        request.epoch = Some(0);
        request.read_mask = Some(FieldMask::from_str("end"));
        let first = client.ledger_client().get_epoch(request).await.unwrap();
        assert!(first.into_inner().epoch.unwrap().end.is_some());
    }
    assert_eq!(epochs, [0, 0, 1, 1, 1]);
}

/// A world whose creation was cut is not called complete.
#[tokio::test]
async fn a_demonstration_world_that_a_crash_cut_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Fixture::with(config(directory.path())).await;
    demo::seed(&fixture.network).unwrap();
    let log = fs::read(directory.path().join(LOG)).unwrap();
    let ends = frame_ends(&log);
    for (end, is_whole) in [
        (ends.len() / 2, false),
        (ends.len() - 4, false),
        (ends.len() - 1, true),
    ] {
        let cut = directory_with(&log[..ends[end]], None);
        let again = Fixture::with(config(cut.path())).await;
        assert_eq!(demo::seed(&again.network).is_ok(), is_whole, "{end}");
    }
}

/// An object whose record was damaged is not called missing, and no snapshot is made without it.
#[tokio::test]
async fn an_object_that_cannot_be_read_is_not_called_missing() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Fixture::with(config(directory.path())).await;
    let alice = fixture.alice.address;
    fixture.network.faucet(alice, SUI, 0).unwrap();
    fixture.network.snapshot().unwrap();
    let mut owned = proto::ListOwnedObjectsRequest::default();
    owned.owner = Some(alice.to_string());
    let mut client = fixture.client.clone();
    let owned = client.state_client().list_owned_objects(owned).await;
    let owned = owned.unwrap().into_inner().objects;
    let id: ObjectId = owned[0].object_id.as_deref().unwrap().parse().unwrap();
    let log = fs::read(directory.path().join(LOG)).unwrap();
    let places = log
        .windows(32)
        .enumerate()
        .filter(|(_, bytes)| *bytes == id.as_bytes())
        .map(|(at, _)| at);
    let mut lost = 0;
    for place in places {
        let mut log = log.clone();
        log[place + 33] ^= 1;
        let damaged = directory_with(&log, Some(directory.path()));
        let again = Fixture::with(config(damaged.path())).await;
        let mut request = proto::GetObjectRequest::default();
        request.object_id = Some(id.to_string());
        let mut client = again.client.clone();
        if let Err(refused) = client.ledger_client().get_object(request).await {
            assert_eq!(refused.code(), Code::DataLoss, "{refused}");
            assert!(again.network.snapshot().is_err());
            lost += 1;
        }
    }
    assert!(lost > 0);
}
