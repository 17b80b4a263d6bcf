"""Runs, rows and strategies for the tests of the reports."""

from hypothesis import settings
from hypothesis import strategies as st

from tfcompress.reporting import Example, HistoryPoint, Row, RunResults

few_examples = settings(max_examples=25, deadline=None)

SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
HOSTILE = '<script>alert("1")</script> & a|b *c* _d_ `e` [f](g) \\h\x07\x00\n# i'


def make_row(system="student", quantization="dynamic_int8", **metrics):
    measured = {
        "parameters": 8_092_416,
        "model_bytes": 8_301_222,
        "bundle_bytes": 9_401_222,
        "bleu": 37.9,
        "bleu_low": 36.8,
        "bleu_high": 39.0,
        "signature": SIGNATURE,
        "sentences": 1000,
        "beam_size": 4,
        "latency_ms": 9.1,
        "target_tokens_per_s": 1429.0,
        "peak_rss_bytes": 71_600_000,
        "device": "local",
        "threads": 1,
    }
    return Row(system=system, quantization=quantization, **(measured | metrics))


def make_teacher(**metrics):
    measured = {"parameters": 35_052_852, "model_bytes": 140_211_408, "bleu": 38.31}
    return make_row("teacher", "float32", **(measured | {"latency_ms": 61.2} | metrics))


def make_run(*rows, **changes):
    content = {
        "name": "quickstart",
        "created": "2026-03-01T12:00:00+00:00",
        "command": "tfcompress quickstart --output runs/quickstart",
        "machine": {"cpu": "Cortex-A76", "cores": 4, "memory_bytes": 8_000_000_000},
        "versions": {"tfcompress": "0.1.0", "sacrebleu": "2.6.0"},
        "corpus": "phrasebook en-de test",
        "rows": list(rows),
        "examples": [Example("Two dogs.", "Zwei Hunde.", {"teacher": "Zwei Hunde sind da."})],
        "history": [
            HistoryPoint(step=100, loss=6.5),
            HistoryPoint(step=200, loss=4.25, validation_loss=4.0, validation_bleu=12.5),
            HistoryPoint(step=300, loss=3.0, validation_loss=3.1, validation_bleu=25.0),
        ],
    }
    return RunResults(**(content | changes))


names = st.text(st.characters(codec=None), min_size=1, max_size=40).filter(str.strip)
whole = st.integers(min_value=1, max_value=10**18)
finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=1e-9, max_value=1e18)
scores = st.floats(min_value=0, max_value=100)


@st.composite
def rows(draw):
    interval = sorted(draw(st.tuples(scores, scores)))
    low, high = draw(st.sampled_from([(None, None), interval]))
    return Row(
        system=draw(names),
        quantization=draw(
            st.none() | st.sampled_from(["float32", "dynamic_int8", "int4", "ternary"]) | names
        ),
        parameters=draw(st.none() | whole),
        model_bytes=draw(st.none() | whole),
        bundle_bytes=draw(st.none() | whole),
        bleu=draw(st.none() | scores),
        bleu_low=low,
        bleu_high=high,
        signature=draw(st.none() | st.just(SIGNATURE) | names),
        sentences=draw(st.none() | whole),
        beam_size=draw(st.none() | whole),
        latency_ms=draw(st.none() | positive),
        target_tokens_per_s=draw(st.none() | st.just(0.0) | positive),
        peak_rss_bytes=draw(st.none() | whole),
        device=draw(st.none() | names),
        threads=draw(st.none() | whole),
    )


losses = st.none() | st.floats()
history = st.lists(
    st.builds(
        HistoryPoint,
        step=st.integers(min_value=0, max_value=10**18),
        loss=losses,
        validation_loss=losses,
        validation_bleu=losses,
    ),
    max_size=5,
)
texts = st.text(st.characters(codec=None), max_size=30)
runs = st.builds(
    make_run,
    name=names,
    created=st.just("2026-03-01"),
    command=texts,
    machine=st.dictionaries(texts, texts | st.integers() | finite, max_size=3)
    | st.just({"cpu": "x", "cores": 0.5, "memory_bytes": -(10**30)}),
    versions=st.dictionaries(texts, texts, max_size=3),
    corpus=st.sampled_from(["a", "b"]) | texts,
    rows=st.lists(rows(), max_size=6),
    examples=st.lists(
        st.builds(Example, texts, texts, st.dictionaries(texts, texts, max_size=2)), max_size=2
    ),
    history=history,
)
