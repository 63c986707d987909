//! Live events: what is told, how a stream resumes, and when it ends.

use reqwest::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, COOKIE, RETRY_AFTER, SET_COOKIE,
};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::process::in_time;
use crate::support::{Api, TestWorld, answer, assert_refused};

/// A stream as a browser reads it.
struct Events {
    response: Response,
    unread: String,
}

/// An event of a stream.
#[derive(Debug)]
struct Told {
    name: String,
    id: String,
    data: Value,
}

impl Told {
    /// Whether it tells of an event of the contract of that kind.
    fn has(&self, kind: &str) -> bool {
        let kinds = self.data["kinds"].as_array();
        kinds.is_some_and(|kinds| kinds.iter().any(|known| known == kind))
    }
}

impl Events {
    async fn open(api: &Api, last: Option<&str>) -> Self {
        let mut request = api.request(Method::GET, "/events/stream");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        Self::of(request.send().await.unwrap())
    }

    fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        Self {
            response,
            unread: String::new(),
        }
    }

    /// The next event; `None` once the stream has ended in good order.
    async fn next(&mut self) -> Option<Told> {
        in_time(async {
            loop {
                if let Some((text, rest)) = self.unread.split_once("\n\n") {
                    let field = |name: &str| {
                        let mut lines = text.lines();
                        lines.find_map(|line| Some(line.strip_prefix(name)?.to_owned()))
                    };
                    let told = field("event: ").map(|name| Told {
                        name,
                        id: field("id: ").unwrap(),
                        data: serde_json::from_str(&field("data: ").unwrap()).unwrap(),
                    });
                    self.unread = rest.to_owned();
                    if told.is_some() {
                        return told;
                    }
                    continue;
                }
                let bytes = self.response.chunk().await.unwrap()?;
                self.unread.push_str(std::str::from_utf8(&bytes).unwrap());
            }
        })
        .await
    }

    /// The next event that is wanted.
    async fn until(&mut self, wanted: impl Fn(&Told) -> bool) -> Told {
        loop {
            let told = self.next().await.unwrap();
            assert_ne!(told.name, "reset");
            if wanted(&told) {
                return told;
            }
        }
    }

    /// Reads until the end.
    async fn ended(mut self) {
        while self.next().await.is_some() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_what_to_read_again_and_resumes() {
    let mut world = TestWorld::unregistered().await;
    let request = world.api.request(Method::GET, "/events/stream");
    let response = request.header(ACCEPT_ENCODING, "gzip").send().await;
    let response = response.unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
    assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[CONTENT_ENCODING], "identity");
    let mut events = Events::of(response);
    assert_eq!(events.next().await.unwrap().name, "reset");
    world.register().await;
    let (mut transactions, mut applied) = (false, None);
    while !transactions || applied.is_none() {
        let told = events.next().await.unwrap();
        transactions |= told.name == "transactions";
        // What the world began with may come first, or in the same event.
        if told.name == "applied" && told.has("NodeRegisteredEvent") {
            applied = Some(told);
        }
    }
    drop(events);
    let applied = applied.unwrap();
    let task = world.new_task(0);
    let mut back = Events::open(&world.api, Some(&applied.id)).await;
    back.until(|told| told.has("TaskRegisteredEvent")).await;
    world.subscribe(world.nodes[0], task, 1).await;
    let stack = world.buy_one(task, world.nodes[0], 1_000, 1).await;
    let told = back
        .until(|told| told.data["stack_small_ids"] == json!([stack]))
        .await;
    assert_eq!(told.data["is_partial"], false);
    assert!(told.has("StackCreatedEvent"));
    back.until(|told| told.name == "status").await;
    let other_run = Events::open(&world.api, Some("0123-4")).await.next().await;
    assert_eq!(other_run.unwrap().name, "reset");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_only_so_many_streams() {
    let world = TestWorld::unregistered().await;
    let mut streams = Vec::new();
    for _ in 0..32 {
        let mut events = Events::open(&world.api, None).await;
        assert_eq!(events.next().await.unwrap().name, "reset");
        streams.push(events);
    }
    let refused = world.api.request(Method::GET, "/events/stream");
    let response = refused.send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    assert_eq!(response.json::<Value>().await.unwrap()["code"], "busy");
    // The others go on, and the daemon answers.
    assert_eq!(world.get("/nodes").await, (200, json!([])));
    drop(streams.pop());
    let freed = async {
        loop {
            let request = world.api.request(Method::GET, "/events/stream");
            if request.send().await.unwrap().status() == 200 {
                return;
            }
        }
    };
    in_time(freed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_streams_in_good_order() {
    let mut world = TestWorld::unregistered().await;
    let mut events = Events::open(&world.api, None).await;
    assert_eq!(events.next().await.unwrap().name, "reset");
    in_time(world.stop()).await;
    events.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_session() {
    let mut world = TestWorld::unregistered().await;
    let secret = "the-operating-secret-of-16-and-more";
    std::fs::write(world.dir.path().join("owner.token"), secret).unwrap();
    world
        .restart_with("[[tokens]]\nname = \"owner\"\nscope = \"operate\"\nfile = \"owner.token\"")
        .await;
    let api = &world.api;
    let stream = || api.request(Method::GET, "/events/stream");
    assert_refused(&answer(stream()).await, 401, "unauthorized");
    let sign_in = api.request(Method::POST, "/session");
    let signed_in = sign_in.json(&json!({"token": secret})).send().await;
    let cookie = signed_in.unwrap().headers()[SET_COOKIE].clone();
    let cookie = cookie
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let mut by_session = Events::of(stream().header(COOKIE, &cookie).send().await.unwrap());
    assert_eq!(by_session.next().await.unwrap().name, "reset");
    let mut by_token = Events::of(stream().bearer_auth(secret).send().await.unwrap());
    assert_eq!(by_token.next().await.unwrap().name, "reset");
    let sign_out = api.request(Method::DELETE, "/session");
    let sign_out = sign_out.header(COOKIE, &cookie).header("X-Atoma-Page", "1");
    assert_eq!(answer(sign_out).await.0, 200);
    by_session.ended().await;
    assert_refused(
        &answer(stream().header(COOKIE, &cookie)).await,
        401,
        "unauthorized",
    );
    // The other goes on.
    let refreshed = api.request(Method::POST, "/register").bearer_auth(secret);
    assert_eq!(answer(refreshed.json(&json!({}))).await.0, 200);
    by_token.until(|told| told.name == "transactions").await;
}
