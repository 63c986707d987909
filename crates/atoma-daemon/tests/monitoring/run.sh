#!/usr/bin/env bash
# Lets a real Prometheus scrape a daemon in its demonstration world, and asks it everything that the dashboard, the alert
# rules and the guide for operators ask. Checks the metrics and the configuration with promtool.
set -euo pipefail
cd "$(dirname "$0")"
source ../demonstration.sh

promtool check config --syntax-only "$root/deploy/prometheus/prometheus.yml"

# Otherwise there are no metrics of the cap, of what the autopilot sees and of messages about alarms.
read -r port receiver < <(free_ports 2)
echo "http://127.0.0.1:$receiver" >"$work/receiver.url"
export ATOMA__GAS__DAILY_CAP_MIST=1000000000000 ATOMA__AUTOPILOT__MODE=plan
export ATOMA__ALARMS__RECEIVERS="[{name=\"ops\",format=\"json\",url={file=\"$work/receiver.url\"}}]"
# The books are compared with the first look for alarms.
export ATOMA__ALARMS__INTERVAL_S=5
run_until_ready receiver "http://127.0.0.1:$receiver" -- python3 receiver.py "$receiver"
start_demonstration dev

prometheus="http://127.0.0.1:$port"
cat >"$work/prometheus.yml" <<YAML
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: ["$root/deploy/prometheus/alerts.yml"]
scrape_configs:
  - job_name: atoma-daemon
    static_configs:
      - targets: ["${url#http://}"]
YAML
run_until_ready prometheus "$prometheus/-/ready" -- prometheus --config.file "$work/prometheus.yml" \
    --storage.tsdb.path "$work/prometheus" --web.listen-address "127.0.0.1:$port" --log.level warn

python3 ask.py "$root/deploy/grafana/dashboard.json" "$root/docs/operations.md" "$prometheus" "$url" "$admin_url"
curl -fsS "$url/metrics" | promtool check metrics
# An attestation was left overdue, so this alarm is right.
require_quiet_log dev 'alarms::watch: alarm: .* kind=attestation_overdue '
