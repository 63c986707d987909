//! The manager's settings.

use super::aborts::Refusal;
use super::db::Db;
use crate::vm::MoveError;

/// A number in the `AtomaDb` that the manager sets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parameter {
    CrossValidationProbability,
    CrossValidationExtraNodesCount,
    SamplingConsensusCharge,
    CrossValidationExtraNodesCharge,
    SlashOnTimeout,
}

impl Db<'_, '_> {
    /// The functions `set_…`.
    pub(super) fn set_parameter(
        &mut self,
        parameter: Parameter,
        value: u64,
    ) -> Result<(), MoveError> {
        if matches!(parameter, Parameter::SlashOnTimeout) {
            self.ensure(
                value <= 1000,
                Refusal::TotalPermilleMustBeLessThan1000,
                "set_permille_to_slash_node_on_timeout",
            )?;
        }
        let state = &mut self.state;
        *match parameter {
            Parameter::CrossValidationProbability => {
                &mut state.cross_validation_probability_permille
            }
            Parameter::CrossValidationExtraNodesCount => {
                &mut state.cross_validation_extra_nodes_count
            }
            Parameter::SamplingConsensusCharge => &mut state.sampling_consensus_charge_permille,
            Parameter::CrossValidationExtraNodesCharge => {
                &mut state.cross_validation_extra_nodes_charge_permille
            }
            Parameter::SlashOnTimeout => &mut state.permille_to_slash_node_on_timeout,
        } = value;
        Ok(())
    }
}
