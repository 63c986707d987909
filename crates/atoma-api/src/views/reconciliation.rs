//! Comparisons of the mirror with the contract.

use atoma_api_types::{DifferenceView, ReconciledView};
use atoma_domain::ports::Compared;

/// The answer about a comparison.
pub(crate) fn reconciled_view(found: Compared, is_dry_run: bool) -> ReconciledView {
    let differences = found.differences.into_iter();
    ReconciledView {
        dry_run: is_dry_run,
        compared: found.compared,
        not_compared: u64::try_from(found.open.len()).unwrap_or(u64::MAX),
        differences: differences.map(DifferenceView::from).collect(),
    }
}
