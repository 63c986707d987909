//! A restore that was interrupted or failed half-way mixes nothing and loses nothing.

use std::time::Duration;

use atoma_state::backup::{BackupError, back_up, restore};
use atoma_state::{Access, OpenError, SqliteState, StateOptions};

use crate::backups::{backed_up, backup_of, kept_messages, with_a_stack};
use crate::raw::Database;

/// A restore that was interrupted leaves two halves: nobody may go on with them.
#[tokio::test]
async fn an_interrupted_restore_must_be_finished() {
    let database = Database::new();
    with_a_stack(&database).await.close().await;
    let backup = backup_of(&database);
    back_up(&database.path(), &backup).await.unwrap();
    let mark = database.path().with_file_name("state.sqlite-restoring");
    std::fs::write(&mark, "").unwrap();
    for access in [Access::Migrate, Access::Existing, Access::ReadOnly] {
        let options = StateOptions {
            access,
            busy_timeout: Duration::from_millis(50),
            ..StateOptions::default()
        };
        let refused = SqliteState::open(database.path(), options).await;
        let refused = refused.unwrap_err();
        assert!(matches!(refused, OpenError::Restoring { .. }), "{refused}");
    }
    // What is there now was to be replaced already.
    let restored = restore(&backup, &database.path(), false).await.unwrap();
    assert!(restored.kept_in.is_some());
    assert!(!mark.exists());
    database.open().await.close().await;
}

/// What was there before is in one folder, whole, however often the restore was interrupted.
#[tokio::test]
async fn a_continued_restore_goes_on_with_the_folder_that_it_began() {
    let database = Database::new();
    let (store, backup) = backed_up(&database).await;
    // Interrupted after it had moved the first of the files.
    let crashed = database.after_crash();
    store.close().await;
    let (path, folder) = (crashed.path(), crashed.path().parent().unwrap().to_owned());
    let kept_in = folder.join("before-restore-1");
    std::fs::create_dir(&kept_in).unwrap();
    std::fs::rename(&path, kept_in.join("state.sqlite")).unwrap();
    std::fs::write(folder.join("state.sqlite-restoring"), "before-restore-1").unwrap();
    let restored = restore(&backup, &path, false).await.unwrap();
    assert_eq!(restored.kept_in.as_ref(), Some(&kept_in));
    assert_eq!(kept_messages(&kept_in).await, 2);

    // Interrupted after it had put the copy in place: that is not what was there before.
    std::fs::write(folder.join("state.sqlite-restoring"), "before-restore-1").unwrap();
    let restored = restore(&backup, &path, false).await.unwrap();
    assert_eq!(restored.kept_in, Some(kept_in.clone()));
    assert_eq!(kept_messages(&kept_in).await, 2);
    assert!(
        folder
            .join("before-restore-2")
            .join("state.sqlite")
            .exists()
    );
    // A mark that names no such folder.
    for mark in [
        "",
        "..",
        "elsewhere",
        "before-restore-x",
        "before-restore-1/..",
    ] {
        std::fs::write(folder.join("state.sqlite-restoring"), mark).unwrap();
        let restored = restore(&backup, &path, false).await.unwrap();
        let kept_in = restored.kept_in.unwrap();
        assert_eq!(kept_in.parent(), Some(folder.as_path()), "{mark}");
        assert!(!kept_in.ends_with("before-restore-1"), "{mark}");
    }
}

/// Whoever reads the error must not think that nothing has happened.
#[cfg(unix)]
#[tokio::test]
async fn a_restore_that_fails_half_way_says_where_the_database_is() {
    let database = Database::new();
    with_a_stack(&database).await.close().await;
    let backup = backup_of(&database);
    back_up(&database.path(), &backup).await.unwrap();
    // The old database was moved, a copy is in place, and the folder for that copy can't be created.
    let folder = database.path().parent().unwrap().to_owned();
    let kept_in = folder.join("before-restore-1");
    std::fs::create_dir(&kept_in).unwrap();
    std::fs::copy(database.path(), kept_in.join("state.sqlite")).unwrap();
    let mark = folder.join("state.sqlite-restoring");
    std::fs::write(&mark, "before-restore-1").unwrap();
    std::os::unix::fs::symlink("nowhere", folder.join("before-restore-2")).unwrap();
    let failed = restore(&backup, &database.path(), false).await.unwrap_err();
    assert!(
        matches!(&failed, BackupError::Unfinished { kept_in: Some(told), .. } if *told == kept_in),
        "{failed}"
    );
    assert!(failed.to_string().contains("before-restore-1"), "{failed}");
    assert!(mark.exists() && database.path().exists());
    std::fs::remove_file(folder.join("before-restore-2")).unwrap();
    let restored = restore(&backup, &database.path(), false).await.unwrap();
    assert_eq!(restored.kept_in, Some(kept_in));
    assert!(!mark.exists());
}
