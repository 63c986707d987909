//! Upgrading the contract's package, with the calls that a publisher makes on Sui.

use atoma_domain::ObjectId;
use sui_sdk_types::{
    Address, Argument, Command, Identifier, Input, MoveCall, Object, ObjectReference, Upgrade,
};

use crate::action_builder::ActionBuilder;
use crate::actions::ActionError;
use crate::core::NetworkCore;
use crate::execution::UpgradeCap;
use crate::vm::framework_struct;

impl NetworkCore {
    /// Upgrades the latest version of the contract's package, and returns the id of the new one.
    pub(crate) fn upgrade_package(&self) -> Result<Address, ActionError> {
        let (reference, cap) = self.upgrade_cap()?;
        let mut builder = ActionBuilder::default();
        builder.inputs = vec![
            Input::ImmutableOrOwned(reference),
            Input::Pure(bcs::to_bytes(&cap.policy)?),
            // The digest of the new modules, which have no bytes here.
            Input::Pure(bcs::to_bytes(&Vec::<u8>::new())?),
        ];
        let call = |function, arguments| {
            Command::MoveCall(MoveCall {
                package: Address::TWO,
                module: Identifier::from_static("package"),
                function: Identifier::from_static(function),
                type_arguments: Vec::new(),
                arguments,
            })
        };
        builder.commands = vec![
            call("authorize_upgrade", (0..3).map(Argument::Input).collect()),
            Command::Upgrade(Upgrade {
                modules: Vec::new(),
                dependencies: Vec::new(),
                package: cap.package,
                ticket: Argument::Result(0),
            }),
            call(
                "commit_upgrade",
                vec![Argument::Input(0), Argument::Result(1)],
            ),
        ];
        self.act(&self.accounts.manager, builder, None)?;
        Ok(self.upgrade_cap()?.1.package)
    }

    /// The manager's right to upgrade, which names the latest version.
    fn upgrade_cap(&self) -> Result<(ObjectReference, UpgradeCap), ActionError> {
        let wanted = framework_struct("package", "UpgradeCap", Vec::new());
        let read = |object: &Object| {
            let cap: UpgradeCap = bcs::from_bytes(object.as_struct()?.contents()).ok()?;
            let id: ObjectId = object.object_id();
            let reference = ObjectReference::new(id, object.version(), object.digest());
            Some((reference, cap))
        };
        let ledger = self.ledger();
        ledger
            .objects()
            .owned_by(&self.accounts.manager.address, |tag| *tag == wanted)
            .find_map(|object| read(&object))
            .ok_or_else(|| ActionError::Missing("the manager has no UpgradeCap".to_owned()))
    }
}
