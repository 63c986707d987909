//! Listing the stacks that exist.

use atoma_domain::StackSmallId;
use atoma_domain::ports::{ChainError, StackPage};
use bytes::Bytes;
use sui_rpc::field::{FieldMask, FieldMaskUtil as _};
use sui_rpc::proto::sui::rpc::v2 as proto;

use crate::chain::sui_chain::SuiChain;
use crate::refusal::read_error;
use crate::response::malformed;

/// The most entries that a node lists in a page.
const PAGE: u32 = 1_000;

impl SuiChain {
    pub(super) async fn read_stack_page(
        &self,
        after: Option<Bytes>,
    ) -> Result<StackPage, ChainError> {
        let table = self.facts().await?.stacks;
        let mut request = proto::ListDynamicFieldsRequest::default()
            .with_parent(table.to_string())
            .with_page_size(PAGE)
            .with_read_mask(FieldMask::from_paths(["field_id", "name"]));
        request.page_token = after;
        let response = self
            .connection
            .client()
            .state_client()
            .list_dynamic_fields(self.connection.timed(request))
            .await
            .map_err(read_error)?
            .into_inner();
        let stacks = response.dynamic_fields.iter().map(|field| {
            let name = field.name.as_ref().and_then(|name| name.value.as_deref());
            let key = name.and_then(|name| <[u8; 8]>::try_from(name).ok());
            let key = key.ok_or(malformed("the key of a stack"))?;
            Ok(StackSmallId::new(u64::from_le_bytes(key)))
        });
        Ok(StackPage {
            stacks: stacks.collect::<Result<_, ChainError>>()?,
            next: response.next_page_token.filter(|token| !token.is_empty()),
        })
    }
}
