//! A local Sui network with the Atoma contract, for development and tests.
