"""Translation models in a run."""

import dataclasses
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tfcompress.errors import InputError
from tfcompress.files import replace_file
from tfcompress.pipeline.loading import load_tensorflow
from tfcompress.pipeline.pretrained_translators import read_translator, translator_languages
from tfcompress.pipeline.record import RunRecord
from tfcompress.pipeline.task import Task
from tfcompress.pipeline.training_pairs import (
    teacher_bundle,
    training_pairs,
    translations_journal,
)
from tfcompress.pipeline.translation_evaluation import evaluate_translation
from tfcompress.pipeline.workspace import (
    finished_run,
    has_tokenizers,
    saved_tokenizers,
    tokenizer_path,
)
from tfcompress.text import Mixture, cache_pairs, open_corpus, train_tokenizer
from tfcompress.text.bleu import check_tokenization
from tfcompress.text.word_alignment import check_aligner


class TranslationTask(Task):
    """A translation model; its tokenizers are a pair, one object twice where they are one."""

    examples = "sentences"
    mixture = Mixture
    evaluation = {
        "bleu": float,
        "interval": (float, float),
        "signature": str,
        "beam_size": int,
        "translations": [str],
    }

    def load_corpus(self, path):
        source = self.recipe.corpus
        if source.format == "phrases":
            if path is not None:
                raise InputError(
                    "The recipe uses the corpus that ships with the library. Received: --corpus "
                    f"{path}. Leave it out, or set `corpus.format` to files."
                )
            from tfcompress.text.phrases import phrase_corpus

            return phrase_corpus(pairs=source.pairs, seed=source.seed)
        return open_corpus(
            self.corpus_path(path),
            index=self.index,
            source_language=source.source_language,
            target_language=source.target_language,
            train=source.train,
            valid=source.valid,
            test=source.test,
        )

    def check(self):
        check_tokenization(self.recipe.evaluation.tokenize)
        if self.recipe.training.guided_alignment is not None:
            check_aligner()
        teacher = self.recipe.teacher
        self._check_directions()
        if teacher is None or not teacher.sequences:
            return
        if teacher.translations is not None:
            translations_journal(teacher)
        bundle = teacher_bundle(teacher)
        if not bundle.is_dir():
            raise InputError(
                f"The teacher needs a bundle to translate with. Received: {bundle}, which is none. "
                "Name one of its bundles under `teacher.quantization`, or make it: `tfcompress "
                f"export {teacher.path} {bundle} --quantization {teacher.quantization}`."
            )

    def _check_directions(self):
        """Makes sure that other models translate as they shall, where their languages are known."""
        recipe, teacher = self.recipe, self.recipe.teacher
        corpus = (self.corpus.source_language, self.corpus.target_language)
        pretrained = recipe.pretrained
        if pretrained is not None:
            languages = translator_languages(
                pretrained.path,
                source_language=pretrained.source_language,
                target_language=pretrained.target_language,
            )
            _check_direction("pretrained.path", pretrained.path, languages, corpus)
        if recipe.start_from is not None:
            run = recipe.start_from
            _check_direction("start_from", run, _run_languages(run), corpus)
        if teacher is not None:
            _check_direction("teacher.path", teacher.path, _run_languages(teacher.path), corpus)
        if teacher is not None and teacher.sequences and teacher.filter is not None:
            run = teacher.filter.path
            _check_direction("teacher.filter.path", run, _run_languages(run), corpus[::-1])

    def validation_settings(self):
        settings = self.recipe.evaluation
        return {"tokenize": settings.tokenize, "lowercase": settings.lowercase}

    def evaluation_needs(self):
        settings = dataclasses.asdict(self.recipe.evaluation)
        del settings["examples"]
        return super().evaluation_needs() | {"evaluation": settings}

    def begin(self, folder, log):
        if self.recipe.start_from is not None:
            former = finished_run(self.recipe.start_from, "start_from")
            self.tokenizers = saved_tokenizers(former)
            load_tensorflow()
            from tfcompress.models.presets import load_preset

            return load_preset(former / "model")
        if self.recipe.pretrained is not None:
            return self._pretrained_model()
        settings = self.recipe.tokenizer
        sources, targets = self.corpus.splits["train"]
        if settings.like is not None:
            self.tokenizers = saved_tokenizers(finished_run(settings.like, "tokenizer.like"))
            return None
        log(f"training a tokenizer of {settings.vocabulary_size} tokens")
        if settings.joint:
            joint = self._trained_tokenizer(chain(sources, targets), "joint", folder)
            self.tokenizers = joint, joint
        else:
            self.tokenizers = (
                self._trained_tokenizer(sources, "source", folder),
                self._trained_tokenizer(targets, "target", folder),
            )
        return None

    def save_tokenizers(self, folder):
        source, target = self.tokenizers
        sides = ("joint",) if source is target else ("source", "target")
        for side, tokenizer in zip(sides, self.tokenizers):
            replace_file(tokenizer_path(folder, side), tokenizer.proto)

    def load_tokenizers(self, folder):
        return saved_tokenizers(folder) if has_tokenizers(folder) else None

    def tokenizer_options(self):
        source, target = self.tokenizers
        return {"source_tokenizer": source, "target_tokenizer": target}

    def surgery(self, model):
        from tfcompress.pipeline.translation_surgery import TranslationSurgery

        return TranslationSurgery(model, self.tokenizers, self.corpus)

    def model_config(self, start):
        sizes = (tokenizer.vocabulary_size for tokenizer in self.tokenizers)
        ids = {name: getattr(self.tokenizers[1], name) for name in ("pad_id", "bos_id", "eos_id")}
        config = self.recipe.model_config(*sizes, start=start, ids=ids)
        for name, expected in ids.items():
            if getattr(config, name) != expected:
                raise InputError(
                    f"`model.{name}` must be the tokenizer's. Received: {getattr(config, name)}, "
                    f"where the tokenizer has {expected}. Leave it out."
                )
        return config

    def load_teacher(self):
        from tfcompress.models.presets import load_preset

        return load_preset(finished_run(self.recipe.teacher.path, "teacher.path") / "model")

    def check_teacher(self, config):
        from tfcompress.models.presets import preset
        from tfcompress.training.distillation import VOCABULARY
        from tfcompress.training.hidden_states import check_vocabularies

        teacher: Any = SimpleNamespace(config=preset(Path(self.recipe.teacher.path) / "model"))
        student: Any = SimpleNamespace(config=config)
        check_vocabularies(student, teacher, VOCABULARY)

    def training_data(self, config, workspace, log):
        from tfcompress.training import Validation

        source_tokenizer, target_tokenizer = self.tokenizers
        pairs = training_pairs(self.recipe, self.corpus.splits["train"], workspace, log)
        train = self.cached(
            cache_pairs,
            (pairs.sources, pairs.targets),
            workspace,
            log,
            tokenizer=source_tokenizer,
            target_tokenizer=target_tokenizer,
            alignments=pairs.alignments,
            noise=self.recipe.corpus.noise,
        )
        valid_sources, valid_targets = self.corpus.splits["valid"]
        valid = Validation(
            list(valid_sources),
            list(valid_targets),
            source_tokenizer,
            target_tokenizer,
            **workspace.validation_settings,
        )
        return train, valid

    def train(self, *arguments, **settings):
        from tfcompress.training import train

        return train(*arguments, **settings)

    def evaluate(self, bundle, progress):
        settings = self.recipe.evaluation
        return evaluate_translation(
            bundle,
            *self.corpus.splits["test"],
            beam_size=settings.beam_size,
            length_penalty=settings.length_penalty,
            tokenize=settings.tokenize,
            lowercase=settings.lowercase,
            progress=progress,
        )

    def results(self, evaluation):
        return evaluation["translations"]

    def scores(self, evaluation):
        low, high = evaluation["interval"]
        scores = {name: evaluation[name] for name in ("bleu", "signature", "beam_size")}
        count = len(evaluation["translations"])
        return {**scores, "sentences": count, "bleu_low": low, "bleu_high": high}

    def shown(self):
        return self.recipe.evaluation.examples

    def _pretrained_model(self):
        settings = self.recipe.pretrained
        model, source, target, *_ = read_translator(
            settings.path,
            max_length=settings.max_length,
            source_language=settings.source_language,
            target_language=settings.target_language,
            corpus=self.corpus.splits["train"] if settings.trim else None,
        )
        self.tokenizers = source, target
        return model

    def _trained_tokenizer(self, sentences, side, folder):
        settings = self.recipe.tokenizer
        return train_tokenizer(
            sentences,
            vocabulary_size=settings.vocabulary_size,
            path=tokenizer_path(folder, side),
            model_type=settings.model_type,
            normalization=settings.normalization,
            input_sentence_size=settings.input_sentence_size,
        )


def _run_languages(run):
    folder = Path(run)
    return (RunRecord(folder).recipe if folder.is_dir() else {}).get("corpus") or {}


def _check_direction(name, path, languages, expected):
    actual = tuple(languages.get(f"{side}_language") for side in ("source", "target"))
    if actual == expected[::-1] != expected:
        raise InputError(
            f"`{name}` must translate from {' to '.join(expected)}. Received: {path}, from "
            f"{' to '.join(actual)}. Give one that translates the other way round."
        )
