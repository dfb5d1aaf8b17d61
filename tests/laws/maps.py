"""Strategies of any shape, as far as the strategic map sees them."""

from hypothesis import strategies as st

from kpi_stream.domain.strategy import Calendar, Objective, Perspective, Strategy, Text

_WORDS = st.sampled_from(
    "de la y trade Recaudación control responsabilidades Straßenverkehrsordnung "
    "MMMMMM iii previsible y-o (art. 7.1) ÑANDÚ 100% interoperabilidadinstitucional".split()
)


@st.composite
def texts(draw: st.DrawFn, most: int = 7) -> Text:
    """Return a text in both languages, of very different lengths."""
    return {
        language: " ".join(draw(st.lists(_WORDS, min_size=1, max_size=most)))
        for language in ("es", "en")
    }


@st.composite
def shapes(draw: st.DrawFn, widest: int = 6) -> Strategy:
    """Return a strategy with up to five bands of up to `widest` boxes, and any causes."""
    bands = draw(st.lists(st.integers(0, widest), min_size=1, max_size=5))
    ids = [f"o{band}-{at}" for band, count in enumerate(bands) for at in range(count)]
    # Causes lead forward in one random order, whatever the bands: acyclic, up, down and beside.
    ranked = draw(st.permutations(ids))
    pairs = [(a, b) for at, a in enumerate(ranked) for b in ranked[at + 1 :]]
    limit = min(len(pairs), 2 * len(ids))
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=limit)) if pairs else []
    objectives = tuple(
        Objective(
            each,
            draw(texts()),
            {"es": "", "en": ""},
            f"p{each[1 : each.index('-')]}",
            "",
            (),
            tuple(effect for cause, effect in chosen if cause == each),
            code=draw(st.sampled_from(["", "O1", "OBJ-12"])),
        )
        for each in ids
    )
    perspectives = tuple(Perspective(f"p{at}", draw(texts(4))) for at in range(len(bands)))
    return _strategy(perspectives, objectives)


def band_of(count: int) -> Strategy:
    """Return a strategy with one band of so many boxes."""
    name = {"es": "Recaudación plena y justa", "en": "Full and fair revenue"}
    objectives = tuple(
        Objective(f"o{at}", name, {"es": "", "en": ""}, "p0", "", ()) for at in range(count)
    )
    return _strategy((Perspective("p0", name),), objectives)


def _strategy(perspectives: tuple[Perspective, ...], objectives: tuple[Objective, ...]) -> Strategy:
    return Strategy(
        "any",
        {"es": "Una", "en": "Any"},
        {"es": "", "en": ""},
        "es",
        "PEN",
        Calendar("America/Lima", frozenset(range(5)), 480, 1020),
        perspectives,
        objectives,
        (),
        (),
        (),
    )
