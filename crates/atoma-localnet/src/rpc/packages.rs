//! MovePackageService: packages, and the interface of the contract's functions.

use sui_rpc::proto::sui::rpc::v2::function_descriptor::Visibility;
use sui_rpc::proto::sui::rpc::v2::move_package_service_server::MovePackageService;
use sui_rpc::proto::sui::rpc::v2::open_signature::Reference;
use sui_rpc::proto::sui::rpc::v2::open_signature_body::Type;
use sui_rpc::proto::sui::rpc::v2::*;
use sui_sdk_types::{Address, ObjectData, TypeTag};
use tonic::{Request, Response, Status};

use super::Service;
use crate::contract::abi::{self, Passing};

#[tonic::async_trait]
impl MovePackageService for Service {
    async fn get_package(
        &self,
        request: Request<GetPackageRequest>,
    ) -> Result<Response<GetPackageResponse>, Status> {
        self.begin().await?;
        let id = package_id(request.into_inner().package_id.as_deref())?;
        Ok(Response::new(GetPackageResponse::new(self.package(id)?)))
    }

    async fn get_function(
        &self,
        request: Request<GetFunctionRequest>,
    ) -> Result<Response<GetFunctionResponse>, Status> {
        self.begin().await?;
        let request = request.into_inner();
        let id = package_id(request.package_id.as_deref())?;
        self.package(id)?;
        let found = (id == self.core.contract.package && request.module_name() == "db")
            .then(|| abi::function(request.name()))
            .flatten()
            .ok_or_else(|| {
                Status::not_found(format!(
                    "Function {id}::{}::{} not found",
                    request.module_name(),
                    request.name()
                ))
            })?;
        Ok(Response::new(GetFunctionResponse::new(
            self.function(found),
        )))
    }

    async fn list_package_versions(
        &self,
        request: Request<ListPackageVersionsRequest>,
    ) -> Result<Response<ListPackageVersionsResponse>, Status> {
        self.begin().await?;
        let id = package_id(request.into_inner().package_id.as_deref())?;
        self.package(id)?;
        let versions = vec![PackageVersion::new(&id, 1)];
        Ok(Response::new(ListPackageVersionsResponse::new(
            versions, None,
        )))
    }
}

impl Service {
    fn package(&self, id: Address) -> Result<Package, Status> {
        let ledger = self.core.ledger();
        let object = ledger
            .objects()
            .live(&id)
            .ok_or_else(|| Status::not_found(format!("Package {id} not found")))?;
        let ObjectData::Package(package) = object.data() else {
            return Err(Status::invalid_argument(format!("{id} is not a package")));
        };
        let mut message = Package::default();
        message.storage_id = Some(id.to_string());
        message.original_id = Some(id.to_string());
        message.version = Some(object.version());
        for name in package.modules.keys() {
            let mut module = Module::default();
            module.name = Some(name.to_string());
            module.contents = Some(bytes::Bytes::new());
            if id == self.core.contract.package {
                module.functions = abi::FUNCTIONS.iter().map(|f| self.function(f)).collect();
            }
            message.modules.push(module);
        }
        Ok(message)
    }

    fn function(&self, function: &abi::Function) -> FunctionDescriptor {
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
                let reference = match (parameter.kind, parameter.passing()) {
                    (abi::ParameterKind::Pure(_), _) | (_, Passing::Value) => None,
                    (_, Passing::Reference) => Some(Reference::Immutable),
                    (_, Passing::MutableReference) => Some(Reference::Mutable),
                };
                signature(&parameter.type_tag(&self.core.contract), reference)
            })
            .collect();
        if function.takes_context {
            let context: TypeTag = TypeTag::from(sui_sdk_types::StructTag::new(
                Address::TWO,
                sui_sdk_types::Identifier::from_static("tx_context"),
                sui_sdk_types::Identifier::from_static("TxContext"),
                Vec::new(),
            ));
            message
                .parameters
                .push(signature(&context, Some(Reference::Mutable)));
        }
        message
    }
}

fn signature(tag: &TypeTag, reference: Option<Reference>) -> OpenSignature {
    let mut signature = OpenSignature::default();
    if let Some(reference) = reference {
        signature.set_reference(reference);
    }
    signature.body = Some(body(tag));
    signature
}

fn body(tag: &TypeTag) -> OpenSignatureBody {
    let mut body_of = OpenSignatureBody::default();
    let kind = match tag {
        TypeTag::Address => Type::Address,
        TypeTag::Bool => Type::Bool,
        TypeTag::U8 => Type::U8,
        TypeTag::U16 => Type::U16,
        TypeTag::U32 => Type::U32,
        TypeTag::U64 => Type::U64,
        TypeTag::U128 => Type::U128,
        TypeTag::U256 => Type::U256,
        TypeTag::Vector(inner) => {
            body_of.type_parameter_instantiation = vec![body(inner)];
            Type::Vector
        }
        TypeTag::Struct(tag) => {
            body_of.type_name = Some(format!(
                "{}::{}::{}",
                tag.address(),
                tag.module(),
                tag.name()
            ));
            body_of.type_parameter_instantiation = tag.type_params().iter().map(body).collect();
            Type::Datatype
        }
        _ => Type::Unknown,
    };
    body_of.set_type(kind);
    body_of
}

fn package_id(text: Option<&str>) -> Result<Address, Status> {
    text.ok_or_else(|| Status::invalid_argument("missing package_id"))?
        .parse()
        .map_err(|error| Status::invalid_argument(format!("invalid package_id: {error}")))
}
