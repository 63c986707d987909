//! The filters of lists and subscriptions.

use sui_rpc::proto::sui::rpc::v2::{
    EventFilter, TransactionFilter, event_literal, transaction_literal,
};
use sui_sdk_types::{
    Address, Command, Event, ObjectIn, ObjectOut, Owner, StructTag, TransactionKind,
};
use tonic::Status;

use super::view::DecodedTransaction;

/// A parsed filter: a disjunction of conjunctions of predicates, each of which may be negated.
/// `None` matches everything.
#[derive(Debug, Clone)]
pub(crate) struct Filter<P>(Option<Vec<Vec<(bool, P)>>>);

/// A predicate on transactions.
#[derive(Debug, Clone)]
pub(crate) enum TransactionPredicate {
    Sender(Address),
    AffectedAddress(Address),
    AffectedObject(Address),
    MoveCall(Vec<String>),
    Event(EventPredicate),
    PackageWrite,
    /// A predicate that nothing on this network matches.
    Nothing,
}

/// A predicate on events.
#[derive(Debug, Clone)]
pub(crate) enum EventPredicate {
    Sender(Address),
    EmitModule(Vec<String>),
    /// Address, and optionally module and name.
    Type(Vec<String>),
    /// An exact type with its type parameters.
    ExactType(StructTag),
    Nothing,
}

impl<P> Filter<P> {
    fn matches(&self, mut one: impl FnMut(&P) -> Result<bool, Status>) -> Result<bool, Status> {
        let Some(terms) = &self.0 else {
            return Ok(true);
        };
        for term in terms {
            let mut all = true;
            for (negated, predicate) in term {
                if one(predicate)? == *negated {
                    all = false;
                    break;
                }
            }
            if all {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Filter<TransactionPredicate> {
    /// # Errors
    /// `INVALID_ARGUMENT` for a filter without terms, or with a part that can't be parsed.
    pub(crate) fn transactions(filter: Option<&TransactionFilter>) -> Result<Self, Status> {
        let Some(filter) = filter else {
            return Ok(Self(None));
        };
        let terms = filter.terms.iter().map(|term| {
            not_empty(term.literals.len(), "literals")?;
            term.literals
                .iter()
                .map(|literal| {
                    let predicate = literal
                        .predicate
                        .as_ref()
                        .ok_or_else(|| invalid("a literal has no predicate"))?;
                    Ok((literal.negated, transaction_predicate(predicate)?))
                })
                .collect()
        });
        not_empty(filter.terms.len(), "terms")?;
        Ok(Self(Some(terms.collect::<Result<_, Status>>()?)))
    }

    /// Whether a transaction passes the filter.
    pub(crate) fn passes(&self, view: &DecodedTransaction<'_>) -> Result<bool, Status> {
        self.matches(|predicate| transaction_matches(predicate, view))
    }

    /// Whether there is no filter.
    pub(crate) fn is_open(&self) -> bool {
        self.0.is_none()
    }
}

impl Filter<EventPredicate> {
    /// # Errors
    /// `INVALID_ARGUMENT` for a filter without terms, or with a part that can't be parsed.
    pub(crate) fn events(filter: Option<&EventFilter>) -> Result<Self, Status> {
        use event_literal::Predicate;
        let Some(filter) = filter else {
            return Ok(Self(None));
        };
        not_empty(filter.terms.len(), "terms")?;
        let terms = filter.terms.iter().map(|term| {
            not_empty(term.literals.len(), "literals")?;
            term.literals
                .iter()
                .map(|literal| {
                    let predicate = match &literal.predicate {
                        Some(Predicate::Sender(sender)) => {
                            EventPredicate::Sender(address(sender.address())?)
                        }
                        Some(Predicate::EmitModule(emit)) => emit_module(emit.module())?,
                        Some(Predicate::EventType(kind)) => event_type(kind.event_type())?,
                        Some(_) => EventPredicate::Nothing,
                        None => return Err(invalid("a literal has no predicate")),
                    };
                    Ok((literal.negated, predicate))
                })
                .collect()
        });
        Ok(Self(Some(terms.collect::<Result<_, Status>>()?)))
    }

    /// Whether an event passes the filter.
    pub(crate) fn passes(&self, event: &Event) -> Result<bool, Status> {
        self.matches(|predicate| Ok(event_matches(predicate, event)))
    }
}

fn transaction_predicate(
    predicate: &transaction_literal::Predicate,
) -> Result<TransactionPredicate, Status> {
    use transaction_literal::Predicate;
    Ok(match predicate {
        Predicate::Sender(filter) => TransactionPredicate::Sender(address(filter.address())?),
        Predicate::AffectedAddress(filter) => {
            TransactionPredicate::AffectedAddress(address(filter.address())?)
        }
        Predicate::AffectedObject(filter) => {
            TransactionPredicate::AffectedObject(address(filter.object_id())?)
        }
        Predicate::MoveCall(filter) => TransactionPredicate::MoveCall(path(filter.function(), 3)?),
        Predicate::EmitModule(filter) => TransactionPredicate::Event(emit_module(filter.module())?),
        Predicate::EventType(filter) => {
            TransactionPredicate::Event(event_type(filter.event_type())?)
        }
        Predicate::PackageWrite(_) => TransactionPredicate::PackageWrite,
        _ => TransactionPredicate::Nothing,
    })
}

fn transaction_matches(
    predicate: &TransactionPredicate,
    view: &DecodedTransaction<'_>,
) -> Result<bool, Status> {
    Ok(match predicate {
        TransactionPredicate::Sender(sender) => view.signed()?.transaction.sender == *sender,
        TransactionPredicate::AffectedObject(id) => view
            .effects_v2()?
            .changed_objects
            .iter()
            .any(|change| change.object_id == *id),
        TransactionPredicate::AffectedAddress(address) => {
            view.effects_v2()?.changed_objects.iter().any(|change| {
                matches!(&change.input_state, ObjectIn::Exist { owner, .. } if owns(owner, address))
                    || matches!(&change.output_state, ObjectOut::ObjectWrite { owner, .. } if owns(owner, address))
            })
        }
        TransactionPredicate::MoveCall(path) => {
            let TransactionKind::ProgrammableTransaction(programmable) =
                &view.signed()?.transaction.kind
            else {
                return Ok(false);
            };
            programmable.commands.iter().any(|command| match command {
                Command::MoveCall(call) => starts_with(
                    path,
                    &[
                        call.package.to_string(),
                        call.module.to_string(),
                        call.function.to_string(),
                    ],
                ),
                _ => false,
            })
        }
        TransactionPredicate::Event(predicate) => view.events()?.is_some_and(|events| {
            events.0.iter().any(|event| event_matches(predicate, event))
        }),
        TransactionPredicate::PackageWrite => view
            .effects_v2()?
            .changed_objects
            .iter()
            .any(|change| matches!(change.output_state, ObjectOut::PackageWrite { .. })),
        TransactionPredicate::Nothing => false,
    })
}

fn owns(owner: &Owner, address: &Address) -> bool {
    match owner {
        Owner::Address(owner) | Owner::ConsensusAddress { owner, .. } => owner == address,
        _ => false,
    }
}

fn event_matches(predicate: &EventPredicate, event: &Event) -> bool {
    match predicate {
        EventPredicate::Sender(sender) => event.sender == *sender,
        EventPredicate::EmitModule(path) => starts_with(
            path,
            &[event.package_id.to_string(), event.module.to_string()],
        ),
        EventPredicate::Type(path) => starts_with(
            path,
            &[
                event.type_.address().to_string(),
                event.type_.module().to_string(),
                event.type_.name().to_string(),
            ],
        ),
        EventPredicate::ExactType(tag) => event.type_ == *tag,
        EventPredicate::Nothing => false,
    }
}

fn starts_with(path: &[String], full: &[String]) -> bool {
    full.get(..path.len()) == Some(path)
}

fn emit_module(text: &str) -> Result<EventPredicate, Status> {
    Ok(EventPredicate::EmitModule(path(text, 2)?))
}

fn event_type(text: &str) -> Result<EventPredicate, Status> {
    if text.contains('<') {
        let tag = text
            .parse()
            .map_err(|_| invalid(&format!("{text:?} is not a Move type")))?;
        return Ok(EventPredicate::ExactType(tag));
    }
    Ok(EventPredicate::Type(path(text, 3)?))
}

/// Parses `address[::module[::name]]` and normalizes the address.
fn path(text: &str, max_parts: usize) -> Result<Vec<String>, Status> {
    let mut parts: Vec<String> = text.split("::").map(str::to_owned).collect();
    if parts.len() > max_parts || parts.iter().any(String::is_empty) {
        return Err(invalid(&format!(
            "{text:?} is not a path of at most {max_parts} parts"
        )));
    }
    if let Some(first) = parts.first_mut() {
        *first = address(first)?.to_string();
    }
    Ok(parts)
}

fn address(text: &str) -> Result<Address, Status> {
    text.parse()
        .map_err(|error| invalid(&format!("{text:?} is not an address: {error}")))
}

fn not_empty(count: usize, what: &str) -> Result<(), Status> {
    if count == 0 {
        return Err(invalid(&format!("a filter needs {what}")));
    }
    Ok(())
}

fn invalid(message: &str) -> Status {
    Status::invalid_argument(format!("invalid filter: {message}"))
}
