//! What `dev` tells: what there is, and lines to paste.

use std::fmt::Write;
use std::path::PathBuf;

use atoma_domain::{SecurityLevel, StackSmallId};
use atoma_localnet::demo::{Demo, DemoStack};

use super::level;

/// Where everything is.
pub(super) struct Places {
    pub(super) api: String,
    pub(super) sui: String,
    pub(super) admin: String,
    pub(super) data: PathBuf,
}

/// The text.
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
    } = places;
    writeln!(
        text,
        "\nA local Sui network with the Atoma contract, and a node daemon.\n"
    )?;
    writeln!(text, "  API      {api}")?;
    writeln!(text, "  Sui gRPC {sui}")?;
    writeln!(text, "  control  {admin}")?;
    writeln!(text, "  files    {}\n", data.display())?;
    for (place, operator) in demo.operators.iter().enumerate() {
        let nodes: Vec<String> = operator.nodes.iter().map(ToString::to_string).collect();
        let whose = if place == 0 {
            "this daemon's operator"
        } else {
            "another operator"
        };
        writeln!(
            text,
            "  nodes {} of {whose}, {}",
            nodes.join(" and "),
            operator.address
        )?;
    }
    for task in &demo.tasks {
        let level = SecurityLevel::new(task.security_level);
        let stacks = ids(demo, own, level, usize::MAX);
        writeln!(
            text,
            "  task {}: {}, own stacks {}",
            task.task_small_id,
            name(level),
            list(&stacks)
        )?;
    }
    let sampling = ids(demo, own, SecurityLevel::SAMPLING_CONSENSUS, 3);
    let confidential = ids(demo, own, SecurityLevel::CONFIDENTIAL_COMPUTE, 1);
    if sampling.is_empty() {
        return writeln!(
            text,
            "\nAll own stacks are used up. Buy more:\n\ncurl --json '{{\"task_small_id\": 3, \"num_compute_units\": 1000000, \"price\": 1000000, \"count\": 3, \"node_small_id\": 1}}' {admin}/stacks\n"
        );
    }
    let sampling = list(&sampling);
    writeln!(text, "\nSettle three stacks, one transaction each:\n")?;
    writeln!(
        text,
        "curl --json '{{\"stack_small_ids\": {sampling}}}' {api}/try_settle_stack_ids"
    )?;
    writeln!(
        text,
        "\nAttest them with the node that each settlement asks for:\n"
    )?;
    writeln!(
        text,
        "curl --json '{{\"stack_small_ids\": {sampling}}}' {api}/submit_stack_settlement_attestations"
    )?;
    writeln!(
        text,
        "\nEnd the epoch, since a settled stack is paid in the next one:\n"
    )?;
    writeln!(text, "curl -X POST {admin}/epoch/advance")?;
    writeln!(text, "\nClaim them, all in one transaction:\n")?;
    writeln!(
        text,
        "curl --json '{{\"stack_small_ids\": {sampling}}}' {api}/claim_funds"
    )?;
    if !confidential.is_empty() {
        writeln!(text, "\nA confidential stack is paid at once:\n")?;
        writeln!(
            text,
            "curl --json '{{\"stack_small_ids\": {}}}' {api}/claim_funds",
            list(&confidential)
        )?;
    }
    writeln!(text, "\nSee what became of them:\n")?;
    writeln!(text, "curl {api}/claimed_stacks")?;
    writeln!(text, "curl {api}/transactions")?;
    writeln!(text, "\nCtrl-C ends it all.")
}

fn name(level: SecurityLevel) -> &'static str {
    match level {
        SecurityLevel::CONFIDENTIAL_COMPUTE => "confidential compute",
        SecurityLevel::SAMPLING_CONSENSUS => "sampling consensus",
        _ => "no check",
    }
}

fn ids(demo: &Demo, own: &[DemoStack], wanted: SecurityLevel, most: usize) -> Vec<StackSmallId> {
    own.iter()
        .filter(|stack| level(demo, stack) == wanted)
        .map(|stack| stack.stack_small_id)
        .take(most)
        .collect()
}

fn list(ids: &[StackSmallId]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    format!("[{}]", ids.join(", "))
}
