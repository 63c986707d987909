//! What the tables of the interface consist of.

/// An ability of a datatype.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ability {
    Copy,
    Drop,
    Store,
    Key,
}

/// A type parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TypeParameter {
    pub(crate) constraints: &'static [Ability],
    pub(crate) is_phantom: bool,
}

/// A struct. The fields are in BCS order, each with its name and type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Datatype {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    pub(crate) abilities: &'static [Ability],
    pub(crate) type_parameters: &'static [TypeParameter],
    pub(crate) fields: &'static [(&'static str, &'static str)],
}

/// A function of the framework. Those of the contract are in [`crate::contract::abi`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameworkFunction {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_entry: bool,
    /// The number of type parameters, none with constraints.
    pub(crate) type_parameters: usize,
    pub(crate) parameters: &'static [&'static str],
    pub(crate) returns: &'static [&'static str],
}
