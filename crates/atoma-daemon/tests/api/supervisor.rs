//! What systemd is told, by its own protocol.

use std::io::ErrorKind;
use std::net::TcpListener;
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

/// systemd takes a daemon that is ready as started, and starts what depends on it.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_before_the_start_has_finished_makes_nothing_ready() {
    let mut world = TestWorld::start(&[NONE], 1).await;
    world.stop().await;
    // A Sui node that takes connections and answers nothing: the start waits for it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let file = world.dir.path().join("daemon.toml");
    let mut config: toml::Table = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let sui = config["sui"].as_table_mut().unwrap();
    sui.insert("rpc_url".to_owned(), url.into());
    std::fs::write(&file, config.to_string()).unwrap();
    let path = world.dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut command = serve(world.dir.path());
    command.env("NOTIFY_SOCKET", &path);
    let mut daemon = Process::run_until(command, "listening addr=");
    daemon.reload("reloaded the tokens");
    // Whatever is told of a reload is told before it is logged.
    let told = socket.recv(&mut [0; 1024]).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::WouldBlock);
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
