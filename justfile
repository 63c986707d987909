# Short names for common commands. `just` alone lists them. The checks themselves are in .ci/run.

[private]
default:
    @just --list --unsorted

# Run the daemon with a local network and a demo world
dev *args:
    cargo run --release -- dev {{ args }}

# Run everything that CI runs, in the same order
ci:
    .ci/run

# Check the formatting
format:
    .ci/run format

# Check the dependencies: bans, licences, sources
deny:
    .ci/run deny

# Lint the workspace, and the daemon without its default features
clippy:
    .ci/run clippy

# Build the documentation of the crates
docs:
    .ci/run docs

# Package the library crates, and build each package from its own files
packages:
    .ci/run packages

# Run clients of other makers against the local network
foreign:
    .ci/run foreign

# Use the daemon's API by its OpenAPI document alone
clients:
    .ci/run clients

# Ask a real Prometheus every query of the dashboard and the alert rules
monitoring:
    .ci/run monitoring

# Check the systemd unit, the alert rules, the container image and the compose file
deploy:
    .ci/run deploy

# Run all tests and doc tests
test:
    .ci/run tests

# Format the code
fmt:
    cargo fmt --all

# Build the binary to deploy: target/dist/atoma-daemon
dist:
    cargo build --profile dist -p atoma-daemon --no-default-features --features otlp
