//! Which currency the contract uses: the coin type that its purchase takes.

use atoma_domain::ObjectId;
use atoma_domain::ports::ChainError;
use sui_rpc::proto::sui::rpc::v2 as proto;
use sui_sdk_types::TypeTag;

use crate::abi::MODULE;
use crate::connection::Connection;
use crate::refusal::read_error;
use crate::response::{malformed, parse};

/// A function that takes a `&mut Coin<USDC>` as its second parameter.
const PURCHASE: &str = "acquire_new_stack_entry";

/// Reads the type from the signature of the purchase.
///
/// # Errors
/// When the node can't be reached, or doesn't describe the function so.
pub(super) async fn read(
    connection: &Connection,
    package: ObjectId,
) -> Result<TypeTag, ChainError> {
    let request = proto::GetFunctionRequest::new(&package, MODULE, PURCHASE);
    let mut client = connection.client();
    let mut client = client.package_client();
    let response = client.get_function(connection.timed(request)).await;
    let function = response.map_err(read_error)?.into_inner().function;
    let wallet = function.and_then(|function| function.parameters.into_iter().nth(1));
    let coin = wallet.and_then(|wallet| wallet.body);
    let coin = coin.ok_or(malformed("the wallet of a purchase"))?;
    let currency = coin.type_parameter_instantiation.first();
    let currency = currency.and_then(|currency| currency.type_name.as_deref());
    parse(currency, "the currency of the contract")
}
