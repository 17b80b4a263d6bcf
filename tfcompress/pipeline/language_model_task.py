"""Language models in a run."""

from tfcompress.errors import InputError
from tfcompress.files import replace_file
from tfcompress.pipeline.language_model_evaluation import evaluate_language_model
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.task import Task
from tfcompress.pipeline.workspace import (
    finished_run,
    has_tokenizers,
    saved_tokenizers,
    tokenizer_path,
)
from tfcompress.text import TokenizedTexts, cache_texts, open_text_corpus, train_tokenizer


class LanguageModelTask(Task):
    """A language model; `tokenizers` is its one tokenizer."""

    examples = "texts"
    evaluation = {
        "perplexity": float,
        "interval": (float, float),
        "examples": int,
        "log_probabilities": [float],
    }

    def load_corpus(self, path):
        files = self.recipe.corpus
        return open_text_corpus(
            self.corpus_path(path),
            index=self.index,
            train=files.train,
            valid=files.valid,
            test=files.test,
        )

    def check(self):
        pass

    def evaluation_needs(self):
        return super().evaluation_needs() | {"join": self.recipe.corpus.join}

    def begin(self, folder, log):
        settings = self.recipe.tokenizer
        if self.recipe.start_from is not None:
            former = finished_run(self.recipe.start_from, "start_from")
            self.tokenizers = _saved_tokenizer(former)
            return _load(former, "start_from")
        if settings.like is not None:
            self.tokenizers = _saved_tokenizer(finished_run(settings.like, "tokenizer.like"))
        else:
            log(f"training a tokenizer of {settings.vocabulary_size} tokens")
            self.tokenizers = train_tokenizer(
                self.corpus.splits["train"][0],
                vocabulary_size=settings.vocabulary_size,
                path=tokenizer_path(folder, "joint"),
                model_type=settings.model_type,
                normalization=settings.normalization,
                input_sentence_size=settings.input_sentence_size,
            )
        return None

    def save_tokenizers(self, folder):
        replace_file(tokenizer_path(folder, "joint"), self.tokenizers.proto)

    def load_tokenizers(self, folder):
        return _saved_tokenizer(folder) if has_tokenizers(folder) else None

    def tokenizer_options(self):
        return {"tokenizer": self.tokenizers}

    def surgery(self, model):
        from tfcompress.pipeline.language_model_surgery import LanguageModelSurgery

        return LanguageModelSurgery(model, self.tokenizers, self.corpus)

    def model_config(self, start):
        return self.recipe.model_config(self.tokenizers.vocabulary_size, start)

    def load_teacher(self):
        return _load(finished_run(self.recipe.teacher.path, "teacher.path"), "teacher.path")

    def training_data(self, config, workspace, log):
        rows = {"max_length": config.max_length, "join": self.recipe.corpus.join}
        texts = self.corpus.splits["train"][:1]
        train = self.cached(cache_texts, texts, workspace, log, tokenizer=self.tokenizers, **rows)
        valid = TokenizedTexts.from_corpus(self.tokenizers, self.corpus.splits["valid"][0], **rows)
        return train, valid

    def train(self, *arguments, **settings):
        from tfcompress.training import train_language_model

        return train_language_model(*arguments, **settings)

    def evaluate(self, bundle, progress):
        return evaluate_language_model(
            bundle, self.corpus.splits["test"][0], join=self.recipe.corpus.join, progress=progress
        )

    def results(self, evaluation):
        return evaluation["log_probabilities"]

    def scores(self, evaluation):
        low, high = evaluation["interval"]
        return {
            "perplexity": evaluation["perplexity"],
            "perplexity_low": low,
            "perplexity_high": high,
            "sentences": evaluation["examples"],
        }

    def shown(self):
        # What a text is predicted to be is no text.
        return 0


def _saved_tokenizer(folder):
    tokenizer, _ = saved_tokenizers(folder)
    return tokenizer


def _load(run, key):
    load_tensorflow()
    from tfcompress.models import LanguageModel
    from tfcompress.models.presets import load_preset

    model = load_preset(run / "model")
    if not isinstance(model, LanguageModel):
        raise InputError(
            f"`{key}` must be the run of a language model. Received: {run}, of a "
            f"{type(model).__name__}."
        )
    return model
