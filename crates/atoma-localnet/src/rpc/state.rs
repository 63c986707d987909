//! StateService: the objects and balances that addresses own.

use sui_rpc::field::FieldMaskTree;
use sui_rpc::proto::sui::rpc::v2::dynamic_field::DynamicFieldKind;
use sui_rpc::proto::sui::rpc::v2::state_service_server::StateService;
use sui_rpc::proto::sui::rpc::v2::{self as proto, *};
use sui_sdk_types::{Address, Object, ObjectType, StructTag, TransactionEffects, TypeTag};
use tonic::{Code, Request, Response, Status};

use super::Service;
use super::render::{self, mask};
use super::view::lost;
use crate::chain::ObjectStore;
use crate::contract::ContractAddresses;
use crate::execution::status::{self, bad_request, missing};
use crate::faults::FaultKind;
use crate::genesis;

const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 1_000;

#[tonic::async_trait]
impl StateService for Service {
    async fn list_owned_objects(
        &self,
        request: Request<ListOwnedObjectsRequest>,
    ) -> Result<Response<ListOwnedObjectsResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        let owner = address("owner", request.owner.as_deref(), "")?;
        let object_type = request
            .object_type
            .as_deref()
            .map(|text| {
                text.parse::<StructTag>().map_err(|error| {
                    bad_request("object_type", &format!("invalid object_type: {error}"))
                })
            })
            .transpose()?;
        let mask =
            mask::<proto::Object>(request.read_mask.as_ref(), "object_id,version,object_type")?;
        let ledger = node.ledger()?;
        let objects = ledger.objects();
        let page = Page::new(request.page_size, request.page_token.as_deref())?;
        let is_wanted = |tag: &StructTag| matches(tag, object_type.as_ref());
        let mut found = objects
            .owned_after(&owner, page.after.as_ref(), is_wanted)
            .peekable();
        let faults = &self.faults;
        let is_hidden =
            found.peek().is_some() && faults.take(FaultKind::OwnedObjectsHidden).is_some();
        let found = found.take(if is_hidden { 0 } else { page.size + 1 });
        let (found, next) = page.cut(found.collect(), |(kind, (balance, id))| {
            (kind.name.clone(), *balance, *id)
        })?;
        let mut response = ListOwnedObjectsResponse::default();
        let is_stale = faults.take(FaultKind::StaleObjects).is_some();
        response.objects = found
            .iter()
            .filter_map(|(_, (_, id))| {
                let object = if is_stale {
                    objects.stale(id)
                } else {
                    objects.live(id)
                };
                Some(render::object(&*object?, &self.core.contract, &mask))
            })
            .collect();
        ledger.check_readable().map_err(lost)?;
        response.next_page_token = next;
        Ok(Response::new(response))
    }

    async fn list_dynamic_fields(
        &self,
        request: Request<ListDynamicFieldsRequest>,
    ) -> Result<Response<ListDynamicFieldsResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        let parent = address("parent", request.parent.as_deref(), "")?;
        let mask = mask::<DynamicField>(request.read_mask.as_ref(), "parent,field_id")?;
        let ledger = node.ledger()?;
        let objects = ledger.objects();
        let page = Page::new(request.page_size, request.page_token.as_deref())?;
        let after = page.after.as_ref().map(|(_, _, id)| *id);
        let fields = objects.fields(&parent, after, page.size + 1);
        let (fields, next) = page.cut(fields, |field| (String::new(), 0, field.object_id()))?;
        let mut response = ListDynamicFieldsResponse::default();
        for object in &fields {
            let view = FieldView {
                objects,
                contract: &self.core.contract,
                mask: &mask,
            };
            response.dynamic_fields.extend(view.render(parent, object));
        }
        ledger.check_readable().map_err(lost)?;
        response.next_page_token = next;
        Ok(Response::new(response))
    }

    async fn get_balance(
        &self,
        request: Request<GetBalanceRequest>,
    ) -> Result<Response<GetBalanceResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        let owner = address("owner", request.owner.as_deref(), "missing owner")?;
        let coin_type: TypeTag = coin_type(request.coin_type.as_deref())?.into();
        let ledger = node.ledger()?;
        let coins = ledger.objects().coins(&owner, &coin_type);
        let sum = coins.fold(0, |sum: u64, (balance, _)| sum.saturating_add(balance));
        let mut response = GetBalanceResponse::default();
        response.balance = Some(balance(coin_type.to_string(), sum));
        Ok(Response::new(response))
    }

    async fn list_balances(
        &self,
        request: Request<ListBalancesRequest>,
    ) -> Result<Response<ListBalancesResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        let owner = address("owner", request.owner.as_deref(), "missing owner")?;
        let ledger = node.ledger()?;
        let mut all = ledger.objects().balances(&owner);
        let page = Page::new(request.page_size, request.page_token.as_deref())?;
        if let Some((last, ..)) = &page.after {
            all.retain(|coin_type, _| coin_type > last);
        }
        let (found, next) = page.cut(all.into_iter().collect(), |(coin_type, _)| {
            (coin_type.clone(), 0, Address::ZERO)
        })?;
        let mut response = ListBalancesResponse::default();
        response.balances = found
            .into_iter()
            .map(|(coin_type, sum)| balance(coin_type, sum))
            .collect();
        response.next_page_token = next;
        Ok(Response::new(response))
    }

    async fn get_coin_info(
        &self,
        request: Request<GetCoinInfoRequest>,
    ) -> Result<Response<GetCoinInfoResponse>, Status> {
        self.begin().await?;
        let coin: StructTag = request.into_inner().coin_type().parse().map_err(|error| {
            status::new(Code::InvalidArgument, format!("invalid coin_type: {error}"))
        })?;
        let mut metadata = CoinMetadata::default();
        if coin == StructTag::sui() {
            let (decimals, name, symbol, description) = genesis::SUI_METADATA;
            metadata.decimals = Some(decimals.into());
            metadata.name = Some(name.to_owned());
            metadata.symbol = Some(symbol.to_owned());
            metadata.description = Some(description.to_owned());
        } else if TypeTag::from(coin.clone()) == self.core.contract.usdc() {
            metadata.decimals = Some(genesis::USDC_DECIMALS.into());
            metadata.name = Some(genesis::USDC_NAME.to_owned());
            metadata.symbol = Some(genesis::USDC_SYMBOL.to_owned());
            metadata.description = Some(genesis::USDC_DESCRIPTION.to_owned());
        } else {
            return Err(status::new(
                Code::NotFound,
                format!("Coin type {coin} not found"),
            ));
        }
        metadata.id = self.metadata_id(&coin).map(|id| id.to_string());
        let mut response = GetCoinInfoResponse::default();
        response.coin_type = Some(coin.to_string());
        response.metadata = Some(metadata);
        Ok(Response::new(response))
    }
}

impl Service {
    /// The id of a coin's `0x2::coin::CoinMetadata`, which genesis created.
    fn metadata_id(&self, coin: &StructTag) -> Option<Address> {
        let ledger = self.core.ledger();
        let genesis = ledger.record(0).ok()?.effects().ok()?;
        let TransactionEffects::V2(effects) = genesis else {
            return None;
        };
        effects
            .changed_objects
            .iter()
            .map(|change| change.object_id)
            .find(|id| {
                let object = ledger.objects().live(id);
                object
                    .as_deref()
                    .and_then(Object::as_struct)
                    .is_some_and(|data| {
                        data.object_type().name().as_str() == "CoinMetadata"
                            && data.object_type().type_params() == [coin.clone().into()]
                    })
            })
    }
}

/// The sort key of owned objects: by type, then coins by descending balance, then by id.
type Key = (String, u64, Address);

/// Whether a type is the requested one. Without parameters, the request is for all of that name.
fn matches(tag: &StructTag, requested: Option<&StructTag>) -> bool {
    requested.is_none_or(|requested| {
        tag.address() == requested.address()
            && tag.module() == requested.module()
            && tag.name() == requested.name()
            && (requested.type_params().is_empty() || tag.type_params() == requested.type_params())
    })
}

/// What part of a sorted list a request wants. A token is the last key of the page before, so changes
/// between two calls don't shift pages.
struct Page {
    size: usize,
    after: Option<Key>,
}

impl Page {
    fn new(size: Option<u32>, token: Option<&[u8]>) -> Result<Self, Status> {
        let size = size.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
        let after = token.map(bcs::from_bytes).transpose();
        Ok(Self {
            size: usize::try_from(size).unwrap_or(usize::MAX),
            after: after.map_err(|_| bad_request("page_token", "invalid page_token"))?,
        })
    }

    /// Cuts what was found after the last page to this one, and returns the token of the next page if
    /// there is more.
    fn cut<T>(
        &self,
        mut found: Vec<T>,
        key: impl Fn(&T) -> Key,
    ) -> Result<(Vec<T>, Option<bytes::Bytes>), Status> {
        let has_more = found.len() > self.size;
        found.truncate(self.size);
        let next = match found.last() {
            Some(last) if has_more => {
                let token = bcs::to_bytes(&key(last));
                Some(token.map_err(|error| Status::internal(error.to_string()))?)
            }
            _ => None,
        };
        Ok((found, next.map(Into::into)))
    }
}

fn balance(coin_type: String, sum: u64) -> Balance {
    let mut balance = Balance::default();
    balance.coin_type = Some(coin_type);
    balance.balance = Some(sum);
    balance.address_balance = Some(0);
    balance.coin_balance = Some(sum);
    balance
}

/// How a request wants to see dynamic fields.
struct FieldView<'a> {
    objects: &'a ObjectStore,
    contract: &'a ContractAddresses,
    mask: &'a FieldMaskTree,
}

impl FieldView<'_> {
    /// A dynamic field of `parent`; `None` if the object is something else.
    fn render(&self, parent: Address, object: &Object) -> Option<DynamicField> {
        let data = object.as_struct()?;
        let tag = data.object_type();
        let is_field = tag.module().as_str() == "dynamic_field" && tag.name().as_str() == "Field";
        let [name_type, value_type] = tag.type_params() else {
            return None;
        };
        if !is_field {
            return None;
        }
        let contents = data.contents().get(Address::LENGTH..)?;
        let mut field = DynamicField::default();
        field.parent = Some(parent.to_string());
        field.field_id = Some(object.object_id().to_string());
        // The value of an object field is the child's id, and its name is in a wrapper.
        let wrapped = match name_type {
            TypeTag::Struct(tag) if tag.module().as_str() == "dynamic_object_field" => {
                tag.type_params().first()
            }
            _ => None,
        };
        let value_bytes = match wrapped {
            Some(_) => Address::LENGTH,
            None => value_length(contents, name_type)?,
        };
        let split = contents.len().checked_sub(value_bytes)?;
        let (name, value) = contents.split_at_checked(split)?;
        field.name = Some(blob(wrapped.unwrap_or(name_type).to_string(), name));
        field.value = Some(blob(value_type.to_string(), value));
        if wrapped.is_some() {
            let child = Address::from_bytes(value).ok()?;
            field.set_kind(DynamicFieldKind::Object);
            field.child_id = Some(child.to_string());
            if let Some(child) = self.objects.live(&child) {
                if let ObjectType::Struct(tag) = child.object_type() {
                    field.value_type = Some(tag.to_string());
                }
                field.child_object = self.object("child_object", &child);
            }
        } else {
            field.set_kind(DynamicFieldKind::Field);
            field.value_type = Some(value_type.to_string());
        }
        field.field_object = self.object("field_object", object);
        Some(masked(field, self.mask))
    }

    /// An object of a field, if it is wanted.
    fn object(&self, name: &str, object: &Object) -> Option<proto::Object> {
        let mask = self.mask.subtree(name)?;
        Some(render::object(object, self.contract, &mask))
    }
}

/// The length of the value, by the length of the name before it.
fn value_length(contents: &[u8], name_type: &TypeTag) -> Option<usize> {
    let name = match name_type {
        TypeTag::Bool | TypeTag::U8 => 1,
        TypeTag::U16 => 2,
        TypeTag::U32 => 4,
        TypeTag::U64 => 8,
        TypeTag::U128 => 16,
        TypeTag::U256 | TypeTag::Address => 32,
        TypeTag::Struct(tag) if tag.name().as_str() == "String" => {
            // Assumes a name shorter than 128 bytes, whose length is one byte.
            1 + usize::from(*contents.first()?)
        }
        // The contract's small ids are structs of one `u64`.
        TypeTag::Struct(_) => 8,
        _ => return None,
    };
    contents.len().checked_sub(name)
}

fn blob(name: String, value: &[u8]) -> Bcs {
    let mut blob = Bcs::default();
    blob.name = Some(name);
    blob.value = Some(value.to_vec().into());
    blob
}

/// The parts of a field that are wanted.
fn masked(full: DynamicField, mask: &FieldMaskTree) -> DynamicField {
    let mut field = DynamicField::default();
    field.field_object = full.field_object;
    field.child_object = full.child_object;
    macro_rules! keep {
        ($($name:ident),*) => {
            $(if mask.contains(stringify!($name)) {
                field.$name = full.$name;
            })*
        };
    }
    keep!(kind, parent, field_id, name, value, value_type, child_id);
    field
}

/// The address in a field. What a full node says of one that is missing differs by call.
fn address(field: &str, text: Option<&str>, if_missing: &str) -> Result<Address, Status> {
    text.ok_or_else(|| missing(field, if_missing))?
        .parse()
        // The words are the same for the parent of dynamic fields.
        .map_err(|error| bad_request(field, &format!("invalid owner: {error}")))
}

fn coin_type(text: Option<&str>) -> Result<StructTag, Status> {
    text.ok_or_else(|| missing("coin_type", "missing coin_type"))?
        .parse()
        .map_err(|error| bad_request("coin_type", &format!("invalid coin_type: {error}")))
}
