"""Asks a Prometheus that scrapes a daemon every query of the dashboard, of the alert rules and of the guide for operators,
and requires that each has data."""

import json
import math
import re
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

# The daemon's figures are at most 10 seconds old, and a rate takes two scrapes.
DEADLINE_S = 45


def fetch(url, body=None):
    """The JSON that a URL answers, to a POST if there is a body."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        sys.exit(f"{url}: {error.code} {error.read().decode()}")


class Prometheus:
    def __init__(self, url):
        self.url = url

    def get(self, path, **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        return fetch(f"{self.url}/api/v1/{path}?{query}")["data"]

    def has_data(self, query):
        """Whether a query has a number now."""
        result = self.get("query", query=query)["result"]
        return any(math.isfinite(float(series["value"][1])) for series in result)


def use(url, admin_url):
    """Makes the daemon settle, attest and claim. Leaves it attestations that are due and overdue, and a transaction that
    does not end."""
    sampled = next(task["task_small_id"] for task in fetch(f"{url}/tasks") if task["security_level"] == 2)
    own = {node["node_small_id"] for node in fetch(f"{url}/nodes")}
    stacks = [
        stack["stack_small_id"]
        for stack in fetch(f"{url}/stacks")
        if stack["task_small_id"] == sampled and not stack["in_settle_period"]
    ]

    def do(path, stack):
        results = fetch(f"{url}/{path}", {"stack_small_ids": [stack]})["results"]
        if any(result["status"] != "succeeded" for result in results):
            sys.exit(f"{path} of stack {stack}: {results}")

    def settle(stack):
        """Settles a stack and says whether nodes of ours must attest it."""
        do("try_settle_stack_ids", stack)
        ticket = next(ticket for ticket in fetch(f"{url}/claimed_stacks") if ticket["stack_small_id"] == stack)
        return bool(own.intersection(json.loads(ticket["requested_attestation_nodes"])))

    def settle_ours():
        """Settles stacks up to one that our nodes must attest."""
        while stacks:
            stack = stacks.pop(0)
            if settle(stack):
                return stack
        sys.exit("No stack is left to settle.")

    def advance():
        fetch(f"{admin_url}/epoch/advance", {})

    claimed = settle_ours()
    do("submit_stack_settlement_attestations", claimed)
    advance()
    do("claim_funds", claimed)
    settle_ours()
    advance()
    settle_ours()
    fetch(f"{admin_url}/faults", {"kind": "execute_delay", "ms": 3_600_000})
    threading.Thread(target=settle, args=[stacks.pop()], daemon=True).start()


def dashboard_queries(path):
    """The queries of the panels, by title, and of the variables."""
    with open(path, encoding="utf-8") as file:
        dashboard = json.load(file)
    datasource = {"type": "prometheus", "uid": "${datasource}"}
    queries = []
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["datasource"] == datasource, f"{panel['title']} has another data source"
        for target in panel["targets"]:
            assert target["datasource"] == datasource, f"{panel['title']} has another data source"
            queries.append((panel["title"], target["expr"]))
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    return queries, variables


def with_values(query, instance):
    """A query of the dashboard as Grafana sends it."""
    query = query.replace("$__rate_interval", "30s").replace("$instance", instance)
    assert "$" not in query, f"{query} has a variable that the dashboard doesn't have"
    return query


def guide_queries(path):
    """The queries of the guide's table, by question."""
    with open(path, encoding="utf-8") as file:
        return re.findall(r"^\| ([^|]+\?) \| `(.+)` \|$", file.read(), re.MULTILINE)


def series(expression):
    """The series that an alert looks at. One with the status of a failed request or with the reason that holds up a duty
    exists after that has happened only."""
    text = re.sub(r'"[^"]*"', lambda quoted: quoted[0].replace("{", "").replace("}", ""), expression)
    for name, labels in re.findall(r"\b((?:atoma|process)_\w+|up)\b(\{[^}]*\})?", text):
        labels = re.sub(r'(status|standing|reason)=~?"[^"]*",? *', "", labels)
        yield name + labels


def main():
    dashboard, guide, prometheus_url, url, admin_url = sys.argv[1:]
    prometheus = Prometheus(prometheus_url)
    instance = url.removeprefix("http://")
    use(url, admin_url)

    queries, variables = dashboard_queries(dashboard)
    wanted = [(f"panel {title!r}", with_values(query, instance)) for title, query in queries]
    questions = guide_queries(guide)
    assert questions, f"{guide} has no table of queries"
    wanted += [(f"question {question!r}", query) for question, query in questions]
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variables["instance"]["query"]["query"]).groups()
    wanted.append(("variable 'instance'", f'{metric}{{{label}="{instance}"}}'))
    rules = [rule for group in prometheus.get("rules", type="alert")["groups"] for rule in group["rules"]]
    assert rules, "Prometheus has no alert rules"
    for rule in rules:
        wanted += [(f"alert {rule['name']}", name) for name in series(rule["query"])]

    total, deadline = len(wanted), time.monotonic() + DEADLINE_S
    while wanted := [(place, query) for place, query in wanted if not prometheus.has_data(query)]:
        if time.monotonic() > deadline:
            sys.exit("\n".join(f"{place} has no data: {query}" for place, query in wanted))
        time.sleep(0.5)

    rules = [rule for group in prometheus.get("rules", type="alert")["groups"] for rule in group["rules"]]
    if failed := [f"{rule['name']}: {rule.get('lastError')}" for rule in rules if rule["health"] == "err"]:
        sys.exit("\n".join(failed))
    print(f"{total} queries of the dashboard, the alert rules and the guide have data.")


main()
