"""Checks what a schema can't say about the compose file: that no port is open beyond loopback, that nothing has more rights
than it needs, and that the files exist. Prints the variables of the service `daemon`, one in a line."""

import pathlib
import sys

from ruamel.yaml import YAML

path = pathlib.Path(sys.argv[1])
compose = YAML(typ="safe").load(path)
problems = []


def require(what, condition):
    if not condition:
        problems.append(what)


for name, service in compose["services"].items():
    require(f"{name} is not read-only", service["read_only"])
    require(f"{name} keeps capabilities", service["cap_drop"] == ["ALL"])
    require(f"{name} can get privileges", "no-new-privileges:true" in service["security_opt"])
    for port in service["ports"]:
        require(f"{name} opens {port} to other machines", port.startswith("127.0.0.1:"))
    for kind in ("secrets", "configs"):
        for used in service.get(kind, []):
            used = used if isinstance(used, str) else used["source"]
            require(f"{name} uses {used}, which is not in {kind}", used in compose[kind])
    for volume in service["volumes"]:
        source, _, options = volume.partition(":")
        if source.startswith("."):
            require(f"{name} mounts {source}, which does not exist", (path.parent / source).exists())
            require(f"{name} can write to {source}", options.endswith(":ro"))
        else:
            require(f"{name} uses {source}, which is not in volumes", source in compose["volumes"])

if problems:
    sys.exit("\n".join(f"{path}: {problem}" for problem in problems))
for variable, value in compose["services"]["daemon"]["environment"].items():
    print(f"{variable}={value}")
