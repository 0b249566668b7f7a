"""The Paxos service, and what every service of the node shares.

A handler reads its request, asks the driver, and writes its reply. It never
drives: see ``node/driver.py``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Protobuf
from google.protobuf.message_factory import GetMessageClass

from node.codec import Asked, Codec, Question, WireError
from node.config import Config
from node.driver import Driver, Reply
from node.ending import Tasks
from node.log import LineName, Log
from node.refusals import Refusals, Refused
from node.wire import paxos_pb2 as wire
from paxos.events import Line
from paxos.protocol import Message, Status, node_name

Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[Any, Context], Awaitable[Protobuf]]

PAXOS: Final = wire.DESCRIPTOR.services_by_name["Paxos"]


def handlers(
    service: ServiceDescriptor,
    behaviours: Mapping[str, Behaviour],
    refusals: Refusals,
    tasks: Tasks,
) -> grpc.GenericRpcHandler:
    """Serve every method of a service.

    Requests are parsed here and not by gRPC, which would answer bytes that
    are no message of ours with a traceback.

    Args:
        service: what ``proto/`` says of it.
        behaviours: what each method does; raises ``Refused`` or ``WireError``.
        refusals: told of what was refused.
        tasks: ends the process for what no behaviour should raise.
    """
    assert set(behaviours) == set(service.methods_by_name), "a method is missing"
    return grpc.method_handlers_generic_handler(
        service.full_name,
        {
            name: grpc.unary_unary_rpc_method_handler(
                _handler(
                    name,
                    GetMessageClass(service.methods_by_name[name].input_type),
                    behaviour,
                    refusals,
                    tasks,
                ),
                response_serializer=_bytes_of,
            )
            for name, behaviour in behaviours.items()
        },
    )


def _done(left: asyncio.Future[None]) -> None:
    if not left.done():
        left.set_result(None)


def _bytes_of(message: Protobuf) -> bytes:
    return message.SerializeToString()


def _handler(
    method: str,
    request_class: type[Protobuf],
    behaviour: Behaviour,
    refusals: Refusals,
    tasks: Tasks,
) -> Callable[[bytes, Context], Awaitable[Protobuf]]:
    async def handle(data: bytes, context: Context) -> Protobuf:
        try:
            return await behaviour(_parsed(request_class, data), context)
        except Refused as error:
            refused = error
        except WireError as error:
            refused = Refused(grpc.StatusCode.INVALID_ARGUMENT, error.rule, str(error))
        except Exception as error:  # A task root: gRPC would only log it and go on.
            tasks.end_for(error)
        refusals.note(method, refused)
        await context.abort(refused.status, str(refused))
        raise AssertionError("abort raises")

    return handle


def _parsed(request_class: type[Protobuf], data: bytes) -> Protobuf:
    try:
        return request_class.FromString(data)
    except DecodeError as error:
        raise WireError(
            "no message",
            f"the request is no {request_class.DESCRIPTOR.full_name}: its bytes can't be parsed",
        ) from error


class PaxosService:
    """``Prepare``, ``Accept``, ``Learn``, ``Propose`` and ``Status``.

    Args:
        config: the limits.
        codec: reads and writes messages.
        driver: answers them.
        log: takes the line of a question about all instances.
    """

    def __init__(self, config: Config, codec: Codec, driver: Driver, log: Log) -> None:
        self._config = config
        self._name = node_name(config.node)
        self._codec = codec
        self._driver = driver
        self._log = log

    def behaviours(self) -> dict[str, Behaviour]:
        """What each method does."""
        return {
            "Prepare": self.prepare,
            "Accept": self.accept,
            "Learn": self.learn,
            "Propose": self.propose,
            "Status": self.status,
        }

    async def prepare(self, request: wire.PrepareRequest, context: Context) -> wire.PrepareReply:
        """Phase 1."""
        return self._codec.prepare_reply(*await self._ask(request, context))

    async def accept(self, request: wire.AcceptRequest, context: Context) -> wire.AcceptReply:
        """Phase 2."""
        return self._codec.accept_reply(*await self._ask(request, context))

    async def learn(self, request: wire.LearnRequest, context: Context) -> wire.LearnReply:
        """A chosen value."""
        return self._codec.learn_reply(*await self._ask(request, context))

    async def propose(self, request: wire.ProposeRequest, _context: Context) -> wire.ProposeReply:
        """A client's wish."""
        wish = self._codec.wish(
            request,
            self._config.propose_timeout_ms,
            self._config.propose_timeout_most_ms,
        )
        self._check_room(wish.instance)
        if self._driver.waiting_client_count >= self._config.propose_limit_count:
            raise self._exhausted(
                "too many clients",
                f"{self._config.propose_limit_count} clients wait already: try again later",
            )
        answer = await self._driver.propose(wish.instance, wish.value, wish.timeout_ms, wish.cause)
        if answer is None:
            raise self._stops("whether the value will be chosen is unknown")
        return self._codec.propose_reply(answer)

    async def status(self, request: wire.StatusRequest, _context: Context) -> wire.StatusReply:
        """What this node knows."""
        question = self._codec.question(request)
        reply = wire.StatusReply(
            node_id=self._config.node,
            incarnation=self._log.incarnation,
            highest_instance=self._driver.highest_instance,
        )
        if question.source:
            await self._answer_node(question, reply)
        else:
            self._answer_client(question, reply)
        return reply

    # --- the parts ------------------------------------------------------------

    async def _ask(
        self,
        request: wire.PrepareRequest | wire.AcceptRequest | wire.LearnRequest,
        context: Context,
    ) -> tuple[Message, LineName]:
        asked: Asked = self._codec.asked(request)
        self._check_not_manual()
        self._check_room(asked.message.instance)
        left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        context.add_done_callback(
            lambda _context: _done(left)  # type: ignore[arg-type] # The stub names a class that no function is.
        )
        reply = await self._driver.ask(asked.source, asked.message, asked.cause, left)
        if reply.message is None or reply.line is None:
            raise self._unanswered(reply)
        return reply.message, reply.line

    def _check_not_manual(self) -> None:
        if self._config.unsafe_manual:
            raise Refused(
                grpc.StatusCode.FAILED_PRECONDITION,
                "manual mode",
                f"{self._name} takes messages from the hand of the orchestrator only",
            )

    def _check_queue(self) -> None:
        if self._driver.full:
            raise self._exhausted(
                "queue full",
                f"{self._config.queue_limit_count} requests wait already: try again later",
            )

    def _check_room(self, instance: int) -> None:
        self._check_queue()
        known = self._driver.instances
        if instance not in known and len(known) >= self._config.instance_limit_count:
            raise self._exhausted(
                "too many instances",
                f"this node remembers {len(known)} instances and begins no further one",
            )

    async def _answer_node(self, question: Question, reply: wire.StatusReply) -> None:
        """Answer with learned values, one step of the core for each."""
        self._check_not_manual()
        self._check_queue()
        numbers = [question.instance]
        if not question.instance:
            line: Line = {
                "event": "status_received",
                "source": node_name(question.source),
            }
            if question.cause is not None:
                line["cause"] = str(question.cause)
            self._log.write(line)
            numbers, reply.more = self._page(question, self._driver.learned())
        answers = await asyncio.gather(
            *(
                self._driver.ask(question.source, Status(number), question.cause)
                for number in numbers
            )
        )
        for answer in answers:
            if answer.stopping:
                raise self._unanswered(answer)
            if answer.message is not None and answer.line is not None:
                reply.instances.append(self._codec.learned_status(answer.message, answer.line))

    def _answer_client(self, question: Question, reply: wire.StatusReply) -> None:
        """Answer from memory, which may be ahead of the disk by the batch in hand."""
        known = self._driver.instances
        if question.instance:
            numbers = [question.instance] if question.instance in known else []
        else:
            numbers, reply.more = self._page(question, sorted(known))
        for number in numbers:
            reply.instances.append(self._codec.memory_status(self._driver.instances[number]))

    def _page(self, question: Question, known: list[int]) -> tuple[list[int], bool]:
        """The instances of one page, and whether more lie above."""
        page: list[int] = []
        size_bytes = 0
        for number in known:
            if not question.wants(number):
                continue
            if page and (
                len(page) >= self._config.status_limit_count
                or size_bytes >= self._config.status_limit_bytes
            ):
                return page, True
            page.append(number)
            instance = self._driver.instances[number]
            for held in (instance.learner.learned, instance.acceptor.accepted):
                size_bytes += 0 if held is None else len(held.value.encode())
        return page, False

    def _unanswered(self, reply: Reply) -> Refused:
        if reply.stopping:
            return self._stops("ask again when it is back")
        return Refused(
            grpc.StatusCode.FAILED_PRECONDITION,
            "ignored",
            f"{self._name} ignores the request: {reply.reason}",
            told=True,
        )

    def _stops(self, rest: str) -> Refused:
        sentence = f"{self._name} stops; {rest}"
        return Refused(grpc.StatusCode.UNAVAILABLE, "node stops", sentence, told=True)

    def _exhausted(self, rule: str, sentence: str) -> Refused:
        return Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, rule, sentence)
