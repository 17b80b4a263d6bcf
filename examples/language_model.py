"""A language model from plain text to a bundle: trained, measured, and continuing texts.

    python examples/language_model.py OUTPUT [--updates 400]

The texts are the English side of the corpus that ships with the library. OUTPUT is a new folder.
"""

import argparse
from pathlib import Path

import tfcompress as tfc


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("output", type=Path)
    parser.add_argument("--updates", type=int, default=400)
    parser.add_argument("--pairs", type=int, default=20000)
    options = parser.parse_args()
    splits = tfc.text.phrase_corpus(pairs=options.pairs, seed=0).splits
    texts = {name: english for name, (english, _) in splits.items()}
    options.output.mkdir(parents=True)
    tokenizer = tfc.text.train_tokenizer(
        texts["train"], vocabulary_size=500, path=options.output / "tokenizer.model"
    )

    config = tfc.models.LanguageModelConfig(
        tokenizer.vocabulary_size,
        hidden_dim=64,
        decoder=tfc.models.StackConfig(
            2,
            attention=tfc.models.AttentionConfig(4),
            feed_forward=tfc.models.FeedForwardConfig(128),
        ),
        embedding=tfc.models.EmbeddingConfig(32, layer_type="define", tie="own"),
        normalize_first=True,
        max_length=48,
    )
    print(tfc.analysis.describe(config))

    rows = {
        name: tfc.text.TokenizedTexts.from_corpus(
            tokenizer, texts[name], max_length=config.max_length
        )
        for name in ("train", "valid")
    }
    training = tfc.training.TrainingConfig(
        updates=options.updates,
        evaluate_every=options.updates // 2,
        batch_tokens=2048,
        learning_rate=0.005,
        warmup=options.updates // 10,
        label_smoothing=0.0,
    )
    model, history = tfc.training.train_language_model(
        config, rows["train"], rows["valid"], training, options.output / "training", verbose=2
    )
    print(f"validation perplexity {history[-1]['val_perplexity']:.2f}")

    bundle = options.output / "bundle"
    tfc.export.convert(model, bundle, quantization="dynamic_int8", tokenizer=tokenizer)
    metrics = tfc.pipeline.evaluate_language_model(bundle, texts["test"][:200])
    print(f"test perplexity {metrics['perplexity']:.2f} of {metrics['tokens']} tokens in int8")
    with tfc.runtime.TextGenerator(bundle) as generator:
        for prompt in ("Where is", "I would like"):
            rest = generator.generate(prompt, max_tokens=12, temperature=0.7, top_k=20, seed=1)
            print(f"{prompt}|{rest}")


if __name__ == "__main__":
    main()
