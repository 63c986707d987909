//! Comparing the mirror with the contract on request.

use atoma_domain::journal::Failure;
use atoma_domain::ports::{Compared, Repair};
use atoma_domain::reconciliation::Cause;

use super::Operator;
use crate::reconciliation::Reconciler;

impl Operator {
    /// Compares the whole mirror with the contract's own state, and repairs it; a dry run only tells the differences.
    ///
    /// # Errors
    /// [`Failure::NotReady`] until the start is complete; [`Failure::SuiNodeError`] when the contract can't be read. What was
    /// repaired before stays repaired.
    pub async fn reconcile(&self) -> Result<Compared, Failure> {
        let reconciler = self.reconciler().await?;
        let repair = match self.is_dry_run {
            true => Repair::Nothing,
            false => Repair::Mirror(Cause::Requested),
        };
        Ok(reconciler.compare_all(repair).await?)
    }

    /// Rebuilds the mirror from the contract's state at one version.
    ///
    /// # Errors
    /// Like [`reconcile`](Self::reconcile), and when the contract changes during each attempt to read it. Then the mirror
    /// is as before.
    pub async fn rebuild_mirror(&self) -> Result<Compared, Failure> {
        Ok(self.reconciler().await?.rebuild().await?)
    }

    async fn reconciler(&self) -> Result<&Reconciler, Failure> {
        if self.requires_start {
            self.readiness.require_for_writes().await?;
        }
        self.reconciler.as_ref().ok_or_else(|| Failure::NotReady {
            reasons: vec![String::from("this process can't read the contract's state")],
        })
    }
}
