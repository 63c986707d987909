//! MovePackageService: packages and their versions, datatypes and functions.

use sui_rpc::proto::sui::rpc::v2::datatype_descriptor::DatatypeKind;
use sui_rpc::proto::sui::rpc::v2::function_descriptor::Visibility;
use sui_rpc::proto::sui::rpc::v2::move_package_service_server::MovePackageService;
use sui_rpc::proto::sui::rpc::v2::*;
use sui_sdk_types::{Address, MovePackage};
use tonic::{Code, Request, Response, Status};

use super::Service;
use super::signatures::{constraints, open, parsed, signature};
use crate::chain::Ledger;
use crate::contract::abi::{self, Passing};
use crate::contract::{self, ContractAddresses};
use crate::execution::status::{self, bad_request, missing};
use crate::interface::{Datatype, FrameworkFunction, PackageName};

/// The versions in a page, unless fewer are requested.
const PAGE: u32 = 1_000;
const MAX_PAGE: u32 = 10_000;

#[tonic::async_trait]
impl MovePackageService for Service {
    async fn get_package(
        &self,
        request: Request<GetPackageRequest>,
    ) -> Result<Response<GetPackageResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let id = package_id(request.into_inner().package_id.as_deref())?;
        let ledger = node.ledger()?;
        let package = find(&ledger, id)?;
        let message = describe(package, &self.core.contract);
        Ok(Response::new(GetPackageResponse::new(message)))
    }

    async fn get_datatype(
        &self,
        request: Request<GetDatatypeRequest>,
    ) -> Result<Response<GetDatatypeResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        let (id, module, name) = named_item(
            request.package_id.as_deref(),
            request.module_name.as_deref(),
            request.name.as_deref(),
        )?;
        let ledger = node.ledger()?;
        let package = find(&ledger, id)?;
        let contract = &self.core.contract;
        let datatype = named(package, contract)
            .and_then(|known| known.datatype(module, name))
            .ok_or_else(|| status::new(Code::Internal, format!("Datatype '{name}' not found")))?;
        let message = datatype_message(datatype, contract::original_id(package), contract);
        let mut response = GetDatatypeResponse::default();
        response.datatype = Some(message);
        Ok(Response::new(response))
    }

    async fn get_function(
        &self,
        request: Request<GetFunctionRequest>,
    ) -> Result<Response<GetFunctionResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        let (id, module, name) = named_item(
            request.package_id.as_deref(),
            request.module_name.as_deref(),
            request.name.as_deref(),
        )?;
        let ledger = node.ledger()?;
        let package = find(&ledger, id)?;
        let contract = &self.core.contract;
        let message = functions(package, module, contract)
            .into_iter()
            .find(|function| function.name() == name)
            .ok_or_else(|| status::new(Code::Internal, format!("Function not found: {name}")))?;
        Ok(Response::new(GetFunctionResponse::new(message)))
    }

    async fn list_package_versions(
        &self,
        request: Request<ListPackageVersionsRequest>,
    ) -> Result<Response<ListPackageVersionsResponse>, Status> {
        self.begin().await?;
        let node = self.node(&request);
        let request = request.into_inner();
        let id = package_id(request.package_id.as_deref())?;
        let ledger = node.ledger()?;
        let original = contract::original_id(find(&ledger, id)?);
        let after: u64 = match &request.page_token {
            Some(token) => bcs::from_bytes(token).map_err(|error| {
                bad_request(
                    "page_token",
                    &format!("invalid page token encoding: {error}"),
                )
            })?,
            None => 0,
        };
        let mut versions: Vec<(u64, Address)> = ledger
            .objects()
            .packages()
            .filter(|package| contract::original_id(package) == original)
            .map(|package| (package.version, package.id))
            .filter(|(version, _)| *version > after)
            .collect();
        versions.sort_unstable();
        let size = request.page_size.unwrap_or(PAGE).clamp(1, MAX_PAGE);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let next = match versions.get(size.saturating_sub(1)) {
            Some((last, _)) if versions.len() > size => Some(
                bcs::to_bytes(last)
                    .map_err(|error| Status::internal(error.to_string()))?
                    .into(),
            ),
            _ => None,
        };
        versions.truncate(size);
        let versions = versions
            .iter()
            .map(|(version, id)| PackageVersion::new(id, *version))
            .collect();
        Ok(Response::new(ListPackageVersionsResponse::new(
            versions, next,
        )))
    }
}

fn find(ledger: &Ledger, id: Address) -> Result<&MovePackage, Status> {
    let objects = ledger.objects();
    match (objects.package(&id), objects.live(&id)) {
        (Some(package), _) => Ok(package),
        (None, Some(_)) => Err(status::new(
            Code::InvalidArgument,
            "object is not a package",
        )),
        // A full node has no words for it.
        (None, None) => Err(status::new(Code::NotFound, "")),
    }
}

/// The tables of a package's interface.
fn named(package: &MovePackage, contract: &ContractAddresses) -> Option<PackageName> {
    PackageName::of(contract::original_id(package), contract)
}

fn describe(package: &MovePackage, contract: &ContractAddresses) -> Package {
    let original = contract::original_id(package);
    let mut message = Package::default();
    message.storage_id = Some(package.id.to_string());
    message.original_id = Some(original.to_string());
    message.version = Some(package.version);
    message.modules = package
        .modules
        .iter()
        .map(|(name, bytes)| {
            let mut module = Module::default();
            module.name = Some(name.to_string());
            module.contents = Some(bytes::Bytes::copy_from_slice(bytes));
            module.datatypes = named(package, contract)
                .map_or(&[][..], PackageName::datatypes)
                .iter()
                .filter(|datatype| datatype.module == name.as_str())
                .map(|datatype| datatype_message(datatype, original, contract))
                .collect();
            module.functions = functions(package, name.as_str(), contract);
            module
        })
        .collect();
    message.type_origins = package
        .type_origin_table
        .iter()
        .map(|origin| origin.clone().into())
        .collect();
    message.linkage = package
        .linkage_table
        .iter()
        .map(|(id, info)| {
            let mut linkage = Linkage::default();
            linkage.original_id = Some(id.to_string());
            linkage.upgraded_id = Some(info.upgraded_id.to_string());
            linkage.upgraded_version = Some(info.upgraded_version);
            linkage
        })
        .collect();
    message
}

fn datatype_message(
    datatype: &Datatype,
    defining: Address,
    contract: &ContractAddresses,
) -> DatatypeDescriptor {
    let mut message = DatatypeDescriptor::default();
    message.type_name = Some(format!(
        "{defining}::{}::{}",
        datatype.module, datatype.name
    ));
    message.defining_id = Some(defining.to_string());
    message.module = Some(datatype.module.to_owned());
    message.name = Some(datatype.name.to_owned());
    message.abilities = constraints(datatype.abilities);
    message.type_parameters = datatype
        .type_parameters
        .iter()
        .map(|parameter| {
            let mut message = TypeParameter::default();
            message.constraints = constraints(parameter.constraints);
            message.is_phantom = Some(parameter.is_phantom);
            message
        })
        .collect();
    message.set_kind(DatatypeKind::Struct);
    message.fields = (0..)
        .zip(datatype.fields)
        .map(|(position, (name, field_type))| {
            let mut field = FieldDescriptor::default();
            field.name = Some((*name).to_owned());
            field.position = Some(position);
            field.r#type = open(field_type, contract);
            field
        })
        .collect();
    message
}

/// The functions of a module.
fn functions(
    package: &MovePackage,
    module: &str,
    contract: &ContractAddresses,
) -> Vec<FunctionDescriptor> {
    match named(package, contract) {
        Some(PackageName::Atoma) if module == "db" => abi::FUNCTIONS
            .iter()
            .map(|function| contract_function(function, contract))
            .collect(),
        Some(package) => package
            .functions()
            .iter()
            .filter(|function| function.module == module)
            .map(|function| framework_function(function, contract))
            .collect(),
        None => Vec::new(),
    }
}

fn framework_function(
    function: &FrameworkFunction,
    contract: &ContractAddresses,
) -> FunctionDescriptor {
    let mut message = FunctionDescriptor::default();
    message.name = Some(function.name.to_owned());
    message.set_visibility(Visibility::Public);
    message.is_entry = Some(function.is_entry);
    message.type_parameters = vec![TypeParameter::default(); function.type_parameters];
    let signatures = |texts: &[&str]| {
        texts
            .iter()
            .filter_map(|text| parsed(text, contract))
            .collect()
    };
    message.parameters = signatures(function.parameters);
    message.returns = signatures(function.returns);
    message
}

fn contract_function(function: &abi::Function, contract: &ContractAddresses) -> FunctionDescriptor {
    let mut message = FunctionDescriptor::default();
    message.name = Some(function.name.to_owned());
    message.set_visibility(match function.visibility {
        abi::Visibility::Public => Visibility::Public,
        abi::Visibility::Private => Visibility::Private,
    });
    message.is_entry = Some(function.is_entry);
    message.parameters = function
        .parameters
        .iter()
        .map(|parameter| {
            let is_mutable = match (parameter.kind, parameter.passing()) {
                (abi::ParameterKind::Pure(_), _) | (_, Passing::Value) => None,
                (_, Passing::Reference) => Some(false),
                (_, Passing::MutableReference) => Some(true),
            };
            signature(&parameter.type_tag(contract), is_mutable)
        })
        .collect();
    if function.takes_context {
        let context = parsed("&mut 0x2::tx_context::TxContext", contract);
        message.parameters.extend(context);
    }
    message
}

/// The package, the module and the name that a request asks for.
fn named_item<'a>(
    package: Option<&str>,
    module: Option<&'a str>,
    name: Option<&'a str>,
) -> Result<(Address, &'a str, &'a str), Status> {
    let package = package.ok_or_else(|| missing("package_id", "missing package_id"))?;
    let module = module.ok_or_else(|| missing("module_name", "missing module_name"))?;
    let name = name.ok_or_else(|| missing("name", "missing name"))?;
    Ok((package_id(Some(package))?, module, name))
}

fn package_id(text: Option<&str>) -> Result<Address, Status> {
    text.ok_or_else(|| missing("package_id", "missing package_id"))?
        .parse()
        .map_err(|error| bad_request("package_id", &format!("invalid package_id: {error}")))
}
