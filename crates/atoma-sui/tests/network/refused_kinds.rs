//! What refusals mean to the daemon that its own transactions never meet: inputs and packages of the wrong kind,
//! transactions of the system, and what the local network lacks.

use atoma_domain::contract::ContractCall;
use atoma_domain::ports::{Chain as _, ChainError, Refusal, RefusalKind, SimulatedGas};
use sui_rpc::field::{FieldMask, FieldMaskUtil};
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::{
    Address, Command, ConsensusCommitPrologue, Input, MoveCall, ObjectReference, SharedInput,
    Transaction, TransactionKind,
};

use crate::refusal_table::{Meaning, commands, good, meaning, sign};
use crate::support::{PRICE, TestNetwork};

impl TestNetwork {
    async fn read(&self, id: &Address, mask: &str) -> proto::Object {
        let request = proto::GetObjectRequest::new(id).with_read_mask(FieldMask::from_str(mask));
        let mut client = self.client();
        let object = client.ledger_client().get_object(request).await.unwrap();
        object.into_inner().object.unwrap()
    }

    async fn reference(&self, id: &Address) -> ObjectReference {
        let object = self.read(id, "object_id,version,digest").await;
        (&object.object_reference()).try_into().unwrap()
    }

    fn client(&self) -> sui_rpc::Client {
        sui_rpc::Client::new(self.localnet.url()).unwrap()
    }

    /// The entry of a task in the contract's table.
    async fn child(&self) -> ObjectReference {
        let db = self.localnet.addresses().atoma_db;
        let db = self.read(&db, "contents").await;
        // Two ids and three counters, a table and another precede the table of tasks.
        let at = 32 + 32 + 24 + 40 + 40;
        let table = Address::from_bytes(&db.contents().value()[at..at + 32]).unwrap();
        let mut request = proto::ListDynamicFieldsRequest::default();
        request.parent = Some(table.to_string());
        let mut client = self.client();
        let fields = client.state_client().list_dynamic_fields(request).await;
        let fields = fields.unwrap().into_inner().dynamic_fields;
        self.reference(&fields[0].field_id().parse().unwrap()).await
    }
}

#[tokio::test]
async fn refusals_of_kinds_have_their_meanings() {
    let network = TestNetwork::start().await;
    let operator = network.operator(0, &[]).await;
    let good = good(&network, &operator).await;
    let addresses = network.localnet.addresses();
    let package = network.reference(&addresses.package).await;
    let db = network.reference(&addresses.atoma_db).await;
    let badge = network.reference(&operator.badge).await;
    let child = network.child().await;
    let changed = |change: &dyn Fn(&mut Transaction)| {
        let mut transaction = good.clone();
        change(&mut transaction);
        transaction
    };
    let with_input = |input: Input| changed(&|t| commands(t).inputs.push(input.clone()));
    // Without the calls, which would take another input.
    let only_input = |input: Input| {
        changed(&|t| {
            commands(t).commands.clear();
            commands(t).inputs = vec![input.clone()];
        })
    };
    let invalid = || Meaning::Refused(RefusalKind::Invalid);
    let unusable = |object| Meaning::Refused(RefusalKind::ObjectNotUsable { object });
    let rows = vec![
        (
            "a package as an object",
            with_input(Input::ImmutableOrOwned(package.clone())),
            invalid(),
        ),
        (
            "an object as a package",
            changed(&|t| {
                commands(t).commands.push(Command::MoveCall(MoveCall {
                    package: operator.badge,
                    module: "m".parse().unwrap(),
                    function: "f".parse().unwrap(),
                    type_arguments: vec![],
                    arguments: vec![],
                }));
            }),
            invalid(),
        ),
        (
            "a package as gas",
            changed(&|t| t.gas_payment.objects = vec![package.clone()]),
            unusable(None),
        ),
        (
            "a child object",
            with_input(Input::ImmutableOrOwned(child.clone())),
            unusable(Some(*child.object_id())),
        ),
        (
            "a shared object as owned",
            only_input(Input::ImmutableOrOwned(db)),
            invalid(),
        ),
        (
            "`&mut Clock`",
            with_input(Input::Shared(SharedInput::new(
                Address::from_static("0x6"),
                1,
                true,
            ))),
            invalid(),
        ),
        (
            "a transaction of the system",
            changed(&|t| {
                t.kind = TransactionKind::ConsensusCommitPrologue(ConsensusCommitPrologue {
                    epoch: 0,
                    round: 1,
                    commit_timestamp_ms: 1,
                });
            }),
            invalid(),
        ),
        // A Sui network may execute it, and a proxy can answer so too.
        (
            "what the local network lacks",
            only_input(Input::Receiving(badge)),
            Meaning::Unknown,
        ),
    ];
    for (row, transaction, wanted) in rows {
        let signed = sign(&operator, &transaction).await;
        let result = network.chain.execute(&signed).await;
        assert_eq!(meaning(result), wanted, "{row}");
    }
    let signed = sign(&operator, &good).await;
    network.chain.execute(&signed).await.unwrap();
}

/// A full node answers `Internal` when it is asked to simulate what has expired.
#[tokio::test]
async fn an_expired_simulation_has_its_meaning() {
    let network = TestNetwork::start().await;
    let operator = network.operator(0, &[]).await;
    let task = network.task(0);
    let subscribe = ContractCall::SubscribeToTask { task, price: PRICE };
    let badge = Some(operator.badge);
    let plan = network.plan(&operator.signer, badge, &[subscribe]).await;
    let unsigned = network.chain.build(&plan).unwrap();
    network.localnet.advance_epoch().unwrap();
    for gas in [SimulatedGas::Ample, SimulatedGas::AsPlanned] {
        let Err(ChainError::Answer(source)) = network.chain.simulate(&unsigned, gas).await else {
            panic!("an expired transaction can't be simulated");
        };
        let refusal = source.downcast_ref::<Refusal>().unwrap();
        assert_eq!(refusal.kind, RefusalKind::Expired);
    }
}
