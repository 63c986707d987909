//! The text that `dev` prints: the addresses, the demo world, and commands to paste.

use std::fmt::Write;
use std::path::PathBuf;

use atoma_domain::{SecurityLevel, StackSmallId};
use atoma_localnet::demo::{Demo, DemoStack};

use super::world::security_level;

/// The addresses of the API and the local network, and the data directory.
pub(super) struct Places {
    pub(super) api: String,
    pub(super) sui: String,
    pub(super) admin: String,
    pub(super) data: PathBuf,
    /// Whether the autopilot acts.
    pub(super) has_autopilot: bool,
}

/// The whole text.
pub(super) fn text(places: &Places, demo: &Demo, own: &[DemoStack]) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    let _ = write(&mut text, places, demo, own);
    text
}

fn write(text: &mut String, places: &Places, demo: &Demo, own: &[DemoStack]) -> std::fmt::Result {
    let Places {
        api,
        sui,
        admin,
        data,
        has_autopilot,
    } = places;
    writeln!(
        text,
        "\nA local Sui network with the Atoma contract, and a node daemon.\n"
    )?;
    writeln!(text, "  page     {api}/")?;
    writeln!(text, "  API      {api}")?;
    writeln!(text, "  Sui gRPC {sui}")?;
    writeln!(text, "  control  {admin}")?;
    writeln!(text, "  files    {}\n", data.display())?;
    for (index, operator) in demo.operators.iter().enumerate() {
        let nodes: Vec<String> = operator.nodes.iter().map(ToString::to_string).collect();
        let owner = if index == 0 {
            "your operator"
        } else {
            "another operator"
        };
        writeln!(
            text,
            "  nodes {}: {owner}, {}",
            nodes.join(" and "),
            operator.address
        )?;
    }
    for task in &demo.tasks {
        let level = SecurityLevel::new(task.security_level);
        let stacks = stacks_at(demo, own, level, usize::MAX);
        writeln!(
            text,
            "  task {}, {}: your stacks {}",
            task.task_small_id,
            level_name(level),
            json_list(&stacks)
        )?;
    }
    if *has_autopilot {
        writeln!(
            text,
            "\nThe autopilot settles, attests and claims your stacks. Watch it, with `--url {api}` if that is not the default:\n"
        )?;
        writeln!(text, "atoma-daemon autopilot status")?;
        writeln!(text, "atoma-daemon autopilot plan")?;
        writeln!(text, "\nBuy more stacks for it to look after:\n")?;
        writeln!(
            text,
            "curl --json '{{\"task_small_id\": 3, \"num_compute_units\": 1000000, \"price\": 1000000, \"count\": 3, \"node_small_id\": 1}}' {admin}/stacks"
        )?;
        writeln!(
            text,
            "\nA settled stack is claimed in the next epoch. End this one early:\n"
        )?;
        writeln!(text, "curl -X POST {admin}/epoch/advance")?;
        return writeln!(text, "\nPress Ctrl-C to stop.");
    }
    let sampling = stacks_at(demo, own, SecurityLevel::SAMPLING_CONSENSUS, 3);
    let confidential = stacks_at(demo, own, SecurityLevel::CONFIDENTIAL_COMPUTE, 1);
    if sampling.is_empty() {
        return writeln!(
            text,
            "\nAll your sampling consensus stacks are claimed. Buy more:\n\ncurl --json '{{\"task_small_id\": 3, \"num_compute_units\": 1000000, \"price\": 1000000, \"count\": 3, \"node_small_id\": 1}}' {admin}/stacks\n"
        );
    }
    let sampling = json_list(&sampling);
    writeln!(text, "\nSettle three stacks, one transaction each:\n")?;
    writeln!(
        text,
        "curl --json '{{\"stack_small_ids\": {sampling}}}' {api}/try_settle_stack_ids"
    )?;
    writeln!(
        text,
        "\nAttest them with the nodes that the contract drew:\n"
    )?;
    writeln!(
        text,
        "curl --json '{{\"stack_small_ids\": {sampling}}}' {api}/submit_stack_settlement_attestations"
    )?;
    writeln!(
        text,
        "\nA settled stack can be claimed in the next epoch. End this one:\n"
    )?;
    writeln!(text, "curl -X POST {admin}/epoch/advance")?;
    writeln!(text, "\nClaim all three in one transaction:\n")?;
    writeln!(
        text,
        "curl --json '{{\"stack_small_ids\": {sampling}}}' {api}/claim_funds"
    )?;
    if !confidential.is_empty() {
        writeln!(
            text,
            "\nClaim a confidential stack, which needs no settlement:\n"
        )?;
        writeln!(
            text,
            "curl --json '{{\"stack_small_ids\": {}}}' {api}/claim_funds",
            json_list(&confidential)
        )?;
    }
    writeln!(text, "\nSee the results:\n")?;
    writeln!(text, "curl {api}/claimed_stacks")?;
    writeln!(text, "curl {api}/transactions")?;
    writeln!(text, "\nPress Ctrl-C to stop.")
}

fn level_name(level: SecurityLevel) -> &'static str {
    match level {
        SecurityLevel::CONFIDENTIAL_COMPUTE => "confidential compute",
        SecurityLevel::SAMPLING_CONSENSUS => "sampling consensus",
        _ => "no verification",
    }
}

/// The first `limit` of the operator's stacks whose task has this security level.
fn stacks_at(
    demo: &Demo,
    own: &[DemoStack],
    level: SecurityLevel,
    limit: usize,
) -> Vec<StackSmallId> {
    own.iter()
        .filter(|stack| security_level(demo, stack) == level)
        .map(|stack| stack.stack_small_id)
        .take(limit)
        .collect()
}

fn json_list(ids: &[StackSmallId]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    format!("[{}]", ids.join(", "))
}
