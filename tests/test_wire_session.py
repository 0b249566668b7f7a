"""A stranger's client, which knows nothing but an address: docs/wire.md through reflection."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from tests.conftest import ROOT
from tests.node_cluster import PATIENCE_S, Cluster, cluster


class Stranger:
    """A client that learns every message from the server that it calls."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._database = ProtoReflectionDescriptorDatabase(channel)
        self._pool = DescriptorPool(self._database)

    def services(self) -> list[str]:
        """What the server offers."""
        return sorted(self._database.get_services())

    def call(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        """Make one call with messages in their JSON form, as grpcurl does."""
        service, name = method.split("/")
        described = self._pool.FindServiceByName(service).FindMethodByName(name)
        request_class = GetMessageClass(described.input_type)
        reply_class = GetMessageClass(described.output_type)
        invoke: Callable[..., Message] = self._channel.unary_unary(
            f"/{service}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reply_class.FromString,
        )
        reply = invoke(ParseDict(request, request_class()), timeout=PATIENCE_S)
        told: dict[str, Any] = MessageToDict(reply)
        return told


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Cluster]:
    """Three nodes with all links up, of which nobody asked anything yet.

    None begins a ballot of its own, however long the session takes.
    """
    with cluster(tmp_path, PAXOS_OWN_BALLOTS="no") as made:
        made.start()
        yield made


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three nodes with all links up."""
    with cluster(tmp_path_factory.mktemp("session")) as made:
        made.start()
        yield made


def documented_session() -> list[tuple[list[str], str]]:
    """Every command of docs/wire.md with what it prints."""
    text = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
    session = []
    for block in re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = step.partition("\n")
            session.append((shlex.split(command), printed))
    return session


def test_the_documented_session_is_what_a_stranger_sees(fresh: Cluster) -> None:
    """Phase 1, phase 2, learning, a refusal and an error, by reflection alone."""
    strangers = {
        f"127.0.0.1:700{node.id}": Stranger(node.channel(node.address))
        for node in fresh.nodes.values()
    }
    session = documented_session()
    assert len(session) >= 10
    for command, printed in session:
        assert command[:2] == ["grpcurl", "-plaintext"]
        if command[-1] == "list":
            assert strangers[command[2]].services() == printed.split()
            continue
        assert command[2] == "-d"
        request, address, method = json.loads(command[3]), command[4], command[5]
        if printed.startswith("ERROR:"):
            with pytest.raises(grpc.RpcError) as caught:
                strangers[address].call(method, request)
            assert printed == (
                "ERROR:\n"
                f"  Code: {caught.value.code().name.title().replace('_', '')}\n"
                f"  Message: {caught.value.details()}\n"
            )
        else:
            reply = strangers[address].call(method, request)
            assert _without_seq(reply) == _without_seq(json.loads(printed)), command


def test_what_a_guest_did_is_in_the_log_without_a_cause(three: Cluster) -> None:
    """A stranger keeps no log: its requests have no cause, even if it names a line."""
    n1 = three["n1"]
    stranger = Stranger(n1.channel(n1.address))
    request = {
        "instance": 5,
        "source": 109,
        "ballot": {"round": 4, "node_id": 109},
        "line": {"incarnation": 1, "seq": 1},
    }
    stranger.call("paxos.v1.Paxos/Prepare", request)
    line = n1.wait_for("prepare_received", instance=5, source="g9", ballot="4.g9")
    assert "cause" not in line


def test_the_cluster_learns_what_a_guest_had_chosen(three: Cluster) -> None:
    """A guest that dies before it tells anyone: nodes that accepted find out by themselves."""
    for name in ("n1", "n2"):
        node = three[name]
        stranger = Stranger(node.channel(node.address))
        ballot = {"round": 1, "node_id": 101}
        common = {"instance": 3, "source": 101, "ballot": ballot}
        stranger.call("paxos.v1.Paxos/Prepare", common)
        stranger.call("paxos.v1.Paxos/Accept", {**common, "value": "YXBwbGU="})
    for node in three.nodes.values():
        node.wait_for("value_learned", instance=3, value="apple")


def test_both_addresses_serve_reflection_and_health(three: Cluster) -> None:
    """Control stands on its own address only."""
    n1 = three["n1"]
    common = ["grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"]
    for address, services in (
        (n1.address, [*common, "paxos.v1.Paxos"]),
        (n1.control_address, [*common, "paxos.v1.Control", "paxos.v1.Paxos"]),
    ):
        channel = n1.channel(address)
        assert Stranger(channel).services() == services
        for service in ("", "paxos.v1.Paxos"):
            reply = Stranger(channel).call("grpc.health.v1.Health/Check", {"service": service})
            assert reply == {"status": "SERVING"}


def _without_seq(reply: Any) -> Any:
    """A reply without the one number that depends on what else happened."""
    if isinstance(reply, dict):
        return {name: _without_seq(field) for name, field in reply.items() if name != "seq"}
    if isinstance(reply, list):
        return [_without_seq(item) for item in reply]
    return reply
