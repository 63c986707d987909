//! Reads the modules of a crate from its source.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Item, UseTree};

use super::modules::{Import, Module, ModuleId, Modules, ROOT, Sources, is_of_tests};

/// Reads the modules below a root file.
pub(super) fn read(sources: &Sources, root: &str) -> Modules {
    let mut reader = Reader {
        sources,
        modules: Modules::default(),
        current: ROOT,
    };
    reader.read_file(Module {
        file: root.to_owned(),
        ..Module::default()
    });
    reader.modules
}

struct Reader<'s> {
    sources: &'s Sources,
    modules: Modules,
    current: ModuleId,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        &mut self.modules.all[self.current]
    }

    /// Adds a module whose file is its own.
    fn read_file(&mut self, module: Module) {
        let text = &self.sources[&module.file];
        let parsed = syn::parse_file(text).expect(&module.file);
        self.read_items(module, &parsed.items);
    }

    fn read_items(&mut self, module: Module, items: &[Item]) {
        let outer = std::mem::replace(&mut self.current, self.modules.all.len());
        self.modules.all.push(module);
        for item in items {
            self.visit_item(item);
        }
        self.current = outer;
    }

    fn import(&mut self, tree: &UseTree, mut path: Vec<String>) {
        let name = match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.to_string());
                return self.import(&tree.tree, path);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, path.clone());
                }
                return;
            }
            UseTree::Glob(_) => None,
            // `use a::{self}` imports `a`.
            UseTree::Name(tree) if tree.ident == "self" => path.last().cloned(),
            UseTree::Name(tree) => {
                path.push(tree.ident.to_string());
                path.last().cloned()
            }
            UseTree::Rename(tree) => {
                path.push(tree.ident.to_string());
                Some(tree.rename.to_string())
            }
        };
        self.module().imports.push(Import { path, name });
    }

    /// Adds the paths among a macro's tokens, which are no syntax tree.
    fn mention(&mut self, tokens: TokenStream) {
        let mut path = Vec::new();
        // The punctuation since the last identifier.
        let mut between = String::new();
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if between != "::" {
                        self.module().mentioned.insert(path);
                        path = Vec::new();
                    }
                    // A field or a method is no path.
                    if between != "." {
                        path.push(ident.to_string());
                    }
                    between.clear();
                }
                TokenTree::Punct(punct) => between.push(punct.as_char()),
                TokenTree::Group(group) => {
                    between.push(' ');
                    self.mention(group.stream());
                }
                TokenTree::Literal(_) => between.push(' '),
            }
        }
        self.module().mentioned.insert(path);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (name, attributes) = name_and_attributes(item);
        if attributes.iter().any(is_cfg_test) {
            return;
        }
        if !matches!(item, Item::Mod(_) | Item::Use(_) | Item::ExternCrate(_)) {
            let file = self.module().file.clone();
            self.modules.defining.insert(file);
            self.module().defined.extend(name.map(Ident::to_string));
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = item.ident.to_string();
        if is_of_tests(&name) {
            return;
        }
        let parent = self.module();
        let folder = format!("{}{name}/", parent.folder);
        let mut module = Module {
            file: parent.file.clone(),
            folder,
            ..Module::default()
        };
        module.parent = Some(self.current);
        let id = self.modules.all.len();
        self.module().children.insert(name, id);
        if let Some((_, items)) = &item.content {
            self.read_items(module, items);
        } else {
            let beside = format!("{}.rs", module.folder.trim_end_matches('/'));
            let within = format!("{}mod.rs", module.folder);
            let is_beside = self.sources.contains_key(&beside);
            module.file = if is_beside { beside } else { within };
            self.read_file(module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // From the root of all crates, so it is no module of this one.
        if item.leading_colon.is_none() {
            self.import(&item.tree, Vec::new());
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !function.attrs.iter().any(is_cfg_test) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let segments = path.segments.iter().map(|part| part.ident.to_string());
            self.module().mentioned.insert(segments.collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.mention(call.tokens.clone());
    }

    // `pub(super)` is not a use of the parent.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

fn name_and_attributes(item: &Item) -> (Option<&Ident>, &[Attribute]) {
    match item {
        Item::Const(item) => (Some(&item.ident), &item.attrs),
        Item::Enum(item) => (Some(&item.ident), &item.attrs),
        Item::Fn(item) => (Some(&item.sig.ident), &item.attrs),
        Item::Impl(item) => (None, &item.attrs),
        Item::Macro(item) => (item.ident.as_ref(), &item.attrs),
        Item::Mod(item) => (Some(&item.ident), &item.attrs),
        Item::Static(item) => (Some(&item.ident), &item.attrs),
        Item::Struct(item) => (Some(&item.ident), &item.attrs),
        Item::Trait(item) => (Some(&item.ident), &item.attrs),
        Item::Type(item) => (Some(&item.ident), &item.attrs),
        Item::Union(item) => (Some(&item.ident), &item.attrs),
        Item::Use(item) => (None, &item.attrs),
        _ => (None, &[]),
    }
}

/// `#[cfg(test)]`, or with other conditions beside.
fn is_cfg_test(attribute: &Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else {
        return false;
    };
    let condition = list.tokens.to_string();
    let words: Vec<_> = condition.split(|c: char| !c.is_alphanumeric()).collect();
    list.path.is_ident("cfg") && words.contains(&"test") && !words.contains(&"not")
}
