//! Exact bytes and their signature.

use atoma_domain::journal::{Attempt, Failure, Intent};

use super::fund::Funded;
use super::next::Next;
use super::payment::Payment;
use crate::causes::with_causes;
use crate::engine::shared::{Context, fail_all};

/// A signed transaction that nobody has yet.
#[derive(Debug)]
pub(in crate::engine) struct Signed {
    pub(in crate::engine) intents: Vec<Intent>,
    pub(in crate::engine) attempt: Attempt,
    pub(in crate::engine) payment: Payment,
}

/// Builds the transaction and signs it. If that fails, so do its intents.
///
/// # Errors
/// What to do with the batch instead.
pub(in crate::engine) async fn sign(context: &Context, funded: Funded) -> Result<Signed, Next> {
    let attempt = match try_to_sign(context, &funded).await {
        Ok(attempt) => attempt,
        Err(reason) => {
            fail_all(context, &funded.intents, &Failure::Internal { reason }).await;
            return Err(Next::Nothing);
        }
    };
    Ok(Signed {
        intents: funded.intents,
        attempt,
        payment: funded.payment,
    })
}

async fn try_to_sign(context: &Context, funded: &Funded) -> Result<Attempt, String> {
    let plan = &funded.plan;
    let unsigned = context.ports.chain.build(plan);
    let unsigned = unsigned.map_err(|error| with_causes(&error))?;
    let signed = context.ports.signer.sign(unsigned).await;
    Ok(Attempt {
        intents: funded.intents.iter().map(|intent| intent.id).collect(),
        transaction: signed.map_err(|error| with_causes(&error))?,
        expires_after: plan.expires_after,
        badge: plan.badge.clone(),
        gas: plan.gas.clone(),
        gas_budget: plan.gas_budget,
    })
}
