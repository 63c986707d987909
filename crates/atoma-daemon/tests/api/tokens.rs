//! Bearer tokens: who may read and write, and what happens when the files change.

use std::path::Path;

use atoma_localnet::{LocalNet, LocalNetConfig};
use reqwest::header::{COOKIE, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use reqwest::{Method, Response};
use serde_json::json;
use tempfile::TempDir;

use crate::support::process::{Process, program as program_command};
use crate::support::{
    ADDRESS, Answer, Api, TestWorld, answer, assert_refused, configure, described,
    write_operator_files,
};

const OLD: &str = "the-old-secret-of-16-and-more";
const NEW: &str = "the-new-secret-of-16-and-more";
const READ: &str = "the-read-secret-of-16-and-more";

/// Two tokens that operate, and one that reads.
const TOKENS: &str = r#"
[[tokens]]
name = "old"
scope = "operate"
file = "old.token"
[[tokens]]
name = "new"
scope = "operate"
file = "new.token"
[[tokens]]
name = "monitoring"
scope = "read"
file = "read.token"
"#;

fn write_tokens(dir: &Path) {
    for (name, value) in [("old", OLD), ("new", NEW), ("read", READ)] {
        std::fs::write(dir.join(format!("{name}.token")), format!("{value}\n")).unwrap();
    }
}

async fn world(settings: &str) -> TestWorld {
    let mut world = TestWorld::unregistered().await;
    write_tokens(world.dir.path());
    world.restart_with(&format!("{settings}{TOKENS}")).await;
    world
}

/// Sends a request with a token, and checks the answer against the document.
async fn with(api: &Api, token: Option<&str>, method: Method, path: &str) -> Answer {
    let mut request = api.request(method.clone(), path);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if method == Method::POST {
        request = request.json(&json!({}));
    }
    let (status, body) = answer(request).await;
    described::assert_described(&method, path, status, &body);
    assert!(!body.to_string().contains("secret"), "{body}");
    (status, body)
}

fn challenge(response: &Response) -> &str {
    response.headers()[WWW_AUTHENTICATE].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_token_allows_what_its_scope_says_and_nobody_else_anything() {
    let world = world("").await;
    let api = &world.api;
    for token in [Some(OLD), Some(NEW), Some(READ)] {
        assert_eq!(with(api, token, Method::GET, "/tasks").await.0, 200);
    }
    for token in [None, Some("of-nobody-the-secret-token"), Some("")] {
        for (method, path) in [
            (Method::GET, "/tasks"),
            (Method::POST, "/register"),
            (Method::GET, "/ready"),
            (Method::GET, "/nowhere"),
            (Method::PUT, "/health"),
        ] {
            let refused = with(api, token, method, path).await;
            assert_refused(&refused, 401, "unauthorized");
        }
    }
    let missing = api.request(Method::GET, "/tasks").send().await.unwrap();
    assert_eq!(challenge(&missing), "Bearer");
    let refused = with(api, Some(READ), Method::POST, "/register").await;
    assert_refused(&refused, 403, "insufficient_scope");
    assert!(
        refused.1["error"]
            .as_str()
            .unwrap()
            .contains("`monitoring`")
    );
    let refused = with(api, Some(READ), Method::DELETE, "/reservations?holder=a").await;
    assert_refused(&refused, 403, "insufficient_scope");
    // Both of them operate while clients change from one to the other.
    let registered = with(api, Some(OLD), Method::POST, "/register").await;
    assert_eq!(registered.0, 200, "{registered:?}");
    let again = with(api, Some(NEW), Method::POST, "/register").await;
    assert_refused(&again, 409, "already_registered");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_the_documentation_need_no_token() {
    let world = world("").await;
    for path in [
        "/health",
        "/openapi.json",
        "/swagger-ui",
        "/swagger-ui/",
        "/swagger-ui/swagger-ui-bundle.js",
    ] {
        let response = world.api.request(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
    let refused = with(&world.api, None, Method::POST, "/swagger-ui/").await;
    assert_refused(&refused, 401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn open_reads_open_no_writes() {
    let world = world("open_reads = true").await;
    let api = &world.api;
    assert_eq!(with(api, None, Method::GET, "/tasks").await.0, 200);
    let refused = with(api, None, Method::POST, "/register").await;
    assert_refused(&refused, 401, "unauthorized");
    let wrong = with(
        api,
        Some("of-nobody-the-secret-token"),
        Method::GET,
        "/tasks",
    )
    .await;
    assert_refused(&wrong, 401, "unauthorized");
}

/// Minutes pass faster than any of these buckets gets a second request.
#[tokio::test(flavor = "multi_thread")]
async fn each_caller_has_its_own_limits_and_failures_share_one() {
    let world = world(
        "open_reads = true\n[rate_limits]\nreads_per_minute = 1\nwrites_per_minute = 1\nfailures_per_minute = 1\n",
    )
    .await;
    let api = &world.api;
    let wrong = Some("of-nobody-the-secret-token");
    for (token, method, path, first) in [
        (Some(OLD), Method::GET, "/tasks", 200),
        (Some(OLD), Method::POST, "/register", 200),
        (Some(NEW), Method::GET, "/tasks", 200),
        (Some(READ), Method::GET, "/tasks", 200),
        (None, Method::GET, "/tasks", 200),
        (wrong, Method::GET, "/tasks", 401),
    ] {
        let answered = with(api, token, method.clone(), path).await;
        assert_eq!(answered.0, first, "{token:?} {path}: {}", answered.1);
        let refused = with(api, token, method, path).await;
        assert_refused(&refused, 429, "rate_limited");
    }
    // Whatever fails is counted together, and says no more what is wrong.
    for (token, method) in [
        (None, Method::POST),
        (Some(READ), Method::POST),
        (wrong, Method::GET),
    ] {
        let refused = with(api, token, method, "/register").await;
        assert_refused(&refused, 429, "rate_limited");
    }
    // The public pages count as reads without a token, and health as nothing.
    let viewer = with(api, None, Method::GET, "/openapi.json").await;
    assert_refused(&viewer, 429, "rate_limited");
    for _ in 0..3 {
        assert_eq!(with(api, None, Method::GET, "/health").await.0, 200);
    }
    let request = api.request(Method::GET, "/tasks").bearer_auth(OLD);
    let limited = request.send().await.unwrap();
    let after = limited.headers()[RETRY_AFTER].to_str().unwrap();
    assert!((1..=60).contains(&after.parse::<u64>().unwrap()), "{after}");
}

/// The program with an unregistered operator and the tokens.
async fn program() -> (LocalNet, TempDir) {
    let network = LocalNet::start(LocalNetConfig::default()).await.unwrap();
    let operator = ADDRESS.parse().unwrap();
    network
        .faucet_coins(operator, &[10_000_000_000; 3])
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    write_operator_files(&network, dir.path());
    write_tokens(dir.path());
    configure(dir.path(), TOKENS);
    (network, dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_takes_up_changed_tokens_and_keeps_the_old_ones_if_they_are_wrong() {
    let (_network, dir) = program().await;
    let mut process = Process::start(dir.path());
    let api = process.api.clone();
    let status = async |token| with(&api, Some(token), Method::GET, "/tasks").await.0;
    assert_eq!(status(OLD).await, 200);

    std::fs::write(dir.path().join("old.token"), "short-secret").unwrap();
    process.reload("can't reload");
    assert_eq!(status(OLD).await, 200);

    let later = "a-later-secret-of-16-and-more";
    std::fs::write(dir.path().join("old.token"), later).unwrap();
    process.reload("reloaded");
    assert_eq!(status(OLD).await, 401);
    assert_eq!(status(later).await, 200);
    assert_eq!(status(NEW).await, 200);

    // Entries may come and go too, but the last one stays.
    let file = dir.path().join("daemon.toml");
    let all = std::fs::read_to_string(&file).unwrap();
    configure(dir.path(), "tokens = []");
    process.reload("can't reload");
    assert_eq!(status(NEW).await, 200);
    std::fs::write(
        &file,
        all.replace("\"new.token\"", "\"old.token\"")
            .replace("\"old\"", "\"x\""),
    )
    .unwrap();
    process.reload("can't reload");
    configure(
        dir.path(),
        "[[tokens]]\nname = \"only\"\nscope = \"read\"\nfile = \"new.token\"\n[rate_limits]\nreads_per_minute = 1",
    );
    process.reload("reloaded");
    assert_eq!(status(NEW).await, 200);
    assert_eq!(status(NEW).await, 429);
    assert_eq!(status(later).await, 401);
    let refused = with(&api, Some(NEW), Method::POST, "/register").await;
    assert_refused(&refused, 403, "insufficient_scope");

    let log = process.kill().join("\n");
    assert!(
        log.contains("`tokens` has the token `old`, which has 12 characters"),
        "{log}"
    );
    assert!(!log.contains("secret"), "{log}");
}

/// Signs in as a browser does, and returns the cookie.
async fn sign_in(api: &Api, token: &str) -> String {
    let request = api.request(Method::POST, "/session");
    let response = request.json(&json!({"token": token})).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let cookie = response.headers()[SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_token_and_is_told_under_its_name() {
    let (_network, dir) = program().await;
    let mut process = Process::start(dir.path());
    let api = process.api.clone();
    let [old, new] = [sign_in(&api, OLD).await, sign_in(&api, NEW).await];
    let status = async |cookie: &str| {
        let request = api.request(Method::GET, "/tasks").header(COOKIE, cookie);
        answer(request).await.0
    };
    assert_eq!((status(&old).await, status(&new).await), (200, 200));
    let request = api.request(Method::DELETE, "/reservations?holder=worker-7");
    let request = request.header(COOKIE, &old).header("X-Atoma-Page", "1");
    assert_eq!(answer(request).await.0, 200);
    std::fs::write(
        dir.path().join("old.token"),
        "a-later-secret-of-16-and-more",
    )
    .unwrap();
    process.reload("reloaded");
    assert_eq!((status(&old).await, status(&new).await), (401, 200));
    let log = process.kill();
    assert_eq!(
        audit(&log),
        [
            "write caller=\"old\" method=POST path=\"/session\" status=200",
            "write caller=\"new\" method=POST path=\"/session\" status=200",
            "write caller=\"old\" method=DELETE path=\"/reservations\" holder=\"worker-7\" status=200",
        ]
    );
    let value = |cookie: &str| cookie.split_once('=').unwrap().1.to_owned();
    let log = log.join("\n");
    assert!(!log.contains(&value(&old)) && !log.contains("secret"));
}

/// The proxy's other side is the whole network.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_without_tokens_is_refused_at_start_in_checks_and_at_a_reload() {
    let (_network, dir) = program().await;
    let file = dir.path().join("daemon.toml");
    configure(dir.path(), "tokens = []");
    let mut process = Process::start(dir.path());
    configure(dir.path(), "tokens = []\nbehind_proxy = true");
    let why = "`behind_proxy` lets other machines in, so clients must have a token";
    process.reload("can't reload");
    for command in [&["serve"][..], &["config", "check"]] {
        let ended = program_command()
            .args(command)
            .arg("--config")
            .arg(&file)
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(3), "{command:?}");
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(said.contains(why), "{said}");
    }
    let log = process.kill().join("\n");
    assert!(log.contains(why), "{log}");
}

/// What is told about writes, without the times.
fn audit(log: &[String]) -> Vec<&str> {
    let told = log
        .iter()
        .filter_map(|line| line.split_once("atoma::audit: "));
    told.map(|(_, told)| told).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_told_with_who_sent_it() {
    let (_network, dir) = program().await;
    let process = Process::start(dir.path());
    let api = process.api.clone();
    let register = async |token| with(&api, Some(token), Method::POST, "/register").await;
    let registered = register(OLD).await;
    assert_eq!(registered.0, 200, "{}", registered.1);
    assert_refused(&register(NEW).await, 409, "already_registered");
    assert_refused(&register(READ).await, 403, "insufficient_scope");
    assert_eq!(with(&api, Some(READ), Method::GET, "/tasks").await.0, 200);
    let request = api.request(Method::POST, "/register").bearer_auth(NEW);
    assert_refused(&answer(request.body("{")).await, 415, "not_json");
    let request = api.request(Method::POST, "/reservations").bearer_auth(NEW);
    let answered = answer(request.json(&json!({"holder": "a-secret"}))).await;
    assert_refused(&answered, 400, "invalid_request");
    let release = api.request(Method::DELETE, "/reservations?holder=worker-7");
    assert_eq!(answer(release.bearer_auth(OLD)).await.0, 200);
    let unusable = format!("/reservations?holder={}", "x".repeat(129));
    let release = api.request(Method::DELETE, &unusable).bearer_auth(OLD);
    assert_refused(&answer(release).await, 400, "invalid_request");
    let log = process.kill();
    let told = audit(&log);
    let write = |caller: &str, rest: &str| {
        format!("write caller=\"{caller}\" method=POST path=\"/register\" {rest}")
    };
    assert!(
        told[0].starts_with(&write("old", "status=200 transactions=\"")),
        "{told:?}"
    );
    assert_eq!(
        told[1..4],
        [
            write("new", "status=409 code=\"already_registered\""),
            write("monitoring", "status=403 code=\"insufficient_scope\""),
            write("new", "status=415 code=\"not_json\""),
        ]
    );
    assert_eq!(
        told[5..],
        [
            "write caller=\"old\" method=DELETE path=\"/reservations\" holder=\"worker-7\" status=200",
            "write caller=\"old\" method=DELETE path=\"/reservations\" status=400 code=\"invalid_request\"",
        ]
    );
    assert!(!log.join("\n").contains("secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_loopback_the_program_needs_a_token_and_encryption() {
    let (_network, dir) = program().await;
    let file = dir.path().join("daemon.toml");
    let with_tokens = std::fs::read_to_string(&file).unwrap();
    let refusal = |settings: &str| {
        std::fs::write(&file, &with_tokens).unwrap();
        configure(dir.path(), settings);
        let ended = program_command()
            .args(["serve", "--http-addr", "0.0.0.0:0", "--config"])
            .arg(&file)
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(3));
        String::from_utf8(ended.stderr).unwrap()
    };
    let said = refusal("tokens = []\nbehind_proxy = true");
    assert!(
        said.contains("`http_addr` is not a loopback address, so clients must have a token"),
        "{said}"
    );
    let said = refusal("");
    assert!(
        said.contains("connections must be encrypted: set `tls.cert_file`"),
        "{said}"
    );
}
