"""CTranslate2 with SentencePiece."""

import ctranslate2
import sentencepiece

PACKAGE = "ctranslate2"


def open_engine(folder, batch_size, num_tokens, shortlist):
    """Opens the twin; returns what translates a batch, and what computes."""
    if shortlist:
        # Version 4.8.5 goes on with the first batch's candidates in all later ones.
        raise NotImplementedError("vocabulary maps")
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "vocab.spm"))
    translator = ctranslate2.Translator(
        str(folder / "ctranslate2"),
        device="cpu",
        compute_type="int8",
        intra_threads=1,
        inter_threads=1,
    )

    end = pieces.id_to_piece(pieces.eos_id())

    def translate(batch):
        results = translator.translate_batch(
            [[*row, end] for row in pieces.encode(batch, out_type=str)],
            beam_size=1,
            max_decoding_length=num_tokens,
        )
        return [pieces.decode(result.hypotheses[0]) for result in results]

    return translate, translator.compute_type
