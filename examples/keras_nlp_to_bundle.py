"""A keras-nlp classifier for a phone: taken over, trained on the grid of int8 weights, exported.

    python examples/keras_nlp_to_bundle.py PRESET CORPUS OUT

PRESET is a preset of keras-nlp (a name, or a folder that `save_to_preset` wrote), CORPUS a folder
with `train.tsv` and `valid.tsv` (text, tab, label), OUT a new folder. keras-nlp needs Keras 3 and
tf-model-optimization Keras 2, so the two steps are two processes, with a folder between them.
"""

import os
import subprocess
import sys


def take_over(preset: str, out: str) -> None:
    """Keras 3: one call takes the model over, and one folder keeps it."""
    import keras_nlp

    import tfcompress as tfc

    classifier = keras_nlp.models.TextClassifier.from_preset(preset)
    tfc.models.from_keras_nlp(classifier).save_to_preset(f"{out}/encoder")
    classifier.preprocessor.tokenizer.save_to_preset(f"{out}/tokenizer")


def train_and_export(corpus: str, out: str) -> None:
    """Keras 2: `model.fit` with tf-model-optimization, then the bundle."""
    from tensorflow import keras

    import tfcompress as tfc
    from tfcompress.optimization import quantize_aware, strip_quantization

    encoder = tfc.models.TextEncoder.from_preset(f"{out}/encoder")
    tokenizer = tfc.text.load_text_tokenizer(f"{out}/tokenizer")
    data = tfc.text.load_labelled_corpus(corpus)
    train, valid = (
        tfc.text.LabelledTexts(
            tokenizer,
            *data.splits[split],
            max_length=encoder.config.max_length,
            token_types=encoder.config.token_types,
        )
        for split in ("train", "valid")
    )

    def named(inputs, labels):
        return inputs, {"logits": labels}

    model = quantize_aware(encoder.model, bits=8)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(5e-5), {"logits": loss}, metrics={"logits": "accuracy"})
    model.fit(
        train.training_dataset(batch_tokens=1024, seed=0).map(named),
        steps_per_epoch=max(1, len(train) // 32),
        epochs=2,
        validation_data=valid.evaluation_dataset(batch_tokens=2048).map(named),
    )
    trained = tfc.models.TextEncoder(encoder.config, model=strip_quantization(model))
    tfc.export.convert(trained, f"{out}/bundle", tokenizer=tokenizer, quantization="dynamic_int8")

    from tfcompress.runtime import TextModel

    with TextModel(f"{out}/bundle") as phone:
        for text in data.splits["valid"][0][:3]:
            print(f"{phone.classify(text, overlong='cut').label}\t{text}")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[0] == "--train":
        train_and_export(*arguments[1:])
    else:
        preset, corpus, out = arguments
        take_over(preset, out)
        command = [sys.executable, __file__, "--train", corpus, out]
        subprocess.run(command, env=os.environ | {"TF_USE_LEGACY_KERAS": "1"}, check=True)
