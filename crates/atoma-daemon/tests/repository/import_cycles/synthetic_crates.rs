//! The checker itself, on small made-up crates.

use super::cycles::cycles;
use super::modules::Sources;

/// The cycles of a crate of these files, in words.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let own = |(path, text): &(&str, &str)| (String::from(*path), String::from(*text));
    let sources: Sources = files.iter().map(own).collect();
    let cycles = cycles(&sources, "lib.rs");
    cycles.iter().map(ToString::to_string).collect()
}

/// What the checker says of two files that import a name each from the other.
fn pair(one: &str, name: &str, other: &str, back: &str) -> String {
    format!(
        "2 files import each other:\n  {one} from {other}: {name}\n  {other} from {one}: {back}\n"
    )
}

#[test]
fn imports_in_one_direction_are_no_cycle() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B; use crate::c::C; struct A(B, C);"),
        ("b.rs", "use super::c::C; struct B(C);"),
        ("c.rs", "struct C;"),
    ];
    assert_eq!(found(&files), [""; 0]);
}

#[test]
fn two_files_that_import_each_other_are_named_with_what_they_import() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::{self, B, helper}; struct A(B);"),
        (
            "b.rs",
            "use super::a::A as Other; struct B(Other); fn helper() {}",
        ),
    ];
    assert_eq!(found(&files), [pair("a.rs", "B, helper", "b.rs", "A")]);
}

#[test]
fn a_cycle_of_three_is_found_and_what_hangs_on_it_is_left_out() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; mod before; mod after;"),
        ("before.rs", "use crate::a::A; struct Before(A);"),
        (
            "a.rs",
            "use crate::b::B; use crate::after::After; struct A(B, After);",
        ),
        ("b.rs", "use crate::c::C; struct B(C);"),
        ("c.rs", "use crate::a::A; struct C(A);"),
        ("after.rs", "struct After;"),
    ];
    let expected = "3 files import each other:\n  a.rs from b.rs: B\n  b.rs from c.rs: C\n  c.rs from a.rs: A\n";
    assert_eq!(found(&files), [expected]);
}

#[test]
fn a_facade_is_followed_to_the_files_that_define() {
    let files = [
        ("lib.rs", "mod engine; pub use engine::*;"),
        (
            "engine/mod.rs",
            "mod a; mod b; pub use a::A; pub(crate) use self::b::B as Renamed;",
        ),
        ("engine/a.rs", "use crate::Renamed; struct A(Renamed);"),
        ("engine/b.rs", "struct B(super::A);"),
    ];
    assert_eq!(
        found(&files),
        [pair("engine/a.rs", "B", "engine/b.rs", "A")]
    );
}

#[test]
fn a_parent_and_a_child_that_need_each_other_are_a_cycle() {
    let child = ("parent/child.rs", "pub fn run(_: super::Config) {}");
    let needs = (
        "parent.rs",
        "mod child; struct Config; fn start() { child::run(Config) }",
    );
    let files = [("lib.rs", "mod parent;"), needs, child];
    assert_eq!(
        found(&files),
        [pair("parent.rs", "run", "parent/child.rs", "Config")]
    );

    // A re-export is an import, where the parent is more than a facade.
    let reexports = ("parent.rs", "mod child; pub use child::run; struct Config;");
    let files = [("lib.rs", "mod parent;"), reexports, child];
    assert_eq!(found(&files).len(), 1);
    let facade = (
        "parent.rs",
        "mod child; mod config; pub use child::run; use config::Config;",
    );
    let config = ("parent/config.rs", "struct Config;");
    let files = [("lib.rs", "mod parent;"), facade, child, config];
    assert_eq!(found(&files), [""; 0]);
}

#[test]
fn paths_in_code_and_in_macros_are_imports() {
    for a in [
        "fn a() { super::b::b() }",
        "fn a() -> crate::b::B { todo() }",
        "fn a() { assert!(check(&[crate::b::b(1)])); }",
        "fn a() { use super::b; b::b(); }",
        "impl super::b::B { fn a(self) {} }",
        "mod inner { fn a() { super::super::b::b() } }",
        "use super::*; fn a() { b::b() }",
    ] {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", a),
            ("b.rs", "use crate::a; fn b() { a::a() } struct B;"),
        ];
        assert_eq!(found(&files).len(), 1, "{a}");
    }
}

#[test]
fn what_only_looks_like_an_import_is_none() {
    for a in [
        "fn a(b: B) { b.b() }",
        "fn a() { format!(\"{}\", b.b()); }",
        "use ::b::b; fn a() { b() }",
        "pub(super) fn a() {}",
        "use other::b; fn a() { b::b() }",
        "/// See [`super::b::b`].\nfn a() {}",
        "#[cfg(test)] use super::b::b;",
        "#[cfg(all(test, unix))] mod more { use crate::b::b; }",
        "struct A; impl A { #[cfg(test)] fn a() { super::b::b() } }",
        "#[cfg(test)] mod tests;",
        "mod testing { use crate::b::b; }",
    ] {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", a),
            ("a/tests.rs", "use crate::b::b;"),
            ("b.rs", "fn b() { crate::a::a() } struct B;"),
        ];
        assert_eq!(found(&files), [""; 0], "{a}");
    }
    let compiled = "#[cfg(not(test))] use super::b::b;";
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", &format!("{compiled} fn a() {{ b() }}")),
        ("b.rs", "fn b() { crate::a::a() }"),
    ];
    assert_eq!(found(&files).len(), 1);
}

#[test]
fn names_that_macros_make_are_those_of_the_file_that_calls_them() {
    let files = [
        (
            "lib.rs",
            "mod ids; mod units; pub use ids::NodeId; pub use units::Mist;",
        ),
        (
            "ids.rs",
            "macro_rules! id { ($name:ident) => { struct $name($crate::Mist); } } id!(NodeId);",
        ),
        ("units.rs", "amount!(Mist); fn of(_: crate::NodeId) {}"),
    ];
    assert_eq!(
        found(&files),
        [pair("ids.rs", "Mist", "units.rs", "NodeId")]
    );
}
