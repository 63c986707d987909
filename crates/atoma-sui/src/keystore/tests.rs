use std::cell::Cell;
use std::path::{Path, PathBuf};

use atoma_domain::ports::{SignError, Signer as _, UnsignedTransaction};
use atoma_domain::with_causes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sui_sdk_types::{Address, Transaction};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::error::KeyError;
use super::*;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/sui_config")
}

/// A folder with a `client.yaml` and the given keystore.
fn folder(keystore: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("client.yaml");
    std::fs::copy(vectors().join("client.yaml"), &config).unwrap();
    std::fs::write(folder.path().join("sui.keystore"), keystore).unwrap();
    (folder, config)
}

/// The active address's key, by the given `client.yaml`.
fn load(path: impl AsRef<Path>) -> Result<KeystoreSigner, KeystoreError> {
    ClientConfig::load(path)?.signer()
}

#[test]
fn node_address_and_keys_of_all_schemes_are_read_from_the_clis_files() {
    let config = ClientConfig::load(vectors().join("client.yaml")).unwrap();
    assert_eq!(config.rpc_url().unwrap(), "http://127.0.0.1:9000");
    let expected: Value =
        serde_json::from_slice(&std::fs::read(vectors().join("expected.json")).unwrap()).unwrap();
    let expected = expected.as_array().unwrap();
    assert_eq!(
        config.active_address().unwrap().to_string(),
        expected[0]["address"].as_str().unwrap()
    );
    for key in expected {
        let address: Address = key["address"].as_str().unwrap().parse().unwrap();
        assert_eq!(config.signer_of(address).unwrap().address(), address);
        let by_text = KeystoreSigner::from_suiprivkey(key["suiprivkey"].as_str().unwrap());
        assert_eq!(by_text.unwrap().address(), address);
    }
    let signer = load(vectors().join("client.yaml")).unwrap();
    assert_eq!(signer.address(), config.active_address().unwrap());
}

#[test]
fn signatures_of_all_schemes_are_those_of_the_typescript_sdk() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/transactions.json")).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let bytes = STANDARD.decode(case["tx_bytes"].as_str().unwrap()).unwrap();
        let transaction: Transaction = bcs::from_bytes(&bytes).unwrap();
        for (scheme, key) in vectors["keys"].as_object().unwrap() {
            let text = key["suiprivkey"].as_str().unwrap();
            let signer = KeystoreSigner::from_suiprivkey(text).unwrap();
            let signature = signer.sign_unchecked(&transaction).unwrap();
            assert_eq!(
                STANDARD.encode(signature),
                case["signatures"][scheme].as_str().unwrap(),
                "{} by {scheme}",
                case["name"]
            );
        }
    }
}

#[test]
fn the_error_names_an_address_without_key() {
    let config = ClientConfig::load(vectors().join("client.yaml")).unwrap();
    let error = config.signer_of(Address::TWO).unwrap_err();
    assert!(matches!(error, KeystoreError::NoKey { entries: 4, .. }));
    assert!(with_causes(&error).contains(&Address::TWO.to_string()));
}

#[test]
fn errors_name_the_keystores_file_and_entry_and_never_quote_it() {
    let secret = "AAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";
    let zero = "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let cases = [
        (format!("\"{secret}\""), "line 1"),
        (format!("[\"{secret}\", {{\"{secret}\": 1}}]"), "line 1"),
        (
            format!("[\"{secret}\", \"{}\"]", &secret[..40]),
            "entry 1 of",
        ),
        (format!("[\"{secret}!\"]"), "entry 0 of"),
        (format!("[\"{secret}\", \"{zero}\"]"), "outside the curve"),
        (format!("[\"Bwc{}\"]", &secret[3..]), "scheme flag 7"),
        (String::from("[\"suiprivkey1qqqq\"]"), "entry 0 of"),
    ];
    for (keystore, expected) in cases {
        let (_folder, config) = folder(&keystore);
        let error = load(&config).unwrap_err();
        let text = with_causes(&error);
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("sui.keystore"), "{text}");
        assert!(!text.contains("BwcHBwcH"), "{text}");
        assert!(!format!("{error:?}").contains("BwcHBwcH"));
    }
}

#[test]
fn a_missing_file_and_other_kinds_of_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client.yaml");
    let error = load(&path).unwrap_err();
    assert!(matches!(error, KeystoreError::Read { .. }));
    std::fs::write(&path, "just text").unwrap();
    let error = load(&path).unwrap_err();
    assert!(matches!(error, KeystoreError::Yaml { .. }));
    std::fs::write(&path, "keystore:\n  File: k\nactive_env: nowhere\n").unwrap();
    let error = load(&path).unwrap_err();
    assert!(with_causes(&error).contains("`nowhere`"));
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let keys = std::fs::read_to_string(vectors().join("sui.keystore")).unwrap();
    let (_folder, config) = folder(&format!("\u{feff}{keys}"));
    let yaml = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("\u{feff}{yaml}")).unwrap();
    load(&config).unwrap();
}

#[test]
fn settings_that_would_be_dropped_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client.yaml");
    let refusal = |keystore: &str, environment: &str| {
        let yaml = format!(
            "keystore:\n  File: {keystore}\nactive_env: here\nenvs:\n  - alias: here\n    {environment}\n"
        );
        std::fs::write(&path, yaml).unwrap();
        let error = ClientConfig::load(&path).and_then(|config| config.rpc_url().map(drop));
        let text = with_causes(&error.unwrap_err());
        assert!(
            text.contains("client.yaml") && !text.contains("secret"),
            "{text}"
        );
        text
    };
    assert!(refusal("~/k", "rpc: http://node").contains("`~`"));
    for url in [
        "http://node/?key=secret",
        "https://secret@node",
        "node:9000",
    ] {
        let text = refusal("k", &format!("rpc: {url}"));
        assert!(
            text.contains("`rpc` of the environment `here` must"),
            "{text}"
        );
    }
    let text = refusal("k", "rpc: http://node\n    basic_auth: secret");
    assert!(text.contains("`basic_auth`"), "{text}");
}

#[test]
fn texts_that_are_not_private_keys_are_rejected() {
    for text in ["", "suiprivkey1qqqq", "AAcH"] {
        assert!(matches!(
            KeystoreSigner::from_suiprivkey(text),
            Err(KeystoreError::Key(KeyError::Encoding))
        ));
    }
}

#[test]
fn debug_shows_only_the_address() {
    let signer = load(vectors().join("client.yaml")).unwrap();
    assert_eq!(
        format!("{signer:?}"),
        format!("KeystoreSigner {{ address: {:?}, .. }}", signer.address())
    );
}

/// A transaction from the vectors, with the first key's address as sender.
fn recorded_transaction() -> UnsignedTransaction {
    use base64::Engine as _;
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/transactions.json")).unwrap();
    let case = &vectors["cases"][0];
    UnsignedTransaction {
        bytes: base64::engine::general_purpose::STANDARD
            .decode(case["tx_bytes"].as_str().unwrap())
            .unwrap(),
        digest: case["digest"].as_str().unwrap().parse().unwrap(),
    }
}

#[tokio::test]
async fn only_the_signers_own_transactions_are_signed() {
    let config = ClientConfig::load(vectors().join("client.yaml")).unwrap();
    let unsigned = recorded_transaction();
    let own = config.signer().unwrap();
    let signed = own.sign(unsigned.clone()).await.unwrap();
    assert_eq!(signed.bytes, unsigned.bytes);
    assert_eq!(signed.signatures.len(), 1);

    let expected: Value =
        serde_json::from_slice(&std::fs::read(vectors().join("expected.json")).unwrap()).unwrap();
    let other = KeystoreSigner::from_suiprivkey(expected[1]["suiprivkey"].as_str().unwrap());
    let refused = other.unwrap().sign(unsigned.clone()).await.unwrap_err();
    assert!(matches!(refused, SignError::NoKey(sender) if sender == own.address()));

    let mut truncated = unsigned.clone();
    truncated.bytes.truncate(20);
    assert!(matches!(
        own.sign(truncated).await,
        Err(SignError::Failed(_))
    ));
    let mut wrong_digest = unsigned;
    wrong_digest.digest = sui_sdk_types::Digest::ZERO;
    assert!(matches!(
        own.sign(wrong_digest).await,
        Err(SignError::Failed(_))
    ));
}

thread_local! {
    /// Warnings logged by this thread, which runs one test.
    static WARNINGS: Cell<usize> = const { Cell::new(0) };
}

/// Counts warnings.
struct CountWarnings;

impl Subscriber for CountWarnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        WARNINGS.set(WARNINGS.get() + 1);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[cfg(unix)]
#[test]
fn a_keystore_that_every_user_can_read_causes_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;

    tracing::subscriber::set_global_default(CountWarnings).unwrap();
    let keys = std::fs::read_to_string(vectors().join("sui.keystore")).unwrap();
    let (folder, config) = folder(&keys);
    let keystore = folder.path().join("sui.keystore");
    for (mode, warnings) in [(0o600, 0), (0o400, 0), (0o640, 0), (0o604, 1)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&keystore, permissions).unwrap();
        load(&config).unwrap();
        assert_eq!(WARNINGS.replace(0), warnings, "{mode:o}");
    }
}
