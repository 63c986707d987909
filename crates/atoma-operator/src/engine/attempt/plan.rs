//! From what was read to a transaction that is not paid for yet. Everything that the chain would
//! refuse is found here, before any gas is spent.

use std::sync::Arc;

use atoma_domain::contract::ContractCall;
use atoma_domain::journal::{Failure, GasOptions, Intent};
use atoma_domain::ports::{Chain, ContractView, EpochInfo, TransactionPlan};
use atoma_domain::{Mist, ObjectReference};

use super::calls::{CallError, call, merge};
use super::inputs::Inputs;
use crate::engine::payment::CallClass;

/// A transaction that is not paid for yet.
#[derive(Debug)]
pub(in crate::engine) struct Planned {
    /// Where it was read, and where it goes.
    pub(in crate::engine) chain: Arc<dyn Chain>,
    pub(in crate::engine) intents: Vec<Intent>,
    /// Complete but for gas coins and budget.
    pub(in crate::engine) plan: TransactionPlan,
    pub(in crate::engine) class: CallClass,
}

/// The result of planning a batch.
#[derive(Debug)]
pub(in crate::engine) struct Draft {
    /// The transaction for those that can be done; `None` when there are none.
    pub(in crate::engine) planned: Option<Planned>,
    /// Those that can't be done, unless the node lags.
    pub(in crate::engine) doubtful: Vec<(Intent, Failure)>,
    /// Those that can't be done.
    pub(in crate::engine) rejected: Vec<(Intent, Failure)>,
}

/// Plans one transaction for a batch, over the badge at its latest known version.
pub(in crate::engine) fn plan(inputs: Inputs, badge: Option<&ObjectReference>) -> Draft {
    let Inputs {
        chain,
        gathered,
        view,
    } = inputs;
    let (mut intents, mut calls) = (Vec::new(), Vec::new());
    let (mut doubtful, mut rejected) = (Vec::new(), Vec::new());
    for (intent, local) in gathered {
        if let Some(failure) = price_refusal(&intent.gas, &view.epoch) {
            rejected.push((intent, failure));
            continue;
        }
        match call(&intent, &local, &view) {
            Ok(call) => {
                calls.push(call);
                intents.push(intent);
            }
            Err(CallError::Doubtful(failure)) => doubtful.push((intent, failure)),
            Err(CallError::Final(failure)) => rejected.push((intent, failure)),
        }
    }
    let planned = match intents.first().cloned() {
        Some(first) if first.actor.badge().is_some() && badge.is_none() && doubtful.is_empty() => {
            let no_badge = |intent| (intent, Failure::NoNodeRegistered {});
            doubtful.extend(intents.into_iter().map(no_badge));
            None
        }
        Some(first) => Some(Planned {
            chain,
            class: class(&calls, &view),
            plan: TransactionPlan {
                split: Vec::new(),
                sender: first.actor.address(),
                badge: first.actor.badge().and(badge.cloned()),
                calls: merge(calls),
                gas: Vec::new(),
                gas_price: first.gas.price.unwrap_or(view.epoch.reference_gas_price),
                gas_budget: Mist::ZERO,
                expires_after: view.epoch.epoch,
            },
            intents,
        }),
        None => None,
    };
    Draft {
        planned,
        doubtful,
        rejected,
    }
}

/// Why the network would refuse the gas price that a request chose, if it would. A price that is too
/// high is found by simulation.
pub(in crate::engine) fn price_refusal(gas: &GasOptions, epoch: &EpochInfo) -> Option<Failure> {
    let reference_gas_price = epoch.reference_gas_price;
    let gas_price = gas.price.filter(|price| *price < reference_gas_price)?;
    Some(Failure::GasPriceTooLow {
        gas_price,
        reference_gas_price,
    })
}

/// What the calls' gas depends on: the function, and how many leaves a ticket will hold.
fn class(calls: &[ContractCall], view: &ContractView) -> CallClass {
    let function = calls.first().map_or("none", ContractCall::function);
    let size = match (calls.first(), &view.subscribers) {
        (Some(ContractCall::TrySettleStack { .. }), Some(subscribers)) => {
            let others = u64::try_from(subscribers.len()).unwrap_or(u64::MAX);
            let extra = view.parameters.cross_validation_extra_nodes_count;
            extra.saturating_add(others).saturating_add(1)
        }
        _ => 0,
    };
    CallClass { function, size }
}
