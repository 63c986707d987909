//! Shared by the tests of the network: accounts, transactions and gRPC clients.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    unreachable_pub,
    missing_debug_implementations,
    reason = "shared by test binaries"
)]

pub mod disk;

use atoma_localnet::{LocalNet, LocalNetConfig, ObjectId};
use futures::StreamExt;
use sui_crypto::SuiSigner;
use sui_crypto::ed25519::Ed25519PrivateKey;
use sui_rpc::Client;
use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{
    Address, Argument, Command, GasPayment, Identifier, Input, MoveCall, ObjectReference,
    ProgrammableTransaction, SharedInput, SplitCoins, StructTag, Transaction, TransactionEffects,
    TransactionEffectsV2, TransactionExpiration, TransactionKind, TransferObjects, UserSignature,
};

/// A running network, a client, and an account with coins.
pub struct Fixture {
    pub network: LocalNet,
    pub client: Client,
    pub alice: TestAccount,
}

/// An account.
pub struct TestAccount {
    pub key: Ed25519PrivateKey,
    pub address: Address,
}

impl TestAccount {
    pub fn new(byte: u8) -> Self {
        Self::of(Ed25519PrivateKey::new([byte; 32]))
    }

    pub fn of(key: Ed25519PrivateKey) -> Self {
        let address = key.public_key().derive_address();
        Self { key, address }
    }
}

pub const SUI: u64 = 1_000_000_000;

impl Fixture {
    pub async fn start() -> Self {
        Self::with(LocalNetConfig::default()).await
    }

    pub async fn with(config: LocalNetConfig) -> Self {
        let network = LocalNet::start(config).await.unwrap();
        let client = Client::new(network.url()).unwrap();
        let alice = TestAccount::new(7);
        if network.state().unwrap()["balances"]
            .get(alice.address.to_string())
            .is_none()
        {
            network
                .faucet_coins(alice.address, &[10 * SUI, 20 * SUI])
                .unwrap();
        }
        Self {
            network,
            client,
            alice,
        }
    }

    /// The first page of a table's fields; with these of their properties, or the default ones.
    pub async fn dynamic_fields(
        &self,
        table: &str,
        properties: Option<&str>,
    ) -> Vec<proto::DynamicField> {
        let mut request = proto::ListDynamicFieldsRequest::default();
        request.parent = Some(table.to_owned());
        request.read_mask = properties.map(FieldMask::from_str);
        let mut client = self.client.clone();
        let response = client.state_client().list_dynamic_fields(request).await;
        response.unwrap().into_inner().dynamic_fields
    }

    /// The account's coins, the largest first.
    pub async fn coins(&self, owner: Address) -> Vec<ObjectReference> {
        self.owned(owner, &StructTag::gas_coin().to_string()).await
    }

    pub async fn owned(&self, owner: Address, object_type: &str) -> Vec<ObjectReference> {
        let request = proto::ListOwnedObjectsRequest::default()
            .with_owner(owner.to_string())
            .with_object_type(object_type)
            .with_read_mask(FieldMask::from_str("object_id,version,digest"));
        self.client
            .list_owned_objects(request)
            .map(|object| (&object.unwrap().object_reference()).try_into().unwrap())
            .collect()
            .await
    }

    /// The first badge of the given type that the account owns.
    pub async fn badge(&self, owner: Address, name: &str) -> ObjectReference {
        let package = self.network.addresses().package;
        self.owned(owner, &format!("{package}::db::{name}"))
            .await
            .remove(0)
    }

    pub async fn object(&self, id: &ObjectId) -> proto::Object {
        let request = proto::GetObjectRequest::new(id).with_read_mask(FieldMask::from_str("*"));
        self.client
            .clone()
            .ledger_client()
            .get_object(request)
            .await
            .unwrap()
            .into_inner()
            .object
            .unwrap()
    }

    pub async fn execute(
        &self,
        transaction: &Transaction,
    ) -> Result<proto::ExecutedTransaction, tonic::Status> {
        let signature = self.alice.key.sign_transaction(transaction).unwrap();
        self.send(transaction, vec![signature]).await
    }

    pub async fn send(
        &self,
        transaction: &Transaction,
        signatures: Vec<UserSignature>,
    ) -> Result<proto::ExecutedTransaction, tonic::Status> {
        let mut request = proto::ExecuteTransactionRequest::new(transaction.clone().into())
            .with_read_mask(FieldMask::from_str("*"));
        request.signatures = signatures.into_iter().map(Into::into).collect();
        let response = self
            .client
            .clone()
            .execution_client()
            .execute_transaction(request)
            .await?;
        Ok(response.into_inner().transaction.unwrap())
    }

    /// A contract call by the account, paid with its largest coin.
    pub async fn call(&self, function: &'static str, inputs: Vec<Input>) -> Transaction {
        let gas = self.coins(self.alice.address).await.remove(0);
        let arguments = (0..u16::try_from(inputs.len()).unwrap())
            .map(Argument::Input)
            .collect();
        let call = MoveCall {
            package: self.network.addresses().package,
            module: Identifier::from_static("db"),
            function: Identifier::from_static(function),
            type_arguments: vec![],
            arguments,
        };
        transaction(
            self.alice.address,
            gas,
            inputs,
            vec![Command::MoveCall(call)],
        )
    }

    pub fn db(&self) -> Input {
        let addresses = self.network.addresses();
        Input::Shared(SharedInput::new(
            addresses.atoma_db,
            addresses.atoma_db_initial_shared_version,
            true,
        ))
    }

    /// Registers a node of the account, and subscribes it to a new task of the given security level.
    pub async fn node_and_task(&self, security_level: u16) -> (u64, u64) {
        let executed = self
            .execute(&self.call("register_node_entry", vec![self.db()]).await)
            .await
            .unwrap();
        assert_success(&executed);
        let badge = self.badge(self.alice.address, "NodeBadge").await;
        let contents = self.object(badge.object_id()).await;
        let (_, node): (Address, u64) = bcs::from_bytes(contents.contents().value()).unwrap();
        let task = self
            .network
            .create_task(&atoma_localnet::NewTask {
                role: 1,
                model_name: Some("model".to_owned()),
                security_level,
                minimum_reputation_score: None,
                is_public: true,
            })
            .unwrap()
            .get();
        let inputs = vec![
            self.db(),
            Input::ImmutableOrOwned(badge),
            pure(&task),
            pure(&1_000_u64),
        ];
        let executed = self
            .execute(&self.call("subscribe_node_to_task", inputs).await)
            .await
            .unwrap();
        assert_success(&executed);
        (node, task)
    }
}

pub fn random() -> Input {
    Input::Shared(SharedInput::new(Address::from_static("0x8"), 1, false))
}

pub fn pure<T: serde::Serialize>(value: &T) -> Input {
    Input::Pure(bcs::to_bytes(value).unwrap())
}

pub fn transaction(
    sender: Address,
    gas: ObjectReference,
    inputs: Vec<Input>,
    commands: Vec<Command>,
) -> Transaction {
    Transaction {
        kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction {
            inputs,
            commands,
        }),
        sender,
        gas_payment: GasPayment {
            objects: vec![gas],
            owner: sender,
            price: 1_000,
            budget: SUI,
        },
        expiration: TransactionExpiration::None,
    }
}

/// Splits `amount` off the gas coin and transfers it to `to`.
pub fn transfer(sender: Address, gas: ObjectReference, amount: u64, to: Address) -> Transaction {
    transaction(
        sender,
        gas,
        vec![pure(&amount), pure(&to)],
        vec![
            Command::SplitCoins(SplitCoins {
                coin: Argument::Gas,
                amounts: vec![Argument::Input(0)],
            }),
            Command::TransferObjects(TransferObjects {
                objects: vec![Argument::Result(0)],
                address: Argument::Input(1),
            }),
        ],
    )
}

pub fn effects(executed: &proto::ExecutedTransaction) -> TransactionEffectsV2 {
    match TransactionEffects::try_from(executed.effects()).unwrap() {
        TransactionEffects::V2(effects) => *effects,
        TransactionEffects::V1(_) => panic!("effects of version 1"),
    }
}

#[track_caller]
pub fn assert_success(executed: &proto::ExecutedTransaction) {
    let status = executed.effects().status();
    assert!(status.success(), "{:?}", status.error());
}
