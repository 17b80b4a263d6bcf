"""Text encoders in a run: classifiers."""

import dataclasses
from pathlib import Path

from tfcompress.errors import InputError
from tfcompress.models.head_config import CLASSIFICATION
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.reports import percent
from tfcompress.pipeline.task import Task
from tfcompress.pipeline.text_encoder_evaluation import evaluate_classifier
from tfcompress.pipeline.text_encoder_recipe import MINILM
from tfcompress.pipeline.workspace import (
    finished_run,
    has_text_tokenizer,
    save_text_tokenizer,
    saved_text_tokenizer,
)
from tfcompress.text import (
    LabelledTexts,
    cache_labelled_texts,
    load_text_tokenizer,
    open_labelled_corpus,
)
from tfcompress.text.text_tokenizers import tokenizer_digest

# Texts that tokenizers are compared on.
_COMPARED = 1000


class TextEncoderTask(Task):
    """A text encoder with one class for each text; `tokenizers` is its one tokenizer."""

    examples = "texts"
    evaluation = {"accuracy": float, "interval": (float, float), "examples": int, "labels": [int]}

    def load_corpus(self, path):
        files = self.recipe.corpus
        return open_labelled_corpus(
            self.corpus_path(path),
            index=self.index,
            labels=files.labels,
            train=files.train,
            valid=files.valid,
            test=files.test,
        )

    def check(self):
        if len(self.corpus.labels) < 2:
            raise InputError(
                "A classifier needs a corpus with two classes or more. Received: "
                f"{self.corpus.name} with {', '.join(self.corpus.labels)} only."
            )

    def training_needs(self):
        needs = super().training_needs()
        if self.recipe.tokenizer is not None:  # Its folder may hold other files.
            needs["tokenizer"] = tokenizer_digest(load_text_tokenizer(self.recipe.tokenizer))
        return needs

    def evaluation_needs(self):
        return super().evaluation_needs() | {"valid": self.split_digest("valid")}

    def begin(self, folder, log):
        if self.recipe.start_from is not None:
            former = finished_run(self.recipe.start_from, "start_from")
            self.tokenizers = saved_text_tokenizer(former)
            return self._with_classes(_load(former / "model", "start_from"), log)
        if self.recipe.pretrained is None:
            self.tokenizers = load_text_tokenizer(self.recipe.tokenizer)
            return None
        folder = _pretrained_folder(self.recipe.pretrained)
        self.tokenizers = load_text_tokenizer(self.recipe.tokenizer or folder)
        return self._with_classes(_load(folder, "pretrained"), log)

    def save_tokenizers(self, folder):
        save_text_tokenizer(self.tokenizers, folder)

    def load_tokenizers(self, folder):
        return saved_text_tokenizer(folder) if has_text_tokenizer(folder) else None

    def tokenizer_options(self):
        return {"tokenizer": self.tokenizers}

    def surgery(self, model):
        from tfcompress.pipeline.text_encoder_surgery import TextEncoderSurgery

        return TextEncoderSurgery(model, self.tokenizers, self.corpus)

    def model_config(self, start):
        return self.recipe.model_config(
            start,
            vocabulary_size=self.tokenizers.vocabulary_size,
            pad_id=self.tokenizers.pad_id,
            labels=self.corpus.labels,
        )

    def load_teacher(self):
        run = finished_run(self.recipe.teacher.path, "teacher.path")
        texts = self.corpus.splits["train"][0][:_COMPARED]
        teacher, student = saved_text_tokenizer(run).encode(texts), self.tokenizers.encode(texts)
        if any([*one] != [*other] for one, other in zip(teacher, student)):
            raise InputError(
                f"The teacher must have the student's tokenizer. Received: {run} with another, "
                "under `teacher.path`. Train a teacher with the student's."
            )
        return _load(run / "model", "teacher.path")

    def training_data(self, config, workspace, log):
        limits = {"max_length": config.max_length, "token_types": config.token_types}
        train = self.cached(
            cache_labelled_texts,
            self.corpus.splits["train"],
            workspace,
            log,
            tokenizer=self.tokenizers,
            **limits,
        )
        valid = LabelledTexts(self.tokenizers, *self.corpus.splits["valid"], **limits)
        return train, valid

    def train(self, *arguments, **settings):
        from tfcompress.training import train_classifier

        return train_classifier(*arguments, **settings)

    def evaluate(self, bundle, progress):
        test, valid = (
            evaluate_classifier(bundle, *self.corpus.splits[split], progress=progress)
            for split in ("test", "valid")
        )
        return test | {"valid_accuracy": valid["accuracy"]}

    def results(self, evaluation):
        return evaluation["labels"]

    def scores(self, evaluation):
        low, high = map(percent, evaluation["interval"])
        return {
            "accuracy": percent(evaluation["accuracy"]),
            "accuracy_low": low,
            "accuracy_high": high,
            "f1": percent(evaluation.get("f1", evaluation.get("macro_f1"))),
            "sentences": evaluation["examples"],
        }

    def shown_text(self, result):
        return self.corpus.labels[result]

    def _with_classes(self, model, log):
        """The model with the corpus' classes in their order, where it has them."""
        from tfcompress.models import TextEncoder
        from tfcompress.models.classes import has_names, match_classes
        from tfcompress.surgery import select_classes

        labels, head = self.corpus.labels, model.config.head
        if head is None or head.task != CLASSIFICATION:
            return model
        wanted = dataclasses.replace(head, num_classes=None, labels=labels)
        match = match_classes(head, wanted)
        if match.message is not None and match.order is not None:
            log(match.message)
        if match.order is not None:
            return model if head.labels == labels else select_classes(model, labels)
        if not has_names(head) and head.classes == len(self.recipe.corpus.labels):
            log(f"the model's classes are called {', '.join(labels)}, in this order")
            return TextEncoder(model.config.replace(head=wanted), model=model.model)
        return model  # Training says that the head starts anew.


def _pretrained_folder(name):
    if name != MINILM:
        return Path(name)
    load_tensorflow()
    from tfcompress.models import minilm_folder

    return minilm_folder()


def _load(folder, key):
    load_tensorflow()
    from tfcompress.models import TextEncoder, from_safetensors
    from tfcompress.models.preset_folder import WEIGHTS_FILE
    from tfcompress.models.presets import load_preset

    saved = (folder / WEIGHTS_FILE).is_file()
    model = load_preset(folder) if saved else from_safetensors(folder)
    if not isinstance(model, TextEncoder):
        raise InputError(
            f"`{key}` must be a text encoder. Received: {folder}, a translation model."
        )
    return model
