"""Performs a recipe's surgery."""

from collections.abc import Sequence

from tfcompress import surgery
from tfcompress.errors import InputError
from tfcompress.expressions import compile_expression
from tfcompress.pipeline.surgery_context import SurgeryContext
from tfcompress.pipeline.surgery_recipe import SIDES, SurgeryStep


def perform(steps: Sequence[SurgeryStep], context: SurgeryContext) -> SurgeryContext:
    """Performs operations one after another.

    Args:
        steps: The operations.
        context: The model with its tokenizers and its data; it stays as it is.

    Returns:
        The context with the new model.

    Raises:
        InputError: If an operation is impossible for the model.
    """
    for step in steps:
        context = _OPERATIONS[step.name](context, step.settings)
    return context


def _prune_heads(context, settings):
    total = sum(a.num_heads for a in surgery.attention_layers(context.model).values())
    wanted = int(total * settings.fraction)
    for step in range(settings.steps):
        model = context.model
        attentions = surgery.attention_layers(model)
        left = sum(a.num_heads for a in attentions.values())
        count = left - (total - wanted * (step + 1) // settings.steps)
        scores = surgery.head_importance(
            model.model,
            context.batches(settings.sentences),
            context.loss(),
            attention_layers=list(attentions.values()),
            query_mask=context.query_mask(),
        )
        if settings.protect is not None:
            protected = compile_expression("prune_heads.protect", settings.protect)
            scores = {name: s for name, s in scores.items() if not protected.search(name)}
        heads = surgery.heads_to_prune(scores, count, minimum_per_layer=settings.minimum_per_layer)
        context = context.replace(surgery.prune_heads(model, drop=heads))
    return context


def _drop_layers(context, settings):
    model = context.model
    keep, drop = dict(settings.keep or {}), dict(settings.drop or {})
    searched = {side: getattr(settings, f"search_{side}") for side in SIDES}
    searched = {side: count for side, count in searched.items() if count is not None}
    for side in SIDES:
        stack = getattr(model.config, side, None)
        if stack is None and side in {*keep, *drop, *searched}:
            raise InputError(
                f"`drop_layers` needs a side that the model has. Received: {side}. Leave its "
                "settings out."
            )
        if stack is not None and settings.rate and side not in {*keep, *drop, *searched}:
            keep[side] = surgery.every_other(stack.num_layers, rate=settings.rate)
    model = surgery.drop_layers(model, keep=keep, drop=drop)
    if searched:
        score = context.score(settings.sentences)
        keep = surgery.search_layers(model, score, **searched)
        model = surgery.drop_layers(model, keep=keep)
    return context.replace(model)


def _take_successors(context, settings):
    return context.replace(surgery.take_successors(context.model))


def _factorize_embedding(context, settings):
    counts = context.token_counts() if settings.weigh_tokens else None
    smaller, _ = surgery.factorize_embedding(
        context.model, settings.embedding_dim, token_counts=counts
    )
    return context.replace(smaller)


def _trim_vocabulary(context, settings):
    return context.trim_vocabulary()


def _narrow_feed_forward(context, settings):
    widths = {"encoder": settings.encoder, "decoder": settings.decoder}
    widths = {side: width for side, width in widths.items() if width is not None}
    inputs = (inputs for inputs, _ in context.batches(settings.sentences))
    return context.replace(surgery.narrow_feed_forward(context.model, widths, inputs))


def _cache_outputs(context, settings):
    return context.replace(surgery.cache_outputs(context.model, prefer=settings.prefer))


_OPERATIONS = {
    "prune_heads": _prune_heads,
    "drop_layers": _drop_layers,
    "take_successors": _take_successors,
    "factorize_embedding": _factorize_embedding,
    "trim_vocabulary": _trim_vocabulary,
    "narrow_feed_forward": _narrow_feed_forward,
    "cache_outputs": _cache_outputs,
}
