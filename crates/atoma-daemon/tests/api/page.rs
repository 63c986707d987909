//! The operator's page: files that anybody may load, and a session for its requests.

use reqwest::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    COOKIE, ETAG, IF_NONE_MATCH, ORIGIN, SET_COOKIE,
};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::described::assert_described;
use crate::support::{Answer, Api, TestWorld, answer, assert_refused};

const OPERATE: &str = "the-operating-secret-of-16-and-more";
const READ: &str = "the-reading-secret-of-16-and-more";

const TOKENS: &str = r#"
[[tokens]]
name = "owner"
scope = "operate"
file = "owner.token"
[[tokens]]
name = "monitoring"
scope = "read"
file = "read.token"
"#;

fn write_tokens(dir: &std::path::Path) {
    std::fs::write(dir.join("owner.token"), OPERATE).unwrap();
    std::fs::write(dir.join("read.token"), READ).unwrap();
}

async fn world(settings: &str) -> TestWorld {
    let mut world = TestWorld::unregistered().await;
    write_tokens(world.dir.path());
    world.restart_with(&format!("{settings}{TOKENS}")).await;
    world
}

async fn load(api: &Api, path: &str, encodings: &str, known: Option<&str>) -> Response {
    let mut request = api.request(Method::GET, path);
    request = request.header(ACCEPT_ENCODING, encodings);
    if let Some(known) = known {
        request = request.header(IF_NONE_MATCH, known);
    }
    request.send().await.unwrap()
}

fn header(response: &Response, name: impl reqwest::header::AsHeaderName) -> &str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_loaded_without_a_token_from_the_daemon_alone() {
    let world = world("").await;
    let api = &world.api;
    let page = load(api, "/", "identity", None).await;
    assert_eq!(page.status(), 200);
    assert_eq!(header(&page, CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(header(&page, CACHE_CONTROL), "no-cache");
    let policy = header(&page, CONTENT_SECURITY_POLICY);
    for part in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(header(&page, "referrer-policy"), "no-referrer");
    assert_eq!(header(&page, "cross-origin-opener-policy"), "same-origin");
    let html = page.text().await.unwrap();
    // Whatever it loads is there.
    let parts: Vec<_> = html.split(['"', '\'']).collect();
    for part in parts
        .into_iter()
        .filter(|part| part.ends_with(".js") || part.ends_with(".css"))
    {
        let path = format!("/{}", part.trim_start_matches("./").trim_start_matches('/'));
        let loaded = load(api, &path, "gzip", None).await;
        assert_eq!(loaded.status(), 200, "{path}");
        assert_eq!(header(&loaded, CONTENT_ENCODING), "gzip", "{path}");
    }
    let nowhere = load(api, "/no-file.js", "identity", None).await;
    assert_eq!(nowhere.status(), 401);
    let posted = api.request(Method::POST, "/").bearer_auth(OPERATE);
    assert_refused(&answer(posted).await, 405, "method_not_allowed");
    let foreign = api.request(Method::GET, "/").header("Host", "evil.example");
    assert_refused(&answer(foreign).await, 403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_again_only_if_it_has_changed() {
    let world = TestWorld::unregistered().await;
    let api = &world.api;
    let mut tags = Vec::new();
    for (encodings, packed) in [
        ("gzip", true),
        ("gzip, deflate, br", true),
        ("identity", false),
    ] {
        let page = load(api, "/", encodings, None).await;
        assert_eq!(page.headers().contains_key(CONTENT_ENCODING), packed);
        let tag = header(&page, ETAG).to_owned();
        assert!(tag.starts_with('"'), "{tag} is strong");
        let unchanged = load(api, "/", encodings, Some(&tag)).await;
        assert_eq!(unchanged.status(), 304);
        assert_eq!(header(&unchanged, ETAG), tag);
        tags.push(tag);
    }
    assert_eq!(tags[0], tags[1]);
    assert_ne!(tags[0], tags[2]);
    let other = load(api, "/", "identity", Some(&tags[0])).await;
    assert_eq!(other.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_turns_the_page_off() {
    let mut world = TestWorld::unregistered().await;
    world.restart_with("page = false").await;
    assert_refused(&world.api.get("/").await, 404, "not_found");
}

/// What a browser sends for the page.
struct Browser<'w> {
    api: &'w Api,
    cookie: Option<String>,
}

impl<'w> Browser<'w> {
    const fn of(api: &'w Api) -> Self {
        Self { api, cookie: None }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.api.request(method, path);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        request
    }

    /// A request of the daemon's own page.
    async fn send(&mut self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self
            .request(method.clone(), path)
            .header("X-Atoma-Page", "1")
            .header("Sec-Fetch-Site", "same-origin");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        if let Some(set) = response.headers().get(SET_COOKIE) {
            let set = set.to_str().unwrap();
            assert!(
                set.contains("; HttpOnly; SameSite=Strict; Path=/;"),
                "{set}"
            );
            let cookie = set.split(';').next().unwrap();
            self.cookie = (!set.contains("Max-Age=0")).then(|| cookie.to_owned());
        }
        let status = response.status().as_u16();
        let body = response.json().await.unwrap();
        assert_described(&method, path, status, &body);
        assert!(!body.to_string().contains("secret"), "{body}");
        (status, body)
    }

    async fn sign_in(&mut self, token: &str) -> Answer {
        self.send(Method::POST, "/session", Some(json!({"token": token})))
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_allows_what_its_token_allows() {
    let world = world("").await;
    let mut browser = Browser::of(&world.api);
    let nobody = json!({"tokens_required": true, "name": null, "scope": null, "expires_at": null});
    assert_eq!(
        browser.send(Method::GET, "/session", None).await,
        (200, nobody.clone())
    );
    let refused = browser.send(Method::GET, "/tasks", None).await;
    assert_refused(&refused, 401, "unauthorized");
    let refused = browser.sign_in("of-nobody-the-secret-token").await;
    assert_refused(&refused, 401, "unauthorized");
    assert_eq!(browser.cookie, None);

    let (status, read) = browser.sign_in(READ).await;
    assert_eq!(
        (status, &read["name"], &read["scope"]),
        (200, &json!("monitoring"), &json!("read"))
    );
    assert!(read["expires_at"].is_string());
    assert!(!browser.cookie.as_ref().unwrap().contains(READ));
    assert_eq!(browser.send(Method::GET, "/tasks", None).await.0, 200);
    let refused = browser
        .send(Method::POST, "/register", Some(json!({})))
        .await;
    assert_refused(&refused, 403, "insufficient_scope");

    let before = browser.cookie.clone().unwrap();
    let (_, operate) = browser.sign_in(OPERATE).await;
    assert_eq!(
        (&operate["name"], &operate["scope"]),
        (&json!("owner"), &json!("operate"))
    );
    assert_eq!(
        browser.send(Method::GET, "/session", None).await.1["name"],
        "owner"
    );
    let registered = browser
        .send(Method::POST, "/register", Some(json!({})))
        .await;
    assert_eq!(registered.0, 200, "{registered:?}");
    let replaced = world
        .api
        .request(Method::GET, "/tasks")
        .header(COOKIE, before);
    assert_refused(&answer(replaced).await, 401, "unauthorized");

    let kept = browser.cookie.clone().unwrap();
    assert_eq!(
        browser.send(Method::DELETE, "/session", None).await,
        (200, nobody.clone())
    );
    assert_eq!(browser.cookie, None);
    let over = world
        .api
        .request(Method::GET, "/tasks")
        .header(COOKIE, &kept);
    assert_refused(&answer(over).await, 401, "unauthorized");
    // The cookie stands for nothing, and is forgotten.
    browser.cookie = Some(kept);
    assert_eq!(
        browser.send(Method::GET, "/session", None).await,
        (200, nobody)
    );
    assert_eq!(browser.cookie, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_page_uses_the_session() {
    let world = world("").await;
    let mut browser = Browser::of(&world.api);
    browser.sign_in(OPERATE).await;
    let page = ("X-Atoma-Page", "1");
    let write = [(Method::POST, "/register")];
    let any = [
        (Method::GET, "/tasks"),
        (Method::GET, "/session"),
        (Method::POST, "/register"),
        (Method::DELETE, "/session"),
    ];
    for (methods, fields) in [
        // Another site, and another program of this machine.
        (
            &any[..],
            &[(ORIGIN.as_str(), "https://evil.example"), page][..],
        ),
        (&any, &[(ORIGIN.as_str(), "http://127.0.0.1:1"), page]),
        (&any, &[("sec-fetch-site", "cross-site"), page]),
        (&any, &[("sec-fetch-site", "same-site"), page]),
        // A form.
        (&write, &[]),
        (&write, &[("sec-fetch-site", "same-origin")]),
    ] {
        for (method, path) in methods {
            let mut request = browser.request(method.clone(), path);
            for (name, value) in fields {
                request = request.header(*name, *value);
            }
            if *method == Method::POST {
                request = request.json(&json!({}));
            }
            let refused = answer(request).await;
            assert_refused(&refused, 403, "forbidden");
        }
    }
    // It has changed nothing, and the page itself goes on.
    assert_eq!(
        browser.send(Method::GET, "/nodes", None).await,
        (200, json!([]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tokens_everything_is_allowed_and_nobody_signs_in() {
    let world = TestWorld::unregistered().await;
    let mut browser = Browser::of(&world.api);
    let all =
        json!({"tokens_required": false, "name": null, "scope": "operate", "expires_at": null});
    assert_eq!(
        browser.send(Method::GET, "/session", None).await,
        (200, all.clone())
    );
    assert_eq!(
        browser.sign_in("whatever-it-may-be").await,
        (200, all.clone())
    );
    assert_eq!(
        browser.send(Method::DELETE, "/session", None).await,
        (200, all)
    );
    assert_eq!(browser.cookie, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_for_those_who_operate_and_has_no_secrets() {
    let world = world("open_reads = true").await;
    let mut browser = Browser::of(&world.api);
    let refused = browser.send(Method::GET, "/configuration", None).await;
    assert_refused(&refused, 401, "unauthorized");
    browser.sign_in(READ).await;
    let refused = browser.send(Method::GET, "/configuration", None).await;
    assert_refused(&refused, 403, "insufficient_scope");
    browser.sign_in(OPERATE).await;
    let (status, body) = browser.send(Method::GET, "/configuration", None).await;
    assert_eq!(status, 200, "{body}");
    let settings = body["settings"].as_array().unwrap();
    let find = |key| {
        settings
            .iter()
            .find(|setting| setting["key"] == key)
            .unwrap()
    };
    assert_eq!(find("page")["value"], "true");
    assert_eq!(find("page")["origin"], "default");
    assert_eq!(find("open_reads")["origin"], "file");
    assert!(find("open_reads")["line"].as_u64().unwrap() > 0);
    assert!(
        find("tokens")["value"]
            .as_str()
            .unwrap()
            .contains("owner.token")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_tells_where_the_money_is() {
    let (world, _) = TestWorld::demo().await;
    let overview = world.get("/overview").await;
    assert_eq!(overview.0, 200, "{}", overview.1);
    let stages = overview.1["pipeline"].as_array().unwrap();
    let names: Vec<_> = stages
        .iter()
        .map(|stage| stage["stage"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["served", "settled", "claimable", "disputed", "claimed"]
    );
    let stacks = stages.iter().map(|stage| stage["stacks"].as_u64().unwrap());
    let all = world.list("/stacks").await.len();
    assert_eq!(stacks.sum::<u64>(), u64::try_from(all).unwrap());
    assert!(all > 0 && stages.iter().all(|stage| stage["amount"].is_u64()));
    assert!(overview.1["gas_balance"].as_u64().unwrap() > 0);
    assert_eq!(overview.1["sui_nodes"].as_array().unwrap().len(), 1);
    assert_eq!(overview.1["lanes"], json!([]));
    for field in [
        "read_at",
        "epoch",
        "epoch_ends_at",
        "checkpoint",
        "database_bytes",
    ] {
        assert!(!overview.1[field].is_null(), "{field}: {}", overview.1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn open_reads_need_no_session() {
    let world = world("open_reads = true").await;
    let mut browser = Browser::of(&world.api);
    assert_eq!(
        browser.send(Method::GET, "/session", None).await.1["scope"],
        "read"
    );
    assert_eq!(browser.send(Method::GET, "/tasks", None).await.0, 200);
}
