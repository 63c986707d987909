//! Databases of the earlier Atoma node, written as it writes them.

use atoma_domain::Hash32;

use crate::suite::fixtures::{hash, object, owner};

/// The dialects of its two generations.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "each test crate has one of them")]
pub enum Dialect {
    /// Until November 2024.
    Sqlite,
    /// Since then.
    Postgres,
}

impl Dialect {
    /// The table in its first form, with the types of the columns.
    pub fn table(self) -> String {
        let (number, bytes, price) = match self {
            Self::Sqlite => ("INTEGER", "BLOB", "price"),
            Self::Postgres => ("BIGINT", "BYTEA", "price_per_one_million_compute_units"),
        };
        format!(
            "CREATE TABLE stacks (stack_small_id {number} PRIMARY KEY, owner_address TEXT NOT NULL, \
             stack_id TEXT UNIQUE NOT NULL, task_small_id {number} NOT NULL, \
             selected_node_id {number} NOT NULL, num_compute_units {number} NOT NULL, \
             {price} {number} NOT NULL, already_computed_units {number} NOT NULL, \
             in_settle_period BOOLEAN NOT NULL, total_hash {bytes} NOT NULL, \
             num_total_messages {number} NOT NULL);"
        )
    }

    fn bytes(self, bytes: &[u8]) -> String {
        let hex = Hash32::try_from(bytes).map_or_else(|_| String::new(), |hash| hash.to_string());
        let digits = hex.trim_start_matches("0x");
        match self {
            Self::Sqlite => format!("x'{digits}'"),
            Self::Postgres => format!("'\\x{digits}'::bytea"),
        }
    }
}

/// A stack of task 1 and node 1 in the earlier node's database.
#[derive(Clone)]
pub struct EarlierStack {
    pub id: u64,
    pub node: u64,
    pub size: i64,
    pub computed: i64,
    /// The numbers of its messages.
    pub messages: Vec<u64>,
    /// Whether the first request made the node store it.
    pub counts_first_twice: bool,
    pub is_settled: bool,
}

impl EarlierStack {
    pub fn new(id: u64, size: i64, computed: i64, messages: impl IntoIterator<Item = u64>) -> Self {
        Self {
            id,
            node: 1,
            size,
            computed,
            messages: messages.into_iter().collect(),
            counts_first_twice: false,
            is_settled: false,
        }
    }

    /// The statements by which the node stores the stack and each of its messages.
    pub fn statements(&self, dialect: Dialect) -> String {
        let Self {
            id,
            node,
            size,
            computed,
            ..
        } = self;
        let (owner, badge, empty) = (owner(), object(*id), dialect.bytes(&[]));
        let (settled, first) = (self.is_settled, u8::from(self.counts_first_twice));
        let mut statements = format!(
            "INSERT INTO stacks VALUES ({id}, '{owner}', '{badge}', 1, {node}, {size}, 7, {computed}, \
             {settled}, {empty}, {first});"
        );
        for number in &self.messages {
            let hash = dialect.bytes(hash(*number).as_bytes());
            statements += &format!(
                "UPDATE stacks SET total_hash = total_hash || {hash}, \
                 num_total_messages = num_total_messages + 1 WHERE stack_small_id = {id};"
            );
        }
        statements
    }
}
