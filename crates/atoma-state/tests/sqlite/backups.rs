//! Backups are whole, and put back without mixing two databases.

use std::path::{Path, PathBuf};

use atoma_domain::ports::{Journal, ServedWork, StateReader};
use atoma_domain::with_causes;
use atoma_state::backup::{BackupError, back_up, restore, verify};
use atoma_state::{Access, OpenError, SqliteState, StateOptions};

use crate::raw::{Database, dump_of};
use crate::suite::fixtures::*;

pub fn backup_of(database: &Database) -> PathBuf {
    database.path().with_file_name("backup.sqlite")
}

pub async fn with_a_stack(database: &Database) -> SqliteState {
    let store = database.open().await;
    apply_events(&store, 7, vec![bought(1, 1, 1_000_000)]).await;
    store.record_message(&message(1, 0, 3)).await.unwrap();
    store
}

pub async fn messages(store: &SqliteState) -> u64 {
    let stacks = store.stacks_by_id(&[stack(1)]).await.unwrap();
    stacks[0].num_total_messages
}

/// A database with a backup, and with one message more than that.
pub async fn backed_up(database: &Database) -> (SqliteState, PathBuf) {
    let store = with_a_stack(database).await;
    let backup = backup_of(database);
    back_up(&database.path(), &backup).await.unwrap();
    store.record_message(&message(1, 1, 3)).await.unwrap();
    (store, backup)
}

/// How many messages the database has that a restore kept in that folder.
pub async fn kept_messages(folder: &Path) -> u64 {
    let kept = SqliteState::open(folder.join("state.sqlite"), StateOptions::default()).await;
    let kept = kept.unwrap();
    let kept_messages = messages(&kept).await;
    kept.close().await;
    kept_messages
}

pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What was answered before the backup began is in it, though the database is written all the time.
#[tokio::test]
async fn a_backup_holds_all_that_was_answered_before() {
    let database = Database::new();
    let store = with_a_stack(&database).await;
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            for number in 1..200 {
                store.record_message(&message(1, number, 3)).await.unwrap();
            }
        }
    });
    let mut before = 0;
    while before < 20 {
        before = messages(&store).await;
        tokio::task::yield_now().await;
    }
    let backup = backup_of(&database);
    let contents = back_up(&database.path(), &backup).await.unwrap();
    assert_eq!(contents.served_stacks, 1);
    assert_eq!(contents.bytes, backup.metadata().unwrap().len());
    writer.await.unwrap();
    assert_eq!(messages(&store).await, 200);
    let options = StateOptions {
        access: Access::ReadOnly,
        ..StateOptions::default()
    };
    let copy = SqliteState::open(&backup, options).await.unwrap();
    assert!(messages(&copy).await >= before);
    copy.close().await;
    store.close().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_private_and_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let database = Database::new();
    with_a_stack(&database).await.close().await;
    let backup = backup_of(&database);
    back_up(&database.path(), &backup).await.unwrap();
    let mode = backup.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut left = names(backup.parent().unwrap());
    left.retain(|name| !name.starts_with("state.sqlite"));
    assert_eq!(left, ["backup.sqlite"]);
}

#[tokio::test]
async fn a_backup_overwrites_nothing() {
    let database = Database::new();
    with_a_stack(&database).await.close().await;
    let backup = backup_of(&database);
    std::fs::write(&backup, "precious").unwrap();
    let refused = back_up(&database.path(), &backup).await.unwrap_err();
    assert!(matches!(refused, BackupError::Exists { .. }), "{refused}");
    assert_eq!(std::fs::read_to_string(&backup).unwrap(), "precious");
    assert_eq!(names(backup.parent().unwrap()).len(), 3);
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_not_created() {
    let database = Database::new();
    let folder = database.path().parent().unwrap().to_owned();
    std::fs::create_dir(&folder).unwrap();
    let refused = back_up(&database.path(), &backup_of(&database)).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, BackupError::Open(OpenError::NotMigrated { .. })),
        "{refused}"
    );
    assert_eq!(names(&folder), [""; 0]);
}

#[tokio::test]
async fn a_restore_puts_back_what_was_saved_and_keeps_what_was_there() {
    let database = Database::new();
    let (store, backup) = backed_up(&database).await;
    store.close().await;

    let refused = restore(&backup, &database.path(), false).await.unwrap_err();
    assert!(matches!(refused, BackupError::Replaces { .. }), "{refused}");
    let restored = restore(&backup, &database.path(), true).await.unwrap();
    assert_eq!(restored.contents, verify(&backup).await.unwrap());
    let store = database.open().await;
    assert_eq!(messages(&store).await, 1);
    store.close().await;
    assert_eq!(kept_messages(&restored.kept_in.unwrap()).await, 2);
    // The second time into a folder of its own.
    let again = restore(&backup, &database.path(), true).await.unwrap();
    assert!(again.kept_in.unwrap().ends_with("before-restore-2"));
}

/// The log of what was there before belongs to it: beside the restored file SQLite would apply it.
#[tokio::test]
async fn a_crashed_database_is_kept_with_its_log() {
    let database = Database::new();
    let (store, backup) = backed_up(&database).await;
    let crashed = database.after_crash();
    store.close().await;
    let restored = restore(&backup, &crashed.path(), true).await.unwrap();
    let store = crashed.open().await;
    assert_eq!(messages(&store).await, 1);
    store.close().await;
    assert_eq!(kept_messages(&restored.kept_in.unwrap()).await, 2);
}

/// The same with the journal of an interrupted migration: SQLite would put old pages into the restored file.
#[tokio::test]
async fn a_database_interrupted_in_a_migration_is_kept_with_its_journal() {
    let database = Database::new();
    let (store, backup) = backed_up(&database).await;
    store.close().await;
    let before = database.dump().await;
    let crashed = database.after_interrupted_migration().await;
    let restored = restore(&backup, &crashed.path(), true).await.unwrap();
    let store = crashed.open().await;
    assert_eq!(messages(&store).await, 1);
    store.close().await;
    let kept = restored.kept_in.unwrap().join("state.sqlite");
    assert_eq!(dump_of(&kept).await, before);
}

/// `systemctl stop` needs the superuser, so the superuser restores. The daemon runs as the folder's owner.
#[cfg(unix)]
#[tokio::test]
async fn what_the_superuser_restores_is_the_folders_owners() {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let database = Database::new();
    with_a_stack(&database).await.close().await;
    let source = tempfile::tempdir().unwrap();
    let backup = source.path().join("backup.sqlite");
    back_up(&database.path(), &backup).await.unwrap();
    let folder = database.path().parent().unwrap().to_owned();
    std::fs::remove_file(folder.join("state.sqlite-lock")).unwrap();
    // Refused unless the superuser runs the test. Then the folder's owner is who runs it.
    let give = |path: &Path| chown(path, Some(12_345), Some(23_456)).is_ok();
    let given = give(&folder);
    for name in names(&folder) {
        assert_eq!(give(&folder.join(name)), given);
    }
    let owner_of = |path: &Path| {
        let metadata = path.symlink_metadata().unwrap();
        (metadata.uid(), metadata.gid())
    };
    let owner = owner_of(&folder);
    let restored = restore(&backup, &database.path(), true).await.unwrap();
    let kept_in = restored.kept_in.unwrap();
    for path in [folder.clone(), kept_in.clone()] {
        for name in names(&path) {
            assert_eq!(owner_of(&path.join(&name)), owner, "{name}");
        }
    }
    assert!(kept_in.join("state.sqlite").exists());
    // A database that the superuser creates there, too.
    std::fs::remove_file(database.path()).unwrap();
    database.open().await.close().await;
    assert_eq!(owner_of(&database.path()), owner);
}

#[tokio::test]
async fn nothing_is_restored_into_an_open_database() {
    let database = Database::new();
    let store = with_a_stack(&database).await;
    let backup = backup_of(&database);
    back_up(&database.path(), &backup).await.unwrap();
    let refused = restore(&backup, &database.path(), true).await.unwrap_err();
    assert!(matches!(refused, BackupError::InUse { .. }), "{refused}");
    assert_eq!(messages(&store).await, 1);
    store.close().await;
}

/// An empty log or shared memory that a reader left is no database, and is not kept as one.
#[tokio::test]
async fn what_holds_no_data_is_replaced_without_being_asked_for() {
    let database = Database::new();
    with_a_stack(&database).await.close().await;
    let backup = backup_of(&database);
    back_up(&database.path(), &backup).await.unwrap();
    let folder = database.path().parent().unwrap().to_owned();
    std::fs::remove_file(database.path()).unwrap();
    for (name, content) in [("-wal", ""), ("-shm", "index"), ("-journal", "")] {
        std::fs::write(folder.join(format!("state.sqlite{name}")), content).unwrap();
    }
    let restored = restore(&backup, &database.path(), false).await.unwrap();
    assert_eq!(restored.kept_in, None);
    assert_eq!(
        names(&folder),
        ["backup.sqlite", "state.sqlite", "state.sqlite-lock"]
    );
    database.open().await.close().await;
    // A log that holds something may be all that is left of a database.
    std::fs::remove_file(database.path()).unwrap();
    std::fs::write(folder.join("state.sqlite-wal"), "frames").unwrap();
    let refused = restore(&backup, &database.path(), false).await.unwrap_err();
    assert!(matches!(refused, BackupError::Replaces { .. }), "{refused}");
}

#[tokio::test]
async fn what_is_no_whole_backup_is_not_restored() {
    let database = Database::new();
    let store = with_a_stack(&database).await;
    for number in 1..300 {
        store.record_message(&message(1, number, 3)).await.unwrap();
    }
    store.close().await;
    let backup = backup_of(&database);
    back_up(&database.path(), &backup).await.unwrap();
    let whole = std::fs::read(&backup).unwrap();
    let refused = async |content: &[u8]| {
        std::fs::write(&backup, content).unwrap();
        let refused = restore(&backup, &database.path(), true).await.unwrap_err();
        let database = database.open().await;
        assert_eq!(messages(&database).await, 300);
        database.close().await;
        let sentence = with_causes(&refused);
        assert!(sentence.contains("backup.sqlite"), "{sentence}");
        assert!(!sentence.contains(".atoma-restore"), "{sentence}");
        assert!(sentence.matches("malformed").count() <= 1, "{sentence}");
        sentence
    };
    assert!(refused(b"").await.contains("is empty"));
    assert!(refused(b"Dear diary").await.contains("not a database"));
    let mut damaged = whole.clone();
    let page = damaged.len() - 4096;
    damaged[page..].fill(0xee);
    let sentence = refused(&damaged).await;
    assert!(sentence.contains("damaged"), "{sentence}");
    let sentence = refused(&whole[..whole.len() / 2]).await;
    assert!(sentence.contains("damaged"), "{sentence}");
    // A file copied from under a running daemon.
    let log = backup.with_file_name("backup.sqlite-wal");
    std::fs::write(&log, "frames").unwrap();
    assert!(refused(&whole).await.contains("write-ahead log"));
    std::fs::remove_file(log).unwrap();
    // A file copied from one whose migration was interrupted.
    let journal = backup.with_file_name("backup.sqlite-journal");
    std::fs::write(&journal, "pages").unwrap();
    assert!(refused(&whole).await.contains("rollback journal"));
    std::fs::remove_file(journal).unwrap();
    std::fs::remove_file(&backup).unwrap();
    let folder = backup.parent().unwrap();
    let refused = restore(folder, &database.path(), true).await.unwrap_err();
    assert!(
        refused.to_string().contains("it is not a file"),
        "{refused}"
    );
    let missing = restore(&backup, &database.path(), true).await.unwrap_err();
    assert!(matches!(missing, BackupError::Missing { .. }), "{missing}");
    let store = database.open().await;
    assert_eq!(store.unreadable().await.unwrap(), [""; 0]);
    store.close().await;
}

/// A bit flips where SQLite can't see it, and the record would settle with a false root.
#[tokio::test]
async fn a_record_that_contradicts_itself_is_neither_settled_nor_saved_nor_restored() {
    let database = Database::new();
    let (store, backup) = backed_up(&database).await;
    assert_eq!(store.find_damage().await.unwrap(), None);
    let flip = "UPDATE work_records SET peaks = zeroblob(length(peaks))";
    database.run(flip).await.unwrap();

    let is_named = |reason: &str| reason.contains("work_records.merkle_root of row 1");
    let inputs = store.settlement_inputs(stack(1)).await;
    assert!(is_named(&inputs.unwrap_err().to_string()));
    let recorded = store.record_message(&message(1, 2, 3)).await;
    assert!(is_named(&recorded.unwrap_err().to_string()));
    let found = store.find_damage().await.unwrap();
    assert!(is_named(&found.unwrap()));
    let second = backup.with_file_name("second.sqlite");
    let saved = back_up(&database.path(), &second).await;
    assert!(is_named(&saved.unwrap_err().to_string()));
    assert!(!second.exists());
    store.close().await;

    let damaged = database.path();
    let target = damaged.with_file_name("other.sqlite");
    let restored = restore(&damaged, &target, false).await;
    assert!(is_named(&restored.unwrap_err().to_string()));
}
