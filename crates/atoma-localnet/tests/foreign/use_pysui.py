"""Uses the local network with pysui, which speaks gRPC over TLS only.

    use_pysui.py DIR    where DIR has the network's ready.json
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from pysui import PysuiConfiguration, client_factory
from pysui.sui.sui_common.config.confgroup import GroupProtocol, NetworkType
from pysui.sui.sui_common import sui_commands as commands

ready = json.loads((Path(sys.argv[1]) / "ready.json").read_text())
passed = failed = 0


def key_of(account: str) -> str:
    path = Path(ready["data_dir"]) / "keys" / f"{account}.keystore"
    return json.loads(path.read_text())[0]


def configure(folder: Path) -> tuple[PysuiConfiguration, list[str]]:
    config = PysuiConfiguration.initialize_config(
        in_folder=folder, init_groups=[{"name": "empty"}]
    )
    addresses = config.new_group(
        group_name="localnet",
        profile_block=[
            {
                "profile_name": "localnet",
                "url": ready["url"],
                "network_type": NetworkType.LOCAL,
                "faucet_url": ready["faucet_url"],
                "faucet_status_url": "",
                "make_active": True,
            }
        ],
        key_block=[
            {"key_string": key_of(account), "alias": account}
            for account in ("operator-2", "buyer", "manager")
        ],
        active_address_index=0,
        group_protocol=GroupProtocol.GRPC,
        make_group_active=True,
    )
    return config, addresses


async def check(name, body):
    global passed, failed
    try:
        await body()
    except Exception as error:  # each check reports for itself
        failed += 1
        print(f"FAILED  pysui: {name}: {type(error).__name__}: {error}")
    else:
        passed += 1
        print(f"ok      pysui: {name}")


def done(result):
    assert result.is_ok(), result.result_string
    return result.result_data


async def main(folder: Path) -> None:
    config, addresses = configure(folder)
    client = client_factory(config)

    async def reads_the_network():
        chain = done(await client.execute(command=commands.GetChainIdentifier()))
        assert chain, chain
        epoch = done(await client.execute(command=commands.GetEpoch()))
        assert epoch is not None

    async def reads_the_contract():
        found = done(
            await client.execute(command=commands.GetObject(object_id=ready["atoma_db_id"]))
        )
        assert "AtomaDb" in str(found), found

    async def reads_coins():
        for address in addresses:
            found = done(await client.execute(command=commands.GetGas(owner=address)))
            assert len(found.objects) > 0, found

    def pays_as(address):
        async def pay():
            builder = await client.transaction(initial_sender=address)
            coins = await builder.split_coin(coin=builder.gas, amounts=[1_000])
            await builder.transfer_objects(transfers=[coins], recipient=addresses[0])
            signed = await builder.build_and_sign()
            done(await client.execute(command=commands.ExecuteTransaction(**signed)))

        return pay

    await check("reads the chain and the epoch", reads_the_network)
    await check("reads the AtomaDb", reads_the_contract)
    await check("reads coins", reads_coins)
    for account, address in zip(("Ed25519", "secp256k1", "secp256r1"), addresses):
        await check(f"pays with a key of {account}", pays_as(address))
    await client.close()


with tempfile.TemporaryDirectory() as temporary:
    asyncio.run(main(Path(temporary)))
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
