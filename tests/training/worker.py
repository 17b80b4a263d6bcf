"""A worker of a small training: `worker.py FOLDER RESULT SETTINGS`, with TF_CONFIG set."""

import json
import os
import signal
import sys
from pathlib import Path

import numpy as np

from tfcompress.models import (
    AttentionConfig,
    EmbeddingConfig,
    FeedForwardConfig,
    Seq2SeqConfig,
    StackConfig,
)
from tfcompress.text import TokenizedPairs, train_tokenizer
from tfcompress.training import TrainingConfig, Validation, join_cluster, train

WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "glade"]


def main(folder, result, settings):
    die_at = settings.pop("die_at", None)
    if settings["strategy"] == "multi_worker":
        join_cluster(timeout=settings.get("worker_timeout", 60))
    rng = np.random.default_rng(0)
    sources = [" ".join(rng.choice(WORDS, rng.integers(1, 5))) for _ in range(60)]
    corpus = sources, [" ".join(reversed(source.split())) for source in sources]
    tokenizer = train_tokenizer(sources, vocabulary_size=24, path=f"{result}.model")
    stack = StackConfig(1, attention=AttentionConfig(2), feed_forward=FeedForwardConfig(32))
    model_config = Seq2SeqConfig(
        tokenizer.vocabulary_size,
        hidden_dim=16,
        encoder=stack,
        decoder=stack,
        embedding=EmbeddingConfig(share=True),
        dropout=0.1 * (die_at is not None),
        max_source_length=32,
        max_target_length=32,
    )
    defaults = {
        "batch_tokens": 48,
        "evaluate_every": 3,
        "evaluate_sentences": 0,
        "schedule": "constant",
        "learning_rate": 0.01,
        "clip_norm": 0.5,
        "weights": "last",
    }

    def log(line):
        print(line, flush=True)
        if die_at is not None and f"update {die_at} " in line:
            os.kill(os.getpid(), signal.SIGKILL)

    trained, history = train(
        model_config,
        TokenizedPairs.from_corpus(tokenizer, *corpus),
        Validation(corpus[0][:8], corpus[1][:8], tokenizer, tokenizer),
        TrainingConfig(**defaults | settings),
        folder,
        log=log,
    )
    history = [{k: v for k, v in entry.items() if k != "seconds"} for entry in history]
    with open(result, "wb") as file:
        np.savez(file, *trained.model.get_weights())
    Path(f"{result}.json").write_text(json.dumps(history))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
