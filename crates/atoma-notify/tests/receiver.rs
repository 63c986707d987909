//! Webhooks against a receiver that answers as it is scripted, over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test crate")]

use std::sync::Arc;
use std::time::Duration;

use atoma_domain::alarms::{
    Alarm, AlarmEvent, AlarmKey, AlarmKind, AlarmState, Notification, Receiver, Severity, Subject,
};
use atoma_domain::ports::{Clock, Notifier as _, NotifyError};
use atoma_domain::{AlarmId, DeliveryId, TimestampMs};
use atoma_notify::{
    DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, Webhook, WebhookConfig, WebhookError,
    WebhookFormat, sign,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SECRET: &str = "a secret of some length";
/// What must never be shown.
const PATH: &str = "/hooks/T0KEN";

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> TimestampMs {
        TimestampMs::new(1_700_000_000_123)
    }
}

fn config(format: WebhookFormat) -> WebhookConfig {
    let receiver = Receiver {
        name: "ops".to_owned(),
        min_severity: Severity::Warning,
    };
    WebhookConfig::new(receiver, format)
        .source("0xa0")
        .secret(SECRET)
}

fn webhook(config: WebhookConfig) -> Webhook {
    Webhook::new(config, Arc::new(Stopped)).unwrap()
}

fn notification() -> Notification {
    let at = TimestampMs::new(1_000);
    Notification {
        event: AlarmEvent::Fired,
        alarm: Alarm {
            id: AlarmId::new(5),
            key: AlarmKey {
                kind: AlarmKind::GasLow,
                subject: Subject::Daemon,
            },
            state: AlarmState::Firing,
            summary: "little gas".to_owned(),
            deadline: None,
            since: at,
            acknowledged_at: None,
            absent_since: None,
            resolved_at: None,
            told_at: Some(at),
        },
        at,
    }
}

/// A request as it arrived.
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        loop {
            let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
                let request = Self {
                    body: bytes[end + 4..].to_vec(),
                    head,
                };
                let length: usize = request.header("content-length").unwrap().parse().unwrap();
                if request.body.len() == length {
                    return request;
                }
            }
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Sends a message to a receiver that answers so, and returns what it got and what became of it.
async fn exchange(config: WebhookConfig, answer: &str) -> (Request, Result<(), NotifyError>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    let webhook = webhook(config.url(url));
    let receive = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = Request::read(&mut stream).await;
        let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        request
    };
    let notification = notification();
    let sent = webhook.notify(&notification, Some(DeliveryId::new(7)));
    tokio::join!(receive, sent)
}

#[tokio::test]
async fn a_message_is_signed_over_its_time_and_body() {
    let (request, sent) = exchange(config(WebhookFormat::Json), "204 No Content").await;
    assert_eq!(sent, Ok(()));
    assert!(request.head.starts_with(&format!("POST {PATH} HTTP/1.1")));
    assert_eq!(request.header(DELIVERY_HEADER), Some("7"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let timestamp = request.header(TIMESTAMP_HEADER).unwrap();
    assert_eq!(timestamp, "1700000000");
    let expected = sign(SECRET, timestamp.parse().unwrap(), &request.body);
    assert_eq!(request.header(SIGNATURE_HEADER), Some(expected.as_str()));
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["alarm"]["kind"], "gas_low");
    assert!(!String::from_utf8_lossy(&request.body).contains(SECRET));
}

#[tokio::test]
async fn other_services_get_no_signature() {
    let (request, sent) = exchange(config(WebhookFormat::Slack), "200 OK").await;
    assert_eq!(sent, Ok(()));
    assert_eq!(request.header(SIGNATURE_HEADER), None);
}

#[tokio::test]
async fn refusals_say_whether_it_helps_to_try_again() {
    let unavailable = |status, retry_after_s: Option<u64>| NotifyError::Unavailable {
        status,
        retry_after: retry_after_s.map(Duration::from_secs),
    };
    // The clock stands 877 ms before the time that the last one names.
    let cases = [
        ("500 Oops", unavailable(500, None)),
        ("503 Busy\r\nRetry-After: 30", unavailable(503, Some(30))),
        ("429 Slow\r\nRetry-After: 120", unavailable(429, Some(120))),
        ("429 Slow\r\nRetry-After: soon", unavailable(429, None)),
        ("408 Late", unavailable(408, None)),
        ("400 Bad", NotifyError::Refused { status: 400 }),
        ("404 Gone", NotifyError::Refused { status: 404 }),
        (
            // Not followed: the URL may be a secret, and the target another machine.
            "302 Found\r\nLocation: http://127.0.0.1:1/",
            NotifyError::Refused { status: 302 },
        ),
    ];
    for (answer, expected) in cases {
        let (_, sent) = exchange(config(WebhookFormat::Json), answer).await;
        assert_eq!(sent, Err(expected), "{answer}");
    }
    let answer = "429 Slow\r\nRetry-After: Tue, 14 Nov 2023 22:13:21 GMT";
    let (_, sent) = exchange(config(WebhookFormat::Json), answer).await;
    let retry_after = Some(Duration::from_millis(877));
    let expected = NotifyError::Unavailable {
        status: 429,
        retry_after,
    };
    assert_eq!(sent, Err(expected));
}

#[tokio::test]
async fn a_receiver_that_hangs_is_left_after_a_while() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    let config = config(WebhookFormat::Json).url(url);
    let webhook = webhook(config.timeout(Duration::from_millis(50)));
    // Nobody accepts, and the system keeps the connection.
    let sent = webhook.notify(&notification(), None).await;
    let reason = "the receiver did not answer in time".to_owned();
    assert_eq!(sent, Err(NotifyError::NotReached { reason }));
}

#[tokio::test]
async fn a_receiver_that_is_down_is_reached_once_it_is_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let webhook = webhook(config(WebhookFormat::Json).url(format!("http://{addr}{PATH}")));
    let down = webhook.notify(&notification(), None).await.unwrap_err();
    assert_eq!(down.to_string(), "the receiver refuses connections");
    let listener = TcpListener::bind(addr).await.unwrap();
    let notification = notification();
    let (sent, ()) = tokio::join!(webhook.notify(&notification, None), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        Request::read(&mut stream).await;
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    assert_eq!(sent, Ok(()));
}

#[tokio::test]
async fn a_connection_that_breaks_shows_nothing_of_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    let webhook = webhook(config(WebhookFormat::Json).url(url));
    let notification = notification();
    let (sent, ()) = tokio::join!(webhook.notify(&notification, None), async {
        drop(listener.accept().await.unwrap());
    });
    let error = sent.unwrap_err();
    assert!(!format!("{error} {error:?} {webhook:?}").contains("T0KEN"));
}

#[test]
fn what_cant_be_used_is_refused_without_being_shown() {
    let refused = |config: WebhookConfig| {
        let refused = Webhook::new(config, Arc::new(Stopped)).unwrap_err();
        let shown = format!("{refused} {refused:?}");
        assert!(
            !shown.contains("T0KEN") && !shown.contains("example"),
            "{shown}"
        );
        refused
    };
    let json = |url: &str| config(WebhookFormat::Json).url(url);
    let is_invalid = |url: &str| matches!(refused(json(url)), WebhookError::InvalidUrl);
    for url in [
        "",
        "T0KEN",
        "ftp://a.example/T0KEN",
        "https://user:T0KEN@a.example/",
        "https://T0KEN@a.example/",
    ] {
        assert!(is_invalid(url), "{url}");
    }
    let plain = "http://a.example/T0KEN";
    assert!(matches!(refused(json(plain)), WebhookError::PlainText));
    for config in [
        json(plain).allow_http(true),
        json("https://a.example/T0KEN"),
        json("http://localhost:9/T0KEN"),
        json("http://[::1]/T0KEN"),
        config(WebhookFormat::PagerDuty),
    ] {
        assert!(!format!("{config:?}").contains("T0KEN"));
        webhook(config);
    }
    let receiver = || Receiver {
        name: "ops".to_owned(),
        min_severity: Severity::Warning,
    };
    let bare = |format| WebhookConfig::new(receiver(), format);
    assert!(matches!(
        refused(bare(WebhookFormat::Slack)),
        WebhookError::NoUrl
    ));
    assert!(matches!(
        refused(bare(WebhookFormat::PagerDuty)),
        WebhookError::NoRoutingKey
    ));
    let short = json("https://a.example/T0KEN").secret("short");
    assert!(matches!(refused(short), WebhookError::ShortSecret { .. }));
}
