//! Public keys of nodes: committing to one, and those that the mirror knows.

use actix_web::http::Method;
use actix_web::web::{Data, Path};
use atoma_api_types::{DigestView, NodeKeyView, RotateKeyRequest};
use atoma_operator::{KeyCommitment, Operator};

use super::beginnings::{state_list, transaction_request};
use super::endpoint::Endpoint;
use super::node_path::nodes;
use crate::body::JsonBody;
use crate::error::ApiResult;
use crate::lists::ListRequest;
use crate::openapi::codes;
use crate::paging::one_more;
use crate::params::{gas, node};
use crate::request_context::RequestContext;
use crate::views::{digest_view, done_response, node_key_view};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::at("/rotate_node_key").write(
            Method::POST,
            transaction_request(
                "rotate_node_key",
                "Commits to a node's public key in the network's current key rotation.",
            )
            .takes::<RotateKeyRequest>()
            .answers::<DigestView>(200, "The transaction executed, or would succeed.")
            .errors(&["key_already_rotated", "not_the_key_rotation"]),
            rotate_node_key,
        ),
        Endpoint::at("/node_keys").get(
            state_list(
                "list_node_keys",
                "Lists the public keys that the operator's nodes have committed to.",
            )
            .lists::<NodeKeyView>(),
            node_keys,
        ),
        Endpoint::at("/node_keys/{node_small_id}").get(
            state_list(
                "list_node_keys_of_node",
                "Lists the public key that one of the operator's nodes has committed to, if it has.",
            )
            .lists::<NodeKeyView>()
            .errors(codes::NODE),
            node_keys_of,
        ),
    ]
}

async fn rotate_node_key(context: RequestContext, body: JsonBody<RotateKeyRequest>) -> ApiResult {
    let operator = context.operator(&body);
    let request = body.value;
    let (node, gas) = (node(&request.options), gas(&request.options));
    let commitment = KeyCommitment {
        public_key_commitment: request.public_key_commitment,
        evidence: request.evidence,
        device_type: request.device_type,
        key_rotation_counter: request.key_rotation_counter,
    };
    let done = operator.rotate_key(commitment, node, gas).await?;
    Ok(done_response(&done).json(digest_view(done)))
}

async fn node_keys(operator: Data<Operator>, list: ListRequest) -> ApiResult {
    list_node_keys(&operator, list, None).await
}

async fn node_keys_of(
    operator: Data<Operator>,
    list: ListRequest,
    node: Path<String>,
) -> ApiResult {
    list_node_keys(&operator, list, Some(&node)).await
}

async fn list_node_keys(operator: &Operator, list: ListRequest, node: Option<&str>) -> ApiResult {
    let nodes = nodes(operator, node).await?;
    let page = list.page()?;
    let state = &operator.ports().state;
    let keys = state.node_keys(&nodes, one_more(page)).await?;
    list.respond(page, keys, |key| key.node_small_id, node_key_view)
        .await
}
