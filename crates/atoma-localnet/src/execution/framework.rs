//! Commands and functions of the framework that this network executes natively: coins and balances, vectors,
//! and the upgrade of the contract's package.

use atoma_domain::ObjectId;
use sui_sdk_types::{
    Address, Argument, CommandArgumentError as Wrong, ExecutionError, Identifier, MakeMoveVector,
    MoveCall, MovePackage, Object, ObjectData, PackageUpgradeError, StructTag, TypeTag, Upgrade,
};

use super::commands::{Interpreter, execution_error, wrong};
use super::values::{ArgumentValue, MoveValue, ObjectUse};
use crate::interface;
use crate::vm::{Balance, MoveError, framework_struct};

/// The native functions of package `0x2`, by module and name.
const FUNCTIONS: [(&str, &str); 6] = [
    ("coin", "zero"),
    ("coin", "destroy_zero"),
    ("coin", "into_balance"),
    ("coin", "from_balance"),
    ("package", "authorize_upgrade"),
    ("package", "commit_upgrade"),
];

/// Whether this network executes a function of package `0x2`.
pub(super) fn is_native(module: &Identifier, function: &Identifier) -> bool {
    FUNCTIONS.contains(&(module.as_str(), function.as_str()))
}

type Results = Result<Vec<ArgumentValue>, ExecutionError>;

impl Interpreter<'_, '_> {
    pub(super) fn is_framework(&self, call: &MoveCall) -> bool {
        call.package == Address::TWO
    }

    /// Calls a function of package `0x2`.
    pub(super) fn framework_call(&mut self, call: &MoveCall) -> Results {
        self.run.meter.command(0);
        self.run.meter.objects(call.arguments.len());
        match (call.module.as_str(), call.function.as_str()) {
            ("coin", "zero") => {
                self.arity(call, 0)?;
                let currency = currency(call)?;
                self.new_coin(currency, Balance::ZERO)
            }
            ("coin", "destroy_zero") => {
                let coin = self.coin_by_value(call)?;
                self.execution.destroy_zero(&coin).map_err(failed)?;
                Ok(Vec::new())
            }
            ("coin", "into_balance") => {
                let coin = self.coin_by_value(call)?;
                let balance = self.execution.take_coin(&coin).map_err(failed)?;
                Ok(vec![ArgumentValue::Value(MoveValue {
                    tag: balance_type(currency(call)?).into(),
                    bytes: balance.value().to_le_bytes().to_vec(),
                    is_plain: false,
                })])
            }
            ("coin", "from_balance") => {
                let [argument] = self.arity(call, 1)? else {
                    return Err(ExecutionError::ArityMismatch);
                };
                let currency = currency(call)?;
                let value = self.typed_value(*argument, balance_type(currency.clone()))?;
                let amount = bcs::from_bytes(&value).map_err(|_| wrong(0, Wrong::TypeMismatch))?;
                self.new_coin(currency, amount)
            }
            ("package", "authorize_upgrade") => self.authorize_upgrade(call),
            ("package", "commit_upgrade") => self.commit_upgrade(call),
            _ => Err(ExecutionError::FunctionNotFound),
        }
    }

    fn arity<'c>(
        &self,
        call: &'c MoveCall,
        count: usize,
    ) -> Result<&'c [Argument], ExecutionError> {
        if call.arguments.len() == count {
            Ok(&call.arguments)
        } else {
            Err(ExecutionError::ArityMismatch)
        }
    }

    fn new_coin(&mut self, currency: TypeTag, balance: Balance) -> Results {
        let id = self.execution.new_coin(currency, balance).map_err(failed)?;
        Ok(vec![ArgumentValue::Object {
            id,
            usage: ObjectUse::Value,
        }])
    }

    /// The only argument of a call: a coin of the call's currency, by value.
    fn coin_by_value(&mut self, call: &MoveCall) -> Result<ObjectId, ExecutionError> {
        let [argument] = self.arity(call, 1)? else {
            return Err(ExecutionError::ArityMismatch);
        };
        let wanted = StructTag::coin(currency(call)?);
        let id = self.by_value(*argument, 0, false)?;
        let fits = self
            .execution
            .object(&id)
            .is_some_and(|object| object.object_type == wanted);
        fits.then_some(id).ok_or(wrong(0, Wrong::TypeMismatch))
    }

    /// Takes a value of exactly that type.
    fn typed_value(
        &mut self,
        argument: Argument,
        wanted: StructTag,
    ) -> Result<Vec<u8>, ExecutionError> {
        let bytes = match self.value(argument).map_err(|kind| wrong(0, kind))? {
            ArgumentValue::Value(value) if value.tag == TypeTag::from(wanted) => {
                value.bytes.clone()
            }
            ArgumentValue::Moved => return Err(wrong(0, Wrong::InvalidValueUsage)),
            _ => return Err(wrong(0, Wrong::TypeMismatch)),
        };
        self.take(argument);
        Ok(bytes)
    }

    /// The command `MakeMoveVec`.
    pub(super) fn make_vector(&mut self, vector: &MakeMoveVector) -> Results {
        self.run.meter.command(0);
        self.run.meter.objects(vector.elements.len());
        let mut element_type = vector.type_.clone();
        let mut is_plain = true;
        let mut bytes = uleb128(vector.elements.len());
        for (index, argument) in vector.elements.iter().enumerate() {
            let fail = |kind| wrong(index, kind);
            let (tag, element) = match self.value(*argument).map_err(fail)?.clone() {
                ArgumentValue::Pure(element) => {
                    let tag = vector.type_.clone().ok_or(fail(Wrong::TypeMismatch))?;
                    if !interface::is_value(self.contract, &tag, &element) {
                        return Err(fail(Wrong::InvalidBcsBytes));
                    }
                    (tag, element)
                }
                ArgumentValue::Value(value) => {
                    if !value.is_plain {
                        is_plain = false;
                        self.take(*argument);
                    }
                    (value.tag, value.bytes)
                }
                ArgumentValue::Object { .. } => {
                    is_plain = false;
                    let id = self.by_value(*argument, index, false)?;
                    let object = self
                        .execution
                        .object(&id)
                        .ok_or(fail(Wrong::InvalidValueUsage))?;
                    (object.object_type.clone().into(), object.contents.clone())
                }
                ArgumentValue::Moved => return Err(fail(Wrong::InvalidValueUsage)),
            };
            if *element_type.get_or_insert_with(|| tag.clone()) != tag {
                return Err(fail(Wrong::TypeMismatch));
            }
            bytes.extend(element);
        }
        let Some(element_type) = element_type else {
            return Err(ExecutionError::TypeArityMismatch);
        };
        is_plain &= interface::is_plain(self.contract, &element_type);
        Ok(vec![ArgumentValue::Value(MoveValue {
            tag: TypeTag::Vector(Box::new(element_type)),
            bytes,
            is_plain,
        })])
    }

    /// `package::authorize_upgrade(&mut UpgradeCap, u8, vector<u8>)`.
    fn authorize_upgrade(&mut self, call: &MoveCall) -> Results {
        let [cap, policy, digest] = self.arity(call, 3)? else {
            return Err(ExecutionError::ArityMismatch);
        };
        let (id, mut contents) = self.upgrade_cap(*cap)?;
        let policy = self.pure::<u8>(*policy, 1)?;
        let digest = self.pure::<Vec<u8>>(*digest, 2)?;
        let ticket = (id, contents.package, policy, digest);
        contents.package = ObjectId::ZERO;
        self.write_cap(&contents)?;
        self.package_value("UpgradeTicket", &ticket)
    }

    /// The command `Upgrade`. The new version has the old one's modules, because nothing here runs them.
    pub(super) fn upgrade(&mut self, upgrade: &Upgrade) -> Results {
        self.run
            .meter
            .command(upgrade.modules.iter().map(Vec::len).sum());
        let ticket = framework_struct("package", "UpgradeTicket", Vec::new());
        let ticket = self.typed_value(upgrade.ticket, ticket)?;
        let (cap, package, _, _): (ObjectId, ObjectId, u8, Vec<u8>) =
            bcs::from_bytes(&ticket).map_err(|_| wrong(0, Wrong::TypeMismatch))?;
        let current = self.store.live(&upgrade.package);
        let Some(ObjectData::Package(current)) = current.as_deref().map(Object::data) else {
            return Err(ExecutionError::PackageUpgradeError {
                kind: PackageUpgradeError::NotAPackage {
                    object_id: upgrade.package,
                },
            });
        };
        if package != upgrade.package {
            return Err(ExecutionError::PackageUpgradeError {
                kind: PackageUpgradeError::PackageIdDoesNotMatch {
                    package_id: upgrade.package,
                    ticket_id: package,
                },
            });
        }
        let new = MovePackage {
            id: self.execution.fresh_id(),
            version: current.version + 1,
            ..current.clone()
        };
        let receipt = (cap, new.id);
        self.run.packages.push(new);
        self.package_value("UpgradeReceipt", &receipt)
    }

    /// `package::commit_upgrade(&mut UpgradeCap, UpgradeReceipt)`.
    fn commit_upgrade(&mut self, call: &MoveCall) -> Results {
        let [cap, receipt] = self.arity(call, 2)? else {
            return Err(ExecutionError::ArityMismatch);
        };
        let (_, mut contents) = self.upgrade_cap(*cap)?;
        let receipt_type = framework_struct("package", "UpgradeReceipt", Vec::new());
        let receipt = self.typed_value(*receipt, receipt_type)?;
        let (_, package): (ObjectId, ObjectId) =
            bcs::from_bytes(&receipt).map_err(|_| wrong(1, Wrong::TypeMismatch))?;
        contents.package = package;
        contents.version += 1;
        self.write_cap(&contents)?;
        Ok(Vec::new())
    }

    fn upgrade_cap(
        &mut self,
        argument: Argument,
    ) -> Result<(ObjectId, UpgradeCap), ExecutionError> {
        let ArgumentValue::Object { id, .. } =
            self.value(argument).map_err(|kind| wrong(0, kind))?.clone()
        else {
            return Err(wrong(0, Wrong::TypeMismatch));
        };
        let wanted = framework_struct("package", "UpgradeCap", Vec::new());
        let contents = self
            .execution
            .object(&id)
            .filter(|object| object.object_type == wanted)
            .and_then(|object| bcs::from_bytes(&object.contents).ok())
            .ok_or(wrong(0, Wrong::TypeMismatch))?;
        Ok((id, contents))
    }

    fn write_cap(&mut self, cap: &UpgradeCap) -> Result<(), ExecutionError> {
        let contents = encode(cap)?;
        self.execution.update(&cap.id, contents).map_err(failed)
    }

    fn package_value<T: serde::Serialize>(&self, name: &'static str, value: &T) -> Results {
        Ok(vec![ArgumentValue::Value(MoveValue {
            tag: framework_struct("package", name, Vec::new()).into(),
            bytes: encode(value)?,
            is_plain: false,
        })])
    }
}

/// `0x2::package::UpgradeCap`.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct UpgradeCap {
    pub(crate) id: ObjectId,
    pub(crate) package: ObjectId,
    pub(crate) version: u64,
    pub(crate) policy: u8,
}

fn balance_type(currency: TypeTag) -> StructTag {
    framework_struct("balance", "Balance", vec![currency])
}

fn currency(call: &MoveCall) -> Result<TypeTag, ExecutionError> {
    match call.type_arguments.as_slice() {
        [currency] => Ok(currency.clone()),
        _ => Err(ExecutionError::TypeArityMismatch),
    }
}

fn failed(error: MoveError) -> ExecutionError {
    execution_error(&error)
}

fn encode<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, ExecutionError> {
    bcs::to_bytes(value).map_err(|_| ExecutionError::InvariantViolation)
}

/// A length as BCS writes it.
fn uleb128(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or_default();
        length >>= 7;
        if length == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
