//! Models and their echelons, which nodes can join. Nothing is bought through them.

use atoma_domain::events::NodeSubscribedToModel;
use atoma_domain::{EchelonId, ObjectId};

use super::aborts::AbortCode;
use super::db::Db;
use super::layout::{ModelEchelon, ModelEntry};
use crate::vm::{AsciiString, ChildAccess, FieldAddress, MoveError, TableVec};

/// The settlement timeout of a new echelon, in milliseconds.
const SETTLEMENT_TIMEOUT_MS: u64 = 60_000;

impl Db<'_, '_> {
    /// `add_node_to_model`.
    pub(super) fn add_node_to_model(
        &mut self,
        badge: &ObjectId,
        model_name: AsciiString,
        echelon: EchelonId,
    ) -> Result<(), MoveError> {
        const HERE: &str = "add_node_to_model";
        let mut model = self.model_mut(&model_name)?;
        self.ensure(!model.is_disabled, AbortCode::ModelDisabled, HERE)?;
        let mark = self.model_mark(badge, &model_name)?;
        let added = mark.exists(self.vm)?;
        self.ensure(!added, AbortCode::NodeAlreadySubscribedToModel, HERE)?;
        let node = self.badge(badge)?;
        let place = self.echelon_place(&model, echelon, "get_echelon_mut")?;
        if let Some(group) = model.echelons.get_mut(place) {
            group.nodes.push_back(self.vm, self.package, &node)?;
        }
        self.vm.write_object(&model)?;
        mark.add(self.vm, &echelon)?;
        self.emit(NodeSubscribedToModel {
            node_small_id: node,
            model_name: model_name.0,
            echelon_id: echelon,
        })
    }

    /// `remove_node_from_model`. The caller gives the node's index in its echelon.
    pub(super) fn remove_node_from_model(
        &mut self,
        badge: &ObjectId,
        model_name: &AsciiString,
        node_index: u64,
    ) -> Result<(), MoveError> {
        const HERE: &str = "remove_node_from_model";
        let mark = self.model_mark(badge, model_name)?;
        let added = mark.exists(self.vm)?;
        self.ensure(added, AbortCode::NodeNotSubscribedToModel, HERE)?;
        let echelon: EchelonId = mark.borrow(self.vm, ChildAccess::Remove)?;
        mark.remove::<EchelonId>(self.vm)?;
        let node = self.badge(badge)?;
        let mut model = self.model_mut(model_name)?;
        let place = self.echelon_place(&model, echelon, "get_echelon_mut")?;
        if let Some(group) = model.echelons.get_mut(place) {
            let within = group.nodes.len() > node_index;
            self.ensure(within, AbortCode::NodeIndexMismatch, HERE)?;
            let removed = group.nodes.swap_remove(self.vm, self.package, node_index)?;
            self.ensure(removed == node, AbortCode::NodeIndexMismatch, HERE)?;
        }
        self.vm.write_object(&model)
    }

    /// `add_model_entry`.
    pub(super) fn add_model(&mut self, name: AsciiString, modality: u64) -> Result<(), MoveError> {
        let model = ModelEntry {
            id: self.vm.fresh_id(),
            name: name.clone(),
            modality,
            is_disabled: false,
            echelons: Vec::new(),
        };
        self.state.models.add(self.vm, self.package, &name, &model)
    }

    /// `add_model_echelon_entry`.
    pub(super) fn add_echelon(
        &mut self,
        name: &AsciiString,
        echelon: EchelonId,
        input_fee_per_token: u64,
        output_fee_per_token: u64,
        relative_performance: u64,
    ) -> Result<(), MoveError> {
        const HERE: &str = "add_model_echelon";
        let mut model = self.model_mut(name)?;
        let charged = input_fee_per_token > 0 && output_fee_per_token > 0;
        self.ensure(charged, AbortCode::ProtocolFeeCannotBeZero, HERE)?;
        let performs = relative_performance > 0;
        self.ensure(performs, AbortCode::RelativePerformanceCannotBeZero, HERE)?;
        let exists = model.echelons.iter().any(|known| known.id == echelon);
        self.ensure(!exists, AbortCode::EchelonAlreadyExistsForModel, HERE)?;
        model.echelons.push(ModelEchelon {
            id: echelon,
            settlement_timeout_ms: SETTLEMENT_TIMEOUT_MS,
            input_fee_per_token,
            output_fee_per_token,
            relative_performance,
            oracles: Vec::new(),
            nodes: TableVec::new(self.vm),
        });
        self.vm.write_object(&model)
    }

    /// `disable_model` and `enable_model`.
    pub(super) fn set_model_disabled(
        &mut self,
        name: &AsciiString,
        is_disabled: bool,
    ) -> Result<(), MoveError> {
        let mut model = self.model_mut(name)?;
        model.is_disabled = is_disabled;
        self.vm.write_object(&model)
    }

    fn model_mut(&mut self, name: &AsciiString) -> Result<ModelEntry, MoveError> {
        self.state.models.borrow_mut(self.vm, self.package, name)
    }

    /// The dynamic field of the badge that records the echelon joined.
    fn model_mark(&self, badge: &ObjectId, name: &AsciiString) -> Result<FieldAddress, MoveError> {
        FieldAddress::of_value::<AsciiString, EchelonId>(self.package, *badge, name)
    }

    fn echelon_place(
        &self,
        model: &ModelEntry,
        echelon: EchelonId,
        function: &'static str,
    ) -> Result<usize, MoveError> {
        model
            .echelons
            .iter()
            .position(|known| known.id == echelon)
            .ok_or_else(|| AbortCode::EchelonNotFound.at(self.here(function)))
    }
}
