//! The dependency rules of `docs/ARCHITECTURE.md`, checked against the manifests.
//!
//! A crate may only depend on the crates in its row of [`CRATES`], and may not use a technology
//! that belongs to another crate. A new crate needs a row.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;

/// A crate's row of the table.
struct Row {
    name: &'static str,
    /// The crates of the workspace that it may depend on.
    uses: &'static [&'static str],
    /// Those that its tests may use in addition.
    tests_use: &'static [&'static str],
}

const CRATES: &[Row] = &[
    Row {
        name: "atoma-domain",
        uses: &[],
        tests_use: &[],
    },
    Row {
        name: "atoma-sui",
        uses: &["atoma-domain"],
        tests_use: &["atoma-localnet"],
    },
    Row {
        name: "atoma-state",
        uses: &["atoma-domain"],
        tests_use: &[],
    },
    Row {
        name: "atoma-operator",
        uses: &["atoma-domain"],
        tests_use: &["atoma-localnet", "atoma-state", "atoma-sui"],
    },
    Row {
        name: "atoma-api-types",
        uses: &["atoma-domain"],
        tests_use: &[],
    },
    Row {
        name: "atoma-client",
        uses: &["atoma-api-types", "atoma-domain"],
        tests_use: &[],
    },
    Row {
        name: "atoma-notify",
        uses: &["atoma-domain"],
        tests_use: &[],
    },
    Row {
        name: "atoma-metrics",
        uses: &["atoma-domain", "atoma-operator"],
        tests_use: &[],
    },
    Row {
        name: "atoma-page",
        uses: &[],
        tests_use: &[],
    },
    Row {
        name: "atoma-api",
        uses: &[
            "atoma-api-types",
            "atoma-domain",
            "atoma-metrics",
            "atoma-operator",
            "atoma-page",
        ],
        tests_use: &["atoma-localnet", "atoma-state", "atoma-sui"],
    },
    Row {
        name: "atoma-localnet",
        uses: &["atoma-domain"],
        tests_use: &["atoma-sui"],
    },
    Row {
        name: "atoma-daemon",
        uses: &[
            "atoma-api",
            "atoma-api-types",
            "atoma-client",
            "atoma-domain",
            "atoma-localnet",
            "atoma-metrics",
            "atoma-notify",
            "atoma-operator",
            "atoma-state",
            "atoma-sui",
        ],
        tests_use: &[],
    },
];

/// Technologies, by a prefix of their crates' names, and the only crates that may depend on them.
const HOMES: &[(&str, &[&str])] = &[
    ("sqlx", &["atoma-state"]),
    ("sui-rpc", &["atoma-localnet", "atoma-sui"]),
    ("sui-crypto", &["atoma-localnet", "atoma-sui"]),
    ("sui-transaction-builder", &["atoma-localnet", "atoma-sui"]),
    ("tonic", &["atoma-localnet", "atoma-sui"]),
    ("prost", &["atoma-localnet", "atoma-sui"]),
    ("actix", &["atoma-api", "atoma-daemon"]),
    ("prometheus", &["atoma-metrics"]),
    ("axum", &["atoma-localnet"]),
];

/// The only Sui crate that `atoma-domain` may use.
const SUI_TYPES: &str = "sui-sdk-types";

/// Async runtimes and their I/O crates. `atoma-domain` may not depend on any, directly or
/// indirectly.
const RUNTIMES: &[&str] = &[
    "actix-rt",
    "async-io",
    "async-std",
    "compio",
    "futures-executor",
    "glommio",
    "hyper",
    "mio",
    "monoio",
    "smol",
    "tokio",
    "tokio-stream",
    "tokio-util",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    /// The real name, even if the manifest renames it.
    name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    kind: Option<String>,
}

/// The output of `cargo`, run in the workspace.
fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| String::from("cargo"));
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs: it runs this test");
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

fn workspace() -> Vec<Package> {
    let answer = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Metadata = serde_json::from_str(&answer).expect("cargo metadata is JSON");
    metadata.packages
}

/// A message for every broken rule.
fn violations(packages: &[Package]) -> Vec<String> {
    let rows: BTreeMap<&str, &Row> = CRATES.iter().map(|row| (row.name, row)).collect();
    let members: BTreeSet<&str> = packages.iter().map(|p| p.name.as_str()).collect();
    let mut found = Vec::new();
    for package in packages {
        let name = package.name.as_str();
        let Some(row) = rows.get(name) else {
            found.push(format!("{name} has no row in the table"));
            continue;
        };
        for dependency in &package.dependencies {
            let used = dependency.name.as_str();
            let is_test = dependency.kind.as_deref() == Some("dev");
            if members.contains(used) || rows.contains_key(used) {
                let allowed = row.uses.contains(&used)
                    || is_test && (row.tests_use.contains(&used) || used == name);
                if !allowed {
                    found.push(format!("{name} must not depend on {used}"));
                }
            }
            for (technology, homes) in HOMES {
                if used.starts_with(technology) && !homes.contains(&name) {
                    found.push(format!("{name} must not name {used}: {homes:?} may"));
                }
            }
            if name == "atoma-domain" && used.starts_with("sui-") && used != SUI_TYPES {
                found.push(format!("{name} may use {SUI_TYPES} alone, not {used}"));
            }
            if name == "atoma-domain" && RUNTIMES.contains(&used) {
                found.push(format!("{name} must not know an async runtime, not {used}"));
            }
        }
    }
    for row in CRATES.iter().filter(|row| !members.contains(row.name)) {
        found.push(format!("{} is in the table and nowhere else", row.name));
    }
    found
}

#[test]
fn every_dependency_between_crates_is_in_the_table() {
    let found = violations(&workspace());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_domain_depends_on_no_async_runtime() {
    let tree = cargo(&[
        "tree",
        "--offline",
        "--package",
        "atoma-domain",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]);
    let names: BTreeSet<&str> = tree.lines().filter_map(|l| l.split(' ').next()).collect();
    assert!(names.contains(SUI_TYPES), "no tree was read: {tree}");
    let runtimes: Vec<_> = RUNTIMES.iter().filter(|r| names.contains(*r)).collect();
    assert!(runtimes.is_empty(), "atoma-domain brings {runtimes:?}");
}

#[test]
fn each_broken_rule_is_found() {
    let breaches = [
        // Who, the new dependency, its kind.
        ("atoma-domain", "tokio", None),
        ("atoma-domain", "futures-executor", Some("dev")),
        ("atoma-domain", "sui-crypto", None),
        ("atoma-domain", "atoma-state", None),
        ("atoma-state", "atoma-operator", None),
        ("atoma-state", "atoma-localnet", Some("dev")),
        ("atoma-sui", "atoma-localnet", None),
        ("atoma-operator", "atoma-state", None),
        ("atoma-operator", "atoma-sui", Some("build")),
        ("atoma-operator", "atoma-daemon", Some("dev")),
        ("atoma-operator", "sqlx", None),
        ("atoma-operator", "sqlx-core", None),
        ("atoma-api", "sqlx", Some("dev")),
        ("atoma-api", "sui-rpc", None),
        ("atoma-daemon", "tonic", None),
        ("atoma-daemon", "axum", None),
        ("atoma-operator", "actix-web", None),
        ("atoma-localnet", "actix-web", Some("dev")),
    ];
    for (who, used, kind) in breaches {
        let mut packages = workspace();
        let package = packages
            .iter_mut()
            .find(|package| package.name == who)
            .expect("the crate exists");
        package.dependencies.push(Dependency {
            name: used.to_owned(),
            kind: kind.map(str::to_owned),
        });
        let found = violations(&packages);
        assert!(
            found.iter().any(|v| v.contains(who) && v.contains(used)),
            "{who} on {used} ({kind:?}) was not found: {found:?}"
        );
    }
}

#[test]
fn a_crate_without_a_row_is_found() {
    let mut packages = workspace();
    packages.push(Package {
        name: String::from("atoma-novelty"),
        dependencies: Vec::new(),
    });
    assert_eq!(
        violations(&packages),
        ["atoma-novelty has no row in the table"]
    );
}
