//! The commands that send transactions.

use atoma_api_types::{
    AttestRequest, ClaimRequest, DisputeRequest, IgnoredFields, ModelSubscribeRequest, Price,
    RegisterRequest, SettleRequest, TaskSubscribeRequest, TaskUnsubscribeRequest,
};
use atoma_client::{Client, Write};
use atoma_domain::{
    ComputeUnits, EchelonId, MicroUsdc, PricePerMillion, StackSmallId, TaskSmallId,
};
use atoma_operator::LONGEST_MODEL_NAME;
use clap::{Args, Subcommand};

use super::connection::Connection;
use super::rotate_key::RotateKeyArgs;
use super::spend::{Acting, Spending};
use super::stacks::Stacks;
use super::table::plain;
use super::withdraw::WithdrawArgs;
use crate::amounts::usdc;
use crate::exit;

/// The commands that send transactions.
#[derive(Debug, Subcommand)]
pub(super) enum RequestCommand {
    /// Settle stacks: claim the units that were computed.
    #[command(after_help = exit::HELP)]
    Settle(SettleArgs),
    /// Attest settlements that name the operator's nodes.
    #[command(after_help = exit::HELP)]
    Attest(AttestArgs),
    /// Claim the funds of settled stacks.
    #[command(after_help = exit::HELP)]
    Claim(ClaimArgs),
    /// Collect the shares that the contract owes a node for its attestations.
    #[command(after_help = exit::HELP)]
    Withdraw(WithdrawArgs),
    /// Raise a dispute against the settlement of a stack.
    #[command(after_help = exit::HELP)]
    Dispute(DisputeArgs),
    /// Register a node for the operator's address.
    #[command(after_help = exit::HELP)]
    Register(RegisterArgs),
    /// Subscribe a node to a task or a model, or change the price.
    #[command(after_help = exit::HELP)]
    Subscribe(SubscribeArgs),
    /// End a node's subscription to a task.
    #[command(after_help = exit::HELP)]
    Unsubscribe(UnsubscribeArgs),
    /// Commit to a node's public key in the network's current key rotation.
    #[command(after_help = exit::HELP)]
    RotateKey(RotateKeyArgs),
}

/// The flags of `settle`.
#[derive(Debug, Args)]
pub(super) struct SettleArgs {
    #[command(flatten)]
    stacks: Stacks,
    /// Compute units that each stack claims. By default these are the recorded ones.
    #[arg(long, value_name = "UNITS")]
    units: Option<u64>,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    spending: Spending,
}

/// The flags of `attest`.
#[derive(Debug, Args)]
pub(super) struct AttestArgs {
    #[command(flatten)]
    stacks: Stacks,
    /// Attest even where the commitment differs from the settlement's, which raises a dispute.
    #[arg(long)]
    allow_dispute: bool,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    spending: Spending,
}

/// The flags of `claim`.
#[derive(Debug, Args)]
pub(super) struct ClaimArgs {
    #[command(flatten)]
    stacks: Stacks,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    spending: Spending,
}

/// The flags of `dispute`.
#[derive(Debug, Args)]
pub(super) struct DisputeArgs {
    /// Small id of the stack.
    #[arg(value_name = "STACK")]
    stack: StackSmallId,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    spending: Spending,
}

/// The flags of `register`.
#[derive(Debug, Args)]
pub(super) struct RegisterArgs {
    /// Register one more node although the address owns a badge.
    #[arg(long)]
    additional: bool,
    #[command(flatten)]
    spending: Spending,
}

/// The flags of `subscribe`.
#[derive(Debug, Args)]
pub(super) struct SubscribeArgs {
    /// Small id of the task.
    #[arg(
        long,
        value_name = "ID",
        required_unless_present = "model",
        requires = "price"
    )]
    task: Option<TaskSmallId>,
    /// Price in micro-USDC for a million compute units.
    #[arg(long, value_name = "MICRO_USDC")]
    price: Option<u64>,
    /// Change the price of a subscription that is there.
    #[arg(long, requires = "task")]
    update: bool,
    /// Name of a model, instead of a task.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["task", "price"], requires = "echelon", value_parser = model_name)]
    model: Option<String>,
    /// Echelon of the model.
    #[arg(long, value_name = "ID", requires = "model")]
    echelon: Option<EchelonId>,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    spending: Spending,
}

/// The name of a model, as the contract takes it.
fn model_name(name: &str) -> Result<String, String> {
    if (1..=LONGEST_MODEL_NAME).contains(&name.len()) && name.is_ascii() {
        return Ok(name.to_owned());
    }
    Err(format!(
        "it must be 1 to {LONGEST_MODEL_NAME} ASCII characters"
    ))
}

/// The flags of `unsubscribe`.
#[derive(Debug, Args)]
pub(super) struct UnsubscribeArgs {
    /// Small id of the task.
    #[arg(long, value_name = "ID")]
    task: TaskSmallId,
    #[command(flatten)]
    acting: Acting,
    #[command(flatten)]
    spending: Spending,
}

impl RequestCommand {
    /// How the daemon is reached.
    pub(super) const fn connection(&self) -> &Connection {
        let spending = match self {
            Self::Settle(args) => &args.spending,
            Self::Attest(args) => &args.spending,
            Self::Claim(args) => &args.spending,
            Self::Withdraw(args) => args.spending(),
            Self::Dispute(args) => &args.spending,
            Self::Register(args) => &args.spending,
            Self::Subscribe(args) => &args.spending,
            Self::Unsubscribe(args) => &args.spending,
            Self::RotateKey(args) => args.spending(),
        };
        spending.connection()
    }

    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Settle(args) => args.run().await,
            Self::Attest(args) => args.run().await,
            Self::Claim(args) => args.run().await,
            Self::Withdraw(args) => args.run().await,
            Self::Dispute(args) => args.run().await,
            Self::Register(args) => args.run().await,
            Self::Subscribe(args) => args.run().await,
            Self::Unsubscribe(args) => args.run().await,
            Self::RotateKey(args) => args.run().await,
        }
    }
}

impl SettleArgs {
    async fn run(self) -> anyhow::Result<()> {
        let what = format!("Settle {}", self.stacks.phrase());
        let request = SettleRequest {
            options: self.spending.options(self.acting),
            stack_small_ids: self.stacks.checked()?,
            num_claimed_compute_units: self.units.map(ComputeUnits::new),
            ignored: IgnoredFields::default(),
        };
        let call = async |client: &Client, write: &Write| client.settle(&request, write).await;
        self.spending.run(&what, call).await
    }
}

impl AttestArgs {
    /// Attesting a settlement that differs can't be undone.
    fn question(&self) -> String {
        let freezes = if self.allow_dispute {
            ", and freeze the funds of those with another commitment permanently"
        } else {
            ""
        };
        format!("Attest {}{freezes}", self.stacks.phrase())
    }

    async fn run(self) -> anyhow::Result<()> {
        let what = self.question();
        let request = AttestRequest {
            options: self.spending.options(self.acting),
            stack_small_ids: self.stacks.checked()?,
            allow_dispute: self.allow_dispute,
            ignored: IgnoredFields::default(),
        };
        let call = async |client: &Client, write: &Write| client.attest(&request, write).await;
        self.spending.run(&what, call).await
    }
}

impl ClaimArgs {
    async fn run(self) -> anyhow::Result<()> {
        let what = format!("Claim {}", self.stacks.phrase());
        let request = ClaimRequest {
            options: self.spending.options(self.acting),
            stack_small_ids: self.stacks.checked()?,
            ignored: IgnoredFields::default(),
        };
        let call = async |client: &Client, write: &Write| client.claim(&request, write).await;
        self.spending.run(&what, call).await
    }
}

impl DisputeArgs {
    async fn run(self) -> anyhow::Result<()> {
        let stack = self.stack;
        let what =
            format!("Dispute the settlement of stack {stack}, and freeze its funds permanently");
        let request = DisputeRequest {
            options: self.spending.options(self.acting),
            stack_small_id: self.stack,
        };
        let call = async |client: &Client, write: &Write| client.dispute(&request, write).await;
        self.spending.run(&what, call).await
    }
}

impl RegisterArgs {
    async fn run(self) -> anyhow::Result<()> {
        let request = RegisterRequest {
            options: self.spending.options(Acting::default()),
            additional: self.additional,
        };
        let call = async |client: &Client, write: &Write| client.register(&request, write).await;
        self.spending.run("Register a node", call).await
    }
}

impl SubscribeArgs {
    async fn run(self) -> anyhow::Result<()> {
        let options = self.spending.options(self.acting);
        if let (Some(model_name), Some(echelon_id)) = (self.model, self.echelon) {
            let what = format!("Subscribe to the model {}", plain(&model_name));
            let request = ModelSubscribeRequest {
                options,
                model_name,
                echelon_id,
            };
            let call = async |client: &Client, write: &Write| {
                client.subscribe_to_model(&request, write).await
            };
            return self.spending.run(&what, call).await;
        }
        let (Some(task_small_id), Some(price)) = (self.task, self.price) else {
            let sentence = "name a task and its price with `--task` and `--price`";
            return Err(exit::UsageError(sentence.to_owned()).into());
        };
        let verb = if self.update {
            "Change the subscription"
        } else {
            "Subscribe"
        };
        let each = usdc(MicroUsdc::new(price));
        let what = format!("{verb} to task {task_small_id} for {each} per million compute units");
        let request = TaskSubscribeRequest {
            options,
            price: Price {
                price_per_compute_unit: None,
                price_per_one_million_compute_units: Some(PricePerMillion::new(price)),
            },
            task_small_id,
            max_num_compute_units: None,
            ignored: IgnoredFields::default(),
        };
        let call = async |client: &Client, write: &Write| {
            if self.update {
                client.update_subscription(&request, write).await
            } else {
                client.subscribe(&request, write).await
            }
        };
        self.spending.run(&what, call).await
    }
}

impl UnsubscribeArgs {
    async fn run(self) -> anyhow::Result<()> {
        let what = format!("End the subscription to task {}", self.task);
        let request = TaskUnsubscribeRequest {
            options: self.spending.options(self.acting),
            task_small_id: self.task,
        };
        let call = async |client: &Client, write: &Write| client.unsubscribe(&request, write).await;
        self.spending.run(&what, call).await
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Attest {
        #[command(flatten)]
        args: AttestArgs,
    }

    #[test]
    fn the_question_says_what_can_not_be_undone() {
        let question = |flags: &[&str]| {
            let arguments = ["attest", "1", "2"].iter().chain(flags);
            Attest::parse_from(arguments).args.question()
        };
        assert_eq!(question(&[]), "Attest 2 stacks");
        assert_eq!(
            question(&["--allow-dispute"]),
            "Attest 2 stacks, and freeze the funds of those with another commitment permanently"
        );
    }
}
