"""All methods side by side: one corpus, one training budget, one table.

    python benchmarks/methods.py --runs runs/methods --output benchmarks/results/methods.md
    python benchmarks/methods.py --runs runs/methods_multi30k --updates 6000 --batch-tokens 4096 \
        --corpus CORPUS --split test_2016_flickr.lc.norm.tok --output ...

Without --corpus, the corpus that ships with the library. Every row is a run of its own that
resumes; a row that is finished is not repeated, and the table holds the rows finished so far. Rows
that begin with the baseline's weights get as many updates again for recovery as --recovery says;
everything else is the same for all.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from rows import run_rows

from tfcompress import schema
from tfcompress.pipeline import TranslationRecipe
from tfcompress.pipeline.recipe import merged

WIDTH = 128
HEADS = {"num_heads": 4}
STACK = {
    "num_layers": 4,
    "attention": HEADS,
    "feed_forward": {"intermediate_dim": 256},
}
PATTERNS = [
    "current",
    "previous",
    "next",
    "left_context",
    "right_context",
    "sentence_end",
    "sentence_start",
]
CONVOLUTION = {"kernel_size": [3, 5, 7, 15], "num_heads": 4}
LSRA = {"num_heads": 2, "mixer": "lsra", "convolution": CONVOLUTION}
DELIGHT = {
    "attention": {
        "num_heads": 1,
        "mixer": "delight",
        "scaling": {"min_layers": 2, "max_layers": 4, "width_multiplier": 2.0},
    },
    "feed_forward": {"intermediate_dim": WIDTH // 4, "activation": "swish"},
}


def trained_anew(vocabulary_size: int) -> dict[str, dict]:
    """Changes of the model, by method."""
    third = vocabulary_size // 3
    return {
        "baseline": {},
        "factorized": both({}, {"embedding_dim": 48}),
        "adaptive": both(
            {},
            {"layer_type": "adaptive", "cutoffs": [third, 2 * third], "factor": 2, "share": True},
        ),
        "define": both({}, transformed("define")),
        "dextra_embedding": both({}, transformed("dextra")),
        "shared": both({"sharing": {"pattern": "all"}}),
        "shared_in_pairs": both({"sharing": {"pattern": "groups", "groups": 2}}),
        "delight": both(DELIGHT, transformed("dextra")),
        "fixed_7f1l": {
            "encoder": {"attention": {"num_heads": 8, "mixer": "fixed", "patterns": PATTERNS}}
        },
        "fixed_7f1l_words": {
            "encoder": {
                "attention": {"num_heads": 8, "mixer": "fixed", "patterns": PATTERNS, "words": True}
            }
        },
        "fixed_8f": {
            "encoder": {
                "attention": {
                    "num_heads": 8,
                    "mixer": "fixed",
                    "patterns": [*PATTERNS, "last_token"],
                }
            }
        },
        "lsra_flat": both(
            {
                "attention": LSRA,
                "cross_attention": HEADS,
                "feed_forward": {"intermediate_dim": WIDTH},
            }
        )
        | {
            "encoder": {"attention": LSRA, "feed_forward": {"intermediate_dim": WIDTH}},
        },
        "dynamic_convolution": {
            "encoder": {"attention": {"mixer": "convolution", "convolution": CONVOLUTION}},
            "decoder": {
                "attention": {"mixer": "convolution", "convolution": CONVOLUTION},
                "cross_attention": HEADS,
            },
        },
        "layer_drop": both({"layer_drop": {"rate": 0.2}}),
    }


def both(stack: dict, embedding: dict | None = None) -> dict:
    """The same change in encoder and decoder."""
    changes = {"encoder": stack, "decoder": stack} if stack else {}
    return changes | ({"embedding": embedding} if embedding else {})


def transformed(layer_type: str) -> dict:
    """A narrow table behind a group transform."""
    transform = {"num_layers": 3, "width_multiplier": 2.0, "max_groups": 4}
    return {"layer_type": layer_type, "embedding_dim": 48, "tie": "own", "transform": transform}


def begun_from(baseline: str, dropped: str) -> dict[str, dict]:
    """Recipes that begin with a trained model, by method."""
    pruned = {"prune_heads": {"fraction": 0.5, "steps": 2, "protect": "cross"}}
    theseus = {
        "train_only": "_module_",
        "replacing": {"schedule": "linear", "base": 0.3, "slope": 0.002},
    }
    return {
        "layer_drop_half": {
            "start_from": dropped,
            "surgery": {"before": [{"drop_layers": {"rate": 0.5}}]},
        },
        "heads_pruned_half": {"start_from": baseline, "surgery": {"before": [pruned]}},
        "narrow_feed_forward": {
            "start_from": baseline,
            "surgery": {"before": [{"narrow_feed_forward": {"encoder": 128, "decoder": 128}}]},
        },
        "svd_factorized": {
            "start_from": baseline,
            "surgery": {"before": [{"factorize_embedding": {"embedding_dim": 48}}]},
        },
        "theseus_half": {
            "start_from": baseline,
            "model": {"encoder": {"successors": 2}, "decoder": {"successors": 2}},
            "surgery": {"after": [{"take_successors": {}}]},
            "training": theseus,
        },
    }


def taught_by(baseline: str) -> dict[str, dict]:
    """Recipes of a smaller student, by method."""
    student = both({"sharing": {"pattern": "all"}})
    like = {"like": baseline}
    return {
        "distilled_words": {
            "model": student,
            "tokenizer": like,
            "teacher": {"path": baseline},
            "training": {"distillation": {"weight": 0.5, "temperature": 2.0}},
        },
        "distilled_sequences": {
            "model": student,
            "tokenizer": like,
            "teacher": {"path": baseline, "sequences": True, "beam_size": 4},
        },
    }


def recipes(options: argparse.Namespace) -> list[TranslationRecipe]:
    """All rows in the order in which they can be run."""
    training = {
        "updates": options.updates,
        "batch_tokens": options.batch_tokens,
        "learning_rate": options.learning_rate,
        "schedule": "cosine",
        "warmup": max(1, options.updates // 8),
        "evaluate_every": max(1, options.updates // 4),
        "evaluate_sentences": 200,
    }
    recovery = training | {
        "updates": options.recovery,
        "learning_rate": options.learning_rate / 4,
        "warmup": max(1, options.recovery // 8),
        "evaluate_every": options.recovery,
    }
    corpus = {"format": "phrases", "pairs": 60000}
    if options.corpus:
        corpus = {"format": "files", "source_language": "en", "target_language": "de"}
        corpus |= {"train": options.train, "valid": options.valid, "test": options.split}
    base = {
        "corpus": corpus,
        "tokenizer": {"vocabulary_size": options.vocabulary_size},
        "evaluation": {"beam_size": 4, "tokenize": "none" if options.corpus else "13a"},
        "benchmark": {"sentences": 100},
    }
    if options.corpus:
        base["tokenizer"]["normalization"] = "identity"
    model = {
        "hidden_dim": WIDTH,
        "encoder": STACK,
        "decoder": STACK,
        "embedding": {"share": True},
        "normalize_first": True,
        "dropout": options.dropout,
        "max_source_length": 128,
        "max_target_length": 128,
    }
    baseline, dropped = (str(options.runs / name) for name in ("baseline", "layer_drop"))
    rows = {
        name: base | {"model": merged(model, changes), "training": training}
        for name, changes in trained_anew(options.vocabulary_size).items()
    }
    for name, changes in begun_from(baseline, dropped).items():
        rows[name] = merged(base | {"training": recovery}, changes)
    for name, changes in taught_by(baseline).items():
        changes = changes | {"model": merged(model, changes["model"])}
        rows[name] = merged(base | {"training": training}, changes)
    return [
        schema.from_mapping(TranslationRecipe, {"name": name, **row}) for name, row in rows.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=Path, required=True, help="folder of all runs")
    parser.add_argument("--output", type=Path, required=True, help="table, .md or .html")
    parser.add_argument("--corpus", type=Path, help="folder of another corpus")
    parser.add_argument("--train", default="train.lc.norm.tok")
    parser.add_argument("--valid", default="val.lc.norm.tok")
    parser.add_argument("--split", default="test_2016_flickr.lc.norm.tok")
    parser.add_argument("--updates", type=int, default=1000)
    parser.add_argument("--recovery", type=int, default=250)
    parser.add_argument("--batch-tokens", type=int, default=1024)
    parser.add_argument("--learning-rate", type=float, default=0.004)
    parser.add_argument("--vocabulary-size", type=int, default=1536)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--only", nargs="*", help="rows to run; all by default")
    options = parser.parse_args()
    run_rows(
        recipes(options),
        options.runs,
        options.output,
        corpus=options.corpus,
        only=options.only,
    )


if __name__ == "__main__":
    main()
