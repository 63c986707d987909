//! The parameters that the manager sets.

use super::aborts::AbortCode;
use super::db::Db;
use crate::vm::MoveError;

/// A parameter in the `AtomaDb` that the manager sets.
#[derive(Clone, Copy, Debug)]
pub(super) enum ManagerSetting {
    CrossValidationProbability,
    CrossValidationExtraNodesCount,
    SamplingConsensusCharge,
    CrossValidationExtraNodesCharge,
    SlashOnTimeout,
}

impl Db<'_, '_> {
    /// The functions `set_…`: sets a parameter.
    pub(super) fn set_parameter(
        &mut self,
        parameter: ManagerSetting,
        value: u64,
    ) -> Result<(), MoveError> {
        if matches!(parameter, ManagerSetting::SlashOnTimeout) {
            self.ensure(
                value <= 1000,
                AbortCode::TotalPermilleMustBeLessThan1000,
                "set_permille_to_slash_node_on_timeout",
            )?;
        }
        let state = &mut self.state;
        *match parameter {
            ManagerSetting::CrossValidationProbability => {
                &mut state.cross_validation_probability_permille
            }
            ManagerSetting::CrossValidationExtraNodesCount => {
                &mut state.cross_validation_extra_nodes_count
            }
            ManagerSetting::SamplingConsensusCharge => {
                &mut state.sampling_consensus_charge_permille
            }
            ManagerSetting::CrossValidationExtraNodesCharge => {
                &mut state.cross_validation_extra_nodes_charge_permille
            }
            ManagerSetting::SlashOnTimeout => &mut state.permille_to_slash_node_on_timeout,
        } = value;
        Ok(())
    }
}
