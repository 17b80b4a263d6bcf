"""The sentence pairs that a translation model is trained on: a teacher's, filtered, aligned."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tfcompress.engine import Engine
from tfcompress.errors import InputError
from tfcompress.files import replace_file
from tfcompress.pipeline.filtering import KeptLines, backward_scores, best_share
from tfcompress.pipeline.progress import Progress
from tfcompress.pipeline.translating import translate_n_best, translation_job
from tfcompress.pipeline.translation_recipe import TranslationRecipe, TranslationTeacher
from tfcompress.pipeline.workspace import Workspace
from tfcompress.text.lines import FileLines
from tfcompress.text.word_alignment import align_corpus

_TRANSLATIONS, _JOURNAL = "teacher.txt", "teacher.txt.journal"
_SCORES, _ALIGNMENTS = "training/backward.txt", "training/alignments.txt"

Log = Callable[[str], object]


class TrainingPairs(NamedTuple):
    """What is tokenized.

    Attributes:
        sources: Source sentences.
        targets: Their translations.
        alignments: Lines with the words that translate each other, where they are needed.
    """

    sources: Sequence[str]
    targets: Sequence[str]
    alignments: Sequence[str] | None = None


def teacher_bundle(teacher: TranslationTeacher) -> Path:
    """Returns the folder of the bundle that a teacher translates with."""
    return Path(teacher.path) / "bundles" / teacher.quantization


def translations_journal(teacher: TranslationTeacher) -> Path:
    """Returns the file of another run whose translations are taken over.

    Args:
        teacher: A teacher with `translations`.

    Raises:
        InputError: If there is no such file.
    """
    path = Path(teacher.translations or "") / _JOURNAL
    if not path.is_file():
        raise InputError(
            "`teacher.translations` must be a run with translations. Received: "
            f"{teacher.translations}, without {_JOURNAL}. Leave it out, or run that first."
        )
    return path


def training_pairs(
    recipe: TranslationRecipe,
    columns: Sequence[Sequence[str]],
    workspace: Workspace,
    log: Log,
) -> TrainingPairs:
    """Returns what a recipe makes of the training split, from files of the run where there are.

    Args:
        recipe: The recipe.
        columns: Source sentences, and their translations.
        workspace: The run, which keeps translations, scores and alignments.
        log: Called with a line about what takes long.
    """
    teacher, (sources, targets) = recipe.teacher, columns
    if teacher is not None and teacher.sequences:
        targets = _translated(recipe, teacher, columns, workspace, log)
        if teacher.filter is not None:
            sources, targets = _filtered(recipe, teacher.filter, sources, targets, workspace, log)
    if recipe.training.guided_alignment is None:
        return TrainingPairs(sources, targets)

    def align(path, progress, _):
        return align_corpus(sources, targets, path, progress=progress)

    log(f"aligning {len(sources):,} sentences")
    alignments = _made(recipe, workspace, _ALIGNMENTS, len(sources), align, log)
    return TrainingPairs(sources, targets, alignments)


def _translated(recipe, teacher, columns, workspace, log):
    """The teacher's translations of the training sentences."""
    from tfcompress.training.sequence_distillation import distilled_lines

    sources, references = columns
    bundle = teacher_bundle(teacher)
    search = {"beam_size": teacher.beam_size, "n_best": teacher.n_best}
    translate = functools.partial(translate_n_best, str(bundle.absolute()), search)

    def distill(path, progress, engine):
        journal = path.with_name(_JOURNAL)
        if teacher.translations is not None and not journal.exists():
            replace_file(journal, translations_journal(teacher).read_bytes())
        return distilled_lines(
            translate,
            sources,
            path,
            references=references if teacher.n_best > 1 else None,
            name=translation_job(bundle, **search),
            progress=progress,
            engine=engine,
        )

    log(f"{teacher.path} translates {len(sources):,} sentences")
    return _made(recipe, workspace, _TRANSLATIONS, len(sources), distill, log)


def _filtered(recipe, chosen, sources, targets, workspace, log):
    """The pairs that the backward model finds most probable."""

    def score(path, progress, engine):
        return backward_scores(
            chosen.path, sources, targets, path, progress=progress, engine=engine
        )

    log(f"{chosen.path} scores {len(sources):,} sentences")
    mask = best_share(_made(recipe, workspace, _SCORES, len(sources), score, log), chosen.keep)
    log(f"{int(mask.sum()):,} of {len(mask):,} pairs are kept")
    return KeptLines(sources, mask), KeptLines(targets, mask)


def _made(recipe, workspace, name, count, make, log):
    """Lines of the run, which the first of several workers makes and the others copy."""
    from tfcompress.training.cluster import joined_cluster

    workers, path = joined_cluster(), workspace.folder / name
    path.parent.mkdir(exist_ok=True)
    if workers is not None and not workers.is_first:
        workers.share_files(workspace.folder)
        return FileLines(path, count)
    with (
        Engine(workers=recipe.workers, cluster=recipe.cluster) as engine,
        Progress(count, "sentences", log=log) as progress,
    ):
        lines = make(path, lambda done, _: progress.set(done), engine)
    if workers is not None:
        workers.share_files(workspace.folder, [name])
    return lines
