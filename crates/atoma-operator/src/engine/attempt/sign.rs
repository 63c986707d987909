//! Exact bytes and their signature.

use std::sync::Arc;

use atoma_domain::journal::{Attempt, Failure, Intent};
use atoma_domain::ports::Chain;
use atoma_domain::with_causes;
use tracing::error;

use super::fund::Funded;
use super::next::Next;
use super::payment::Payment;
use crate::engine::shared::{Context, fail_all};
use crate::engine::wait_reason::WaitReason;

/// A signed transaction that nobody has yet.
#[derive(Debug)]
pub(in crate::engine) struct Signed {
    /// Where it was read, and where it goes first.
    pub(in crate::engine) chain: Arc<dyn Chain>,
    pub(in crate::engine) intents: Vec<Intent>,
    pub(in crate::engine) attempt: Attempt,
    pub(in crate::engine) payment: Payment,
}

/// Builds the transaction and signs it. What can't be built fails; while the signer fails, the lane
/// waits.
///
/// # Errors
/// What to do with the batch instead.
pub(in crate::engine) async fn sign(context: &Context, funded: Funded) -> Result<Signed, Next> {
    let unsigned = match funded.chain.build(&funded.plan) {
        Ok(unsigned) => unsigned,
        Err(error) => {
            let reason = with_causes(&error);
            fail_all(context, &funded.intents, &Failure::Internal { reason }).await;
            return Err(Next::Nothing);
        }
    };
    let transaction = match context.ports.signer.sign(unsigned).await {
        Ok(transaction) => transaction,
        Err(error) => {
            let reason = with_causes(&error);
            error!(reason, "can't sign a transaction; retrying");
            return Err(Next::Wait {
                intents: funded.intents,
                reason: WaitReason::Signer { reason },
            });
        }
    };
    let plan = funded.plan;
    let attempt = Attempt {
        intents: funded.intents.iter().map(|intent| intent.id).collect(),
        transaction,
        expires_after: plan.expires_after,
        badge: plan.badge,
        gas: plan.gas,
        gas_budget: plan.gas_budget,
    };
    Ok(Signed {
        chain: funded.chain,
        intents: funded.intents,
        attempt,
        payment: funded.payment,
    })
}
