"""What the parts of a translation take, beside what the processor could do at most.

    tfcompress build-native
    python benchmarks/roofline.py --output benchmarks/results/roofline.json

A part's time is at least that of its products at the speed of the level's instructions in
registers, and that of its bytes at the speed at which memory of the same size is read, again and
again; both are measured in the same run, in turns with the parts. The share reached is that time
divided by the part's own. One thread, random numbers, medians of the rounds. Weights that a step
reads once are read from as many copies as all weights of a decoder take.
"""

import argparse
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from results_file import write_results

from tfcompress.runtime.native_files import HOST, ROOFLINE_PROGRAM, native_folder

VOCABULARY, LISTED = 32000, 1000
# Matrices that only one operation reads, and the table that the embedding reads as well.
PANELS = {"int8": "int8_panels", "int4": "int4_block_panels", "int4_per_channel": "int4_panels"}
TABLES = {"int8": "int8", "int4": "int4_blocks", "int4_per_channel": "int4"}
BYTES = {"int8": 1, "int4": 0.625, "int4_per_channel": 0.5}


@dataclass(frozen=True)
class Model:
    """Widths of a translator whose decoder layers have an SSRU and attention to the source."""

    width: int
    intermediate: int
    decoder_layers: int
    heads: int

    @property
    def decoder_weights(self) -> int:
        layer = 4 * self.width**2 + 2 * self.width * self.intermediate
        return self.decoder_layers * layer


MODELS = {
    "256/1536": Model(256, 1536, 2, 8),
    "512/2048": Model(512, 2048, 6, 8),
    "1024/8192": Model(1024, 8192, 6, 16),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--levels", nargs="*", default=["avx2", "avx512_vnni"])
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    options = parser.parse_args()
    program = native_folder(HOST) / ROOFLINE_PROGRAM
    if not program.is_file():
        parser.error("the native runtime is not built; run `tfcompress build-native`")
    rows, ceilings = [], []
    for level in options.levels:
        for name in options.models:
            own_ceilings, own = measure(program, level, name, options.rounds)
            ceilings.append({"level": level, "model": name, **own_ceilings})
            rows += own
            for row in own:
                print(json.dumps(row), flush=True)
    write_results(options.output, {"ceilings": ceilings, "rows": rows, "steps": steps(rows)})


def parts(model: Model) -> Iterator[tuple[str, str, str, int]]:
    """Parts by name: the weights' storage, what the program is to time, and how often a layer or
    a step has it."""
    width, inner = model.width, model.intermediate
    for count in (16, 32, 64):
        for rows, cols in ((width, width), (inner, width), (width, inner)):
            size = 4 * width * width
            yield (
                f"encoder product, {count} rows, {rows} x {cols}",
                "int8",
                f"product,int8_panels,{count},{rows},{cols},{size}",
                0,
            )
    yield (
        "encoder attention, 32 rows",
        "",
        f"attention,32,32,{width // model.heads},{model.heads}",
        0,
    )
    yield "encoder rounding, 32 rows", "", f"rounding,32,{width}", 0
    layers = model.decoder_layers
    for storage, panels in PANELS.items():
        size = int(model.decoder_weights * BYTES[storage])
        for rows, cols, times in ((width, width, 4), (inner, width, 1), (width, inner, 1)):
            yield (
                f"decoder product, {rows} x {cols}",
                storage,
                f"product,{panels},1,{rows},{cols},{size}",
                times * layers,
            )
        table = f"product,{TABLES[storage]},1,{VOCABULARY},{width},{VOCABULARY * width}"
        yield f"output, {VOCABULARY} x {width}", storage, table, 1
        yield f"output, {LISTED} of {VOCABULARY} x {width}", storage, f"{table},{LISTED}", 1
    attention = f"attention,1,32,{width // model.heads},{model.heads}"
    yield "decoder attention to 32 positions", "", attention, layers


def measure(program: Path, level: str, name: str, rounds: int) -> tuple[dict, list[dict]]:
    """Runs all parts of a model."""
    wanted = list(parts(MODELS[name]))
    command = [program, "--level", level, "--rounds", rounds, *(text for _, _, text, _ in wanted)]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    results = json.loads(done.stdout)
    speeds = {one["part"]: one for one in results["ceilings"]}
    integers = speeds["integers"]["integer_products"] / speeds["integers"]["microseconds"]
    floats = speeds["floats"]["float_products"] / speeds["floats"]["microseconds"]
    rows = []
    for (part, storage, _, times), result in zip(wanted, results["parts"], strict=True):
        # The program reads whole blocks of 512 bytes.
        memory = speeds[str(result["working_set"] // 512 * 512)]
        products = result["integer_products"] + result["float_products"]
        limits = {
            "products": result["integer_products"] / integers + result["float_products"] / floats,
            "bytes": result["bytes"] * memory["microseconds"] / memory["bytes"],
        }
        limit = max(limits, key=limits.__getitem__)
        rows.append(
            {
                "level": level,
                "model": name,
                "part": part,
                "storage": storage,
                "times_a_step": times,
                "microseconds": round(result["microseconds"], 2),
                "products": int(products),
                "bytes": int(result["bytes"]),
                "limit": limit,
                "limit_microseconds": round(limits[limit], 2),
                "share": round(limits[limit] / result["microseconds"], 2),
            }
        )
    memories = {size: one for size, one in speeds.items() if size.isdigit()}
    return {
        "integer_gigaproducts_per_s": round(integers / 1e3, 1),
        "float_gigaproducts_per_s": round(floats / 1e3, 1),
        "read_gigabytes_per_s": {
            size: round(one["bytes"] / one["microseconds"] / 1e3, 1)
            for size, one in memories.items()
        },
    }, rows


def steps(rows: list[dict]) -> list[dict]:
    """The sums over a decoder step's products, and how they compare with int8."""
    sums = {}
    for row in rows:
        if row["part"].startswith("decoder product"):
            key = row["level"], row["model"], row["storage"]
            time, limit = sums.get(key, (0.0, 0.0))
            times = row["times_a_step"]
            sums[key] = (
                time + times * row["microseconds"],
                limit + times * row["limit_microseconds"],
            )
    return [
        {
            "level": level,
            "model": model,
            "storage": storage,
            "decoder_products_us": round(time, 1),
            "share": round(limit / time, 2),
            "times_int8": round(sums[level, model, "int8"][0] / time, 2),
        }
        for (level, model, storage), (time, limit) in sums.items()
    ]


if __name__ == "__main__":
    main()
