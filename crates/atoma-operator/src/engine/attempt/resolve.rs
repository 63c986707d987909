//! What became of a signed attempt, by what the ledger shows or proves; never a guess.

use atoma_domain::journal::Attempt;
use atoma_domain::ports::{Chain, Consumption, Executed, Until};
use atoma_domain::{ObjectReference, with_causes};

/// How an attempt was resolved.
#[derive(Debug)]
pub(in crate::engine) enum Resolution {
    /// It is in the ledger.
    Executed(Box<Executed>),
    /// The ledger proves that it has executed, and the node does not show its effects. Nothing of
    /// it can execute any more.
    EffectsUnknown {
        /// The badge at the version since then.
        badge: Option<ObjectReference>,
    },
    /// It never executed and never will; the reason is the proof.
    Dead(String),
}

/// Why an attempt is not resolved.
#[derive(Debug)]
pub(super) struct Unresolved {
    pub(super) why: String,
    /// It is proved that the attempt has executed.
    pub(super) has_executed: bool,
}

impl From<String> for Unresolved {
    fn from(why: String) -> Self {
        Self {
            why,
            has_executed: false,
        }
    }
}

/// The badge at its version since the attempt executed, if the attempt uses one; `None` while the
/// node does not show that version.
pub(super) async fn badge_since(
    chain: &dyn Chain,
    attempt: &Attempt,
) -> Option<Option<ObjectReference>> {
    let Some(used) = &attempt.badge else {
        return Some(None);
    };
    let shown = chain.object(*used.object_id()).await;
    let shown = shown.ok()??.reference;
    (shown.version() > used.version()).then_some(Some(shown))
}

/// Resolves an attempt from the ledger.
///
/// # Errors
/// Why nothing is proved.
pub(super) async fn resolve(
    chain: &dyn Chain,
    attempt: &Attempt,
) -> Result<Resolution, Unresolved> {
    let digest = attempt.digest();
    let used: Vec<_> = attempt.badge.iter().chain(&attempt.gas).cloned().collect();
    // Read *before* the digest is looked up: the lookup then finds what executes in between.
    let consumption = chain.consumption(&used).await;
    match chain.lookup(digest).await {
        Ok(Some(executed)) => return Ok(Resolution::Executed(Box::new(executed))),
        Ok(None) => {}
        Err(error) => return Err(with_causes(&error).into()),
    }
    let consumption = consumption.map_err(|error| with_causes(&error))?;
    let own = [Consumption::By(digest), Consumption::Past { last: digest }];
    if consumption.iter().any(|consumed| own.contains(consumed)) {
        return Err(Unresolved {
            why: String::from(
                "it has executed, but the node does not show its effects; use a node with more history",
            ),
            has_executed: true,
        });
    }
    for (used, consumed) in used.iter().zip(&consumption) {
        let (id, version) = (used.object_id(), used.version());
        match consumed {
            Consumption::By(other) => {
                let proof = format!("transaction {other} consumed version {version} of {id}");
                return Ok(Resolution::Dead(proof));
            }
            Consumption::Current(epoch) if *epoch > attempt.expires_after => {
                let proof = format!(
                    "version {version} of {id} is untouched in epoch {epoch}; it could be used until {}",
                    attempt.expires_after
                );
                return Ok(Resolution::Dead(proof));
            }
            Consumption::Current(_) | Consumption::Past { .. } | Consumption::Unseen => {}
        }
    }
    let absence = absence(chain, attempt, &consumption).await;
    absence.map_err(Unresolved::from)
}

/// Proof of death by a ledger that is complete as far as the attempt could be in it, and lacks it.
async fn absence(
    chain: &dyn Chain,
    attempt: &Attempt,
    consumption: &[Consumption],
) -> Result<Resolution, String> {
    let mut reaches = vec![Until::EpochEnd];
    for consumed in consumption {
        // Whichever transaction consumed the version is in the ledger by then.
        if let Consumption::Past { last } = consumed
            && !reaches.contains(&Until::Transaction(*last))
        {
            reaches.push(Until::Transaction(*last));
        }
    }
    let mut why = String::from("the ledger doesn't show it, and it may still execute");
    for until in reaches {
        let absent = chain.is_absent(attempt.digest(), attempt.expires_after, until);
        match absent.await {
            Ok(true) => {
                return Ok(Resolution::Dead(match until {
                    Until::EpochEnd => format!("epoch {} ended without it", attempt.expires_after),
                    Until::Transaction(other) => {
                        format!(
                            "the ledger is complete up to transaction {other}, which used a later version, and lacks it"
                        )
                    }
                }));
            }
            Ok(false) => {}
            Err(error) => why = with_causes(&error),
        }
    }
    Err(why)
}
