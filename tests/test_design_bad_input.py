"""Whatever an admin sends, the answer says what is wrong; the design stays right."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from google.protobuf.message_factory import GetMessageClass

from catalog_store.design_store import DesignStore
from compiler.revision import compile_catalog
from server.client import CallFailed
from server.design.nouns import NOUNS
from tests.design_admin import (
    BY_ORDER,
    METHODS,
    PARENT,
    SAMPLES,
    DesignAdmin,
    create,
    design_admin,
    name_of,
)
from tests.message_mutation import flipped, mutate
from tests.servers import DEADLINE_SECONDS

#: PROPONO_SEED repeats a run, PROPONO_MUTATIONS makes it longer.
SEED = int(os.environ.get("PROPONO_SEED", "20260501"))
MUTATIONS = int(os.environ.get("PROPONO_MUTATIONS", "60"))

DESIGN_METHODS = [
    f"{verb}{noun.plural if verb == 'List' else noun.singular}"
    for noun in NOUNS
    for verb in ("List", "Get", "Create", "Update", "Delete")
]
#: What a client can be told of what it sent.
ABOUT_THE_REQUEST = {
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "ABORTED",
    "FAILED_PRECONDITION",
    "RESOURCE_EXHAUSTED",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("design")


@pytest.fixture(scope="module")
def bank(folder: Path) -> Generator[DesignAdmin]:
    with design_admin(folder) as admin:
        for noun in BY_ORDER:
            create(admin, noun)
        yield admin


def sensible(method: str) -> Any:
    """A request that is right, or would be but for the name being taken."""
    request = GetMessageClass(METHODS[method].input_type)()
    noun = next(n for n in NOUNS if method.endswith((n.singular, n.plural)))
    fields = request.DESCRIPTOR.fields_by_name
    if "parent" in fields:
        request.parent = PARENT
    if "name" in fields:
        request.name = name_of(noun)
    if noun.field in fields:
        message = type(getattr(request, noun.field))(**SAMPLES[noun.field])
        getattr(request, noun.field).CopyFrom(message)
        getattr(request, noun.field).name = name_of(noun)
    if f"{noun.field}_id" in fields:
        setattr(request, f"{noun.field}_id", "another")
    return request


@pytest.mark.parametrize("method", DESIGN_METHODS)
def test_mutated_requests_are_answered(
    bank: DesignAdmin, folder: Path, method: str
) -> None:
    """With a code about the request, never UNKNOWN or INTERNAL; the seed is printed."""
    random = Random(f"{SEED}/{method}")
    print(f"PROPONO_SEED={SEED}")
    codes: Counter[str] = Counter()
    strange: list[tuple[str, str, bytes]] = []
    for _ in range(MUTATIONS):
        request = sensible(method)
        mutate(random, request)
        data = request.SerializeToString()
        if random.random() < 0.2:
            data = flipped(random, data)
        try:
            bank.send(method, data)
            codes["OK"] += 1
        except CallFailed as failure:
            codes[failure.code] += 1
            is_known = failure.reason or failure.code == "RESOURCE_EXHAUSTED"
            if failure.code not in ABOUT_THE_REQUEST or not is_known:
                strange.append((failure.code, str(failure), data))

    assert strange == []
    assert set(codes) - {"OK"}, codes


@pytest.mark.parametrize("method", ["Publish", "SetOfferDisabled"])
def test_mutated_requests_about_publications_are_answered(
    bank: DesignAdmin, method: str
) -> None:
    """With a code about the request, whatever has become of the design."""
    random = Random(f"{SEED}/{method}")
    print(f"PROPONO_SEED={SEED}")
    strange: list[tuple[str, str]] = []
    for _ in range(20):
        request = GetMessageClass(METHODS[method].input_type)()
        if method == "SetOfferDisabled":
            request.name = f"{PARENT}/offers/sample"
        mutate(random, request)
        data = request.SerializeToString()
        try:
            bank.send(method, flipped(random, data) if random.random() < 0.3 else data)
        except CallFailed as failure:
            if failure.code not in ABOUT_THE_REQUEST | {"UNIMPLEMENTED"}:
                strange.append((failure.code, str(failure)))

    assert strange == []


def test_the_design_is_still_one_that_compiles(bank: DesignAdmin, folder: Path) -> None:
    """After all that, what is stored has no error in it."""
    if not bank.call("ListEnvironments").environments:
        create(bank, BY_ORDER[0])
    process = multiprocessing.get_context("spawn").Process(
        target=_compile, args=(folder / "design",)
    )
    process.start()
    process.join(DEADLINE_SECONDS)

    assert process.exitcode == 0


def _compile(path: Path) -> None:
    with DesignStore(path) as store:
        compile_catalog(store.design().catalog)


def test_an_oversized_request_is_refused(bank: DesignAdmin) -> None:
    """Before anything of it is stored."""
    content = {f"f{n}": "x" * 60_000 for n in range(5)}
    offer = {**SAMPLES["offer"], "content": content}
    code, _, text = bank.refused(
        "CreateOffer", parent=PARENT, offer_id="large", offer=offer
    )

    assert code == "RESOURCE_EXHAUSTED"
    assert "send at most" in text


@pytest.mark.parametrize(
    "offer",
    [
        {"weights": [{}] * 300},
        {"content": {f"{'é' * 3_000}{number}": "{{ x }}" for number in range(20)}},
        {"content": {"a": "{{ é }}" * 3_000}, "label": "é" * 60_000},
    ],
)
def test_no_mistake_is_too_long_for_a_client(
    bank: DesignAdmin, offer: dict[str, Any]
) -> None:
    """Trailers of more than 8 KiB would be an error of the connection instead."""
    offer = {**SAMPLES["offer"], **offer}
    for _ in range(3):
        code, reason, _ = bank.refused(
            "CreateOffer", parent=PARENT, offer_id="wrong", offer=offer
        )
        assert (code, reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
