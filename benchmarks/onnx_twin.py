"""A published sentence encoder as ONNX Runtime runs it best: fused, with dynamic int8 weights.

    python benchmarks/onnx_twin.py MODEL OUT

MODEL is a folder of a published BERT, OUT a folder for `float32.onnx` and `int8.onnx`. Needs torch,
transformers, onnx and onnxruntime, which this project does not install.
"""

import argparse
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from transformers import AutoModel


class SentenceEncoder(torch.nn.Module):
    """The mean of all tokens' states, of length 1."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, token_type_ids):
        states = self.model(input_ids=input_ids, token_type_ids=token_type_ids).last_hidden_state
        return torch.nn.functional.normalize(states.mean(dim=1), dim=-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    model = AutoModel.from_pretrained(options.model, attn_implementation="eager").eval()
    ids = torch.ones(1, 16, dtype=torch.int64)
    plain, fused, int8 = (options.out / f"{name}.onnx" for name in ("plain", "float32", "int8"))
    torch.onnx.export(
        SentenceEncoder(model),
        (ids, 0 * ids),
        str(plain),
        input_names=["input_ids", "token_type_ids"],
        output_names=["embedding"],
        dynamic_axes={name: {1: "length"} for name in ("input_ids", "token_type_ids")},
        dynamo=False,
        opset_version=17,
    )
    sizes = {
        "num_heads": model.config.num_attention_heads,
        "hidden_size": model.config.hidden_size,
    }
    optimized = optimizer.optimize_model(str(plain), model_type="bert", **sizes)
    print("fused:", {name: n for name, n in optimized.get_fused_operator_statistics().items() if n})
    optimized.save_model_to_file(str(fused))
    quantize_dynamic(
        str(fused),
        str(int8),
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    plain.unlink()


if __name__ == "__main__":
    main()
