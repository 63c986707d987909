//! What systemd is told, by its own protocol.

use std::os::unix::net::UnixDatagram;

use crate::support::process::{PATIENCE, Process, serve};
use crate::support::{NONE, TestWorld};

/// The next message that is no sign of life.
fn message(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 1024];
    loop {
        let length = socket.recv(&mut buffer).unwrap();
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        if text != "WATCHDOG=1\n" {
            return text.to_owned();
        }
    }
}

fn until_alive(socket: &UnixDatagram) {
    let mut buffer = [0; 1024];
    while {
        let length = socket.recv(&mut buffer).unwrap();
        &buffer[..length] != b"WATCHDOG=1\n"
    } {}
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_of_ready_alive_reloading_and_stopping() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    world.stop().await;
    let path = world.dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = serve(world.dir.path());
    command
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "30000")
        .env_remove("WATCHDOG_PID");
    let mut daemon = Process::run(command);
    assert_eq!(message(&socket), "READY=1\nSTATUS=serving\n");
    until_alive(&socket);
    until_alive(&socket);
    daemon.reload("reloaded the tokens");
    let reloading = message(&socket);
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading}"
    );
    assert_eq!(message(&socket), "READY=1\nSTATUS=serving\n");
    daemon.terminate();
    assert_eq!(message(&socket), "STOPPING=1\n");
}
