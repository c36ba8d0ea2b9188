"""Content of one space: what it shows of an offer in place of the common texts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog_store.records import Catalog, ContentField, Environment
from compiler.revision import compile_catalog
from compiler.source import Refused
from server.files import read_catalog
from server.files.catalog_export import export_catalog
from tests.bank import environment, offer, space
from tests.design_admin import BY_ORDER, create, design_admin, name_of
from tests.services import Served, offers, served

TITLE = ContentField(name="title", required=True)
NOTE = ContentField(name="note")


def bank(**own: dict[str, str]) -> Environment:
    content = {"title": "Gold for {{ contact.job }}", "note": "Free"}
    gold = offer("gold", content=content, space_content=own)
    spaces = [space(name, fields=(TITLE, NOTE)) for name in ("banner", "side")]
    return environment([gold], spaces=spaces)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path, bank()) as web:
        web.upsert("bank", "ann", age=30, job="nurse")
        yield web


def shown(web: Served, name: str) -> dict[str, str]:
    (result,) = web.propose(name, dry_run=True).results
    return dict(result.propositions[0].content)


def test_a_space_shows_its_own_texts(web: Served) -> None:
    """Field by field, templates as well; other spaces show the common ones."""
    web.publish(bank(side={"title": "{{ contact.job }}s go first"}))

    assert shown(web, "side") == {"title": "nurses go first", "note": "Free"}
    assert shown(web, "banner") == {"title": "Gold for nurse", "note": "Free"}


def test_a_plain_text_stands_in_for_a_template(web: Served) -> None:
    """And nothing of the template is left."""
    web.publish(bank(side={"title": "Plain"}))

    assert shown(web, "side")["title"] == "Plain"


def test_an_empty_text_shows_nothing(web: Served) -> None:
    """An offer without what the space requires is left out of that space only."""
    web.publish(bank(side={"note": ""}))
    assert shown(web, "side") == {"title": "Gold for nurse"}
    web.publish(bank(side={"title": ""}))

    assert offers(web.propose("side", dry_run=True)) == []
    assert offers(web.propose("banner", dry_run=True)) == ["gold"]


@pytest.mark.parametrize(
    ("own", "place"),
    [
        ({"none": {"title": "x"}}, "space_content.none: unknown space 'none'"),
        ({"side": {"no title": "x"}}, "space_content.side.no title"),
        ({"side": {"title": "x" * 70_000}}, "space_content.side.title"),
        ({"side": {"title": "{{ contact.none }}"}}, "space_content.side.title"),
        ({"side": {f"f{n}": "x" for n in range(101)}}, "space_content.side"),
    ],
)
def test_mistakes_are_told_at_their_places(
    own: dict[str, dict[str, str]], place: str
) -> None:
    """As those in the common content are."""
    with pytest.raises(Refused) as raised:
        compile_catalog(Catalog(environments=(bank(**own),)))

    told = [f"{one.source.name}: {one.message}" for one in raised.value.diagnostics]
    assert any(place in one for one in told), told


def test_it_goes_to_files_and_back(tmp_path: Path) -> None:
    """As everything of a catalog does."""
    catalog = Catalog(environments=(bank(side={"title": "Plain", "note": ""}),))
    export_catalog(catalog, tmp_path / "files")

    assert read_catalog(tmp_path / "files").catalog == catalog


def test_masks_lead_to_one_space(tmp_path: Path) -> None:
    """Its texts are changed whole; others stay as they are."""
    with design_admin(tmp_path) as admin:
        for noun in BY_ORDER[:4]:
            create(admin, noun)
        name = name_of(next(noun for noun in BY_ORDER if noun.field == "offer"))

        def update(path: str, **own: str) -> dict[str, dict[str, str]]:
            texts = {"sample": {"texts": own}} if own else {}
            changed = admin.call(
                "UpdateOffer",
                offer={"name": name, "space_content": texts},
                update_mask={"paths": [path]},
            ).offer
            return {k: dict(v.texts) for k, v in changed.space_content.items()}

        path = "space_content.sample"
        assert update(path, title="a") == {"sample": {"title": "a"}}
        assert update(path, title="b") == {"sample": {"title": "b"}}
        assert update(path) == {}
        assert update("space_content", title="c") == {"sample": {"title": "c"}}
        offer_ = admin.call("GetOffer", name=name).offer
        assert dict(offer_.content) == {"title": "Gold for you"}
