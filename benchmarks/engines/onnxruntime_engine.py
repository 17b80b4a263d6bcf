"""ONNX Runtime with SentencePiece: greedy search over a graph of the encoder and one of a step."""

import numpy as np
import onnxruntime
import sentencepiece

PACKAGE = "onnxruntime"


def open_engine(folder, batch_size, num_tokens, shortlist):
    """Opens the twin; returns what translates a batch, and what computes."""
    if shortlist:
        raise NotImplementedError("the graphs have no shortlist")
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "vocab.spm"))
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    encoder, step = (
        onnxruntime.InferenceSession(
            str(folder / "onnxruntime" / name), settings, providers=["CPUExecutionProvider"]
        )
        for name in ("encoder.onnx", "step.onnx")
    )
    memory_names = [output.name for output in encoder.get_outputs()]
    step_names = [output.name for output in step.get_outputs()]
    past = [value for value in step.get_inputs() if value.name.startswith("past")]
    value = onnxruntime.OrtValue.ortvalue_from_numpy

    def translate(batch):
        rows = np.array([[*row, pieces.eos_id()] for row in pieces.encode(batch)], np.int64)
        memory = encoder.run_with_ort_values(memory_names, {"ids": value(rows)})
        feeds = dict(zip(memory_names, memory))
        feeds["ids"] = value(np.full((len(batch), 1), pieces.bos_id(), np.int64))
        for one in past:
            _, num_heads, _, width = one.shape
            feeds[one.name] = value(np.zeros((len(batch), num_heads, 0, width), np.float32))
        tokens = []
        for position in range(num_tokens):
            feeds["position"] = value(np.array([position], np.int64))
            # The next ids, and keys and values in the order of `past`.
            feeds["ids"], *present = step.run_with_ort_values(step_names, feeds)
            feeds.update((one.name, new) for one, new in zip(past, present))
            tokens.append(feeds["ids"].numpy()[:, 0].copy())
        return pieces.decode(np.stack(tokens, axis=1).tolist())

    return translate, "dynamic int8"
