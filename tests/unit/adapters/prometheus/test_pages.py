"""Pages that remember how a series is written, beside the library's own."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from kpi_stream.adapters.prometheus import pages as module
from kpi_stream.adapters.prometheus.families import Gauges
from kpi_stream.adapters.prometheus.pages import Pages
from kpi_stream.application.monitoring.conventions import Family

FORMS = ("", "application/openmetrics-text; version=1.0.0", "text/plain; escaping=allow-utf-8")
FAMILIES = (
    Family("plain", "Without labels."),
    Family("one", "A line\nand a \\ in its help.", ("where",)),
    Family("two", "Labels that are not in alphabetical order.", ("what", "also")),
)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=4)
samples = st.one_of(
    st.tuples(st.just(FAMILIES[0])),
    st.tuples(st.just(FAMILIES[1]), texts),
    st.tuples(st.just(FAMILIES[2]), texts, texts),
)
scrapes = st.lists(st.dictionaries(samples, st.floats() | st.integers(), max_size=6), max_size=4)


def gauges(scrape: dict[tuple[Family, ...], float]) -> Gauges:
    """Return the gauges of a scrape."""
    found = Gauges()
    for (family, *labels), value in scrape.items():
        found.set(family, value, *labels)
    return found


@pytest.mark.parametrize("accept", FORMS)
@pytest.mark.parametrize("spare", [0, 1_000])
@given(said=scrapes)
def test_every_page_is_the_librarys(
    accept: str, spare: int, said: list[dict[tuple[Family, ...], float]]
) -> None:
    """Byte by byte, whatever the labels hold, and whichever series come, go and come back."""
    encode, _ = choose_encoder(accept)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SPARE", spare)
        pages = Pages(encode)
        for scrape in said:
            registry = CollectorRegistry(auto_describe=False)
            registry.register(gauges(scrape))
            assert pages.page(gauges(scrape)) == encode(registry)


def _counting(encode: Callable[[CollectorRegistry], bytes], calls: list[int]) -> Pages:
    def counted(registry: CollectorRegistry) -> bytes:
        calls.append(sum(len(family.samples) for family in registry.collect()))
        return encode(registry)

    return Pages(counted)


def test_the_library_writes_a_family_again_only_for_a_new_series() -> None:
    """And what is not asked for any more is forgotten in the end."""
    encode, _ = choose_encoder("")
    calls: list[int] = []
    pages = _counting(encode, calls)
    calls.clear()
    family = FAMILIES[1]
    for value in (1.0, 2.0, 3.0):
        pages.page(gauges({(family, "a"): value}))
    assert calls == [1]
    pages.page(gauges({(family, "a"): 1.0, (family, "b"): 1.0}))
    assert calls == [1, 2]
    pages.page(gauges({(family, "b"): 5.0}))
    assert calls == [1, 2]
    pages.page(gauges({(family, str(number)): 1.0 for number in range(1_003)}))
    pages.page(gauges({(family, "a"): 1.0}))
    assert calls == [1, 2, 1_003, 1]
