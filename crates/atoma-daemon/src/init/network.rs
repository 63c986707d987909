//! The Sui networks that `init` knows.

use std::fmt;

use clap::ValueEnum;

/// A Sui network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Network {
    /// Sui Mainnet.
    Mainnet,
    /// Sui Testnet.
    Testnet,
    /// Sui Devnet, which starts anew every week.
    Devnet,
    /// A network on this machine.
    Local,
}

impl Network {
    /// The public full node, or the usual port on this machine.
    pub(super) const fn rpc_url(self) -> &'static str {
        match self {
            Self::Mainnet => "https://fullnode.mainnet.sui.io:443",
            Self::Testnet => "https://fullnode.testnet.sui.io:443",
            Self::Devnet => "https://fullnode.devnet.sui.io:443",
            Self::Local => "http://127.0.0.1:9000",
        }
    }

    /// The digest of the first checkpoint, for networks that never start anew.
    pub(super) const fn chain_id(self) -> Option<&'static str> {
        match self {
            Self::Mainnet => Some("4btiuiMPvEENsttpZC7CZ53DruC3MAgfznDbASZ7DR6S"),
            Self::Testnet => Some("69WiPg3DAQiwdxfncX6wYQ2siKwAe6L9BZthQea3JNMD"),
            Self::Devnet | Self::Local => None,
        }
    }

    /// The network with this first checkpoint.
    pub(super) fn of_chain(chain_id: &str) -> Option<Self> {
        let all = Self::value_variants().iter().copied();
        all.into_iter()
            .find(|network| network.chain_id() == Some(chain_id))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mainnet => "mainnet",
            Self::Testnet => "testnet",
            Self::Devnet => "devnet",
            Self::Local => "local",
        })
    }
}

#[cfg(test)]
mod tests {
    use atoma_domain::Digest;

    use super::*;

    /// The Sui documentation names a network by the first four bytes.
    #[test]
    fn chain_ids_begin_as_the_networks_identifiers() {
        for (network, identifier) in [
            (Network::Mainnet, [0x35, 0x83, 0x4a, 0x8a]),
            (Network::Testnet, [0x4c, 0x78, 0xad, 0xac]),
        ] {
            let id = network.chain_id().unwrap();
            let digest: Digest = id.parse().unwrap();
            assert_eq!(digest.inner()[..4], identifier, "{network}");
            assert_eq!(Network::of_chain(id), Some(network));
        }
        assert_eq!(Network::of_chain("1111"), None);
    }
}
