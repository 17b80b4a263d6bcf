"""The options of exports, and what derives from them: the command line."""

import argparse
import dataclasses

import pytest
from flavours import one_flavour

from tfcompress.errors import InputError
from tfcompress.export.options import (
    ExportOptions,
    add_arguments,
    read_options,
    settings,
    tokenizer_names,
)

pytestmark = one_flavour


def parse(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return read_options(vars(parser.parse_args(arguments)))


def test_defaults():
    assert parse() == ExportOptions()


def test_every_option_has_an_argument():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert {*vars(parser.parse_args([]))} == {*settings()}
    assert {*settings()} <= {field.name for field in dataclasses.fields(ExportOptions)}


def test_files_are_read(tmp_path):
    (tmp_path / "scheme.yaml").write_text("^encoder: int4")
    (tmp_path / "texts").write_text("two dogs\n \nplay\n" * 150)
    (tmp_path / "fewer").write_text("one\n")
    options = parse(
        "--quantization", "mixed", "--quantization-scheme", str(tmp_path / "scheme.yaml"), "--force"
    )
    assert (options.quantization_scheme, options.force) == ({"^encoder": "int4"}, True)
    command = ["--quantization", "static_int8", "--representative", str(tmp_path / "texts")]
    assert parse(*command).representative_data == ["two dogs", "play"] * 100
    with pytest.raises(
        InputError, match=r"translations of each other.*texts of 450 lines and .*fewer of 1\."
    ):
        parse("--custom-ops", "--shortlist", str(tmp_path / "texts"), str(tmp_path / "fewer"))
    (tmp_path / "fewer").write_text(" \n")
    with pytest.raises(InputError, match="fewer, which has no sentences"):
        parse(*command[:-1], str(tmp_path / "fewer"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantization": "int3"}, "`quantization` must be one of"),
        ({"quantization": "mixed"}, "needs a `quantization_scheme`"),
        ({"quantization_scheme": {".": "int8"}}, "`quantization_scheme` is for"),
        ({"representative_data": [[2]]}, "`representative_data` is for static"),
        ({"quantization": "static_int8"}, "needs `representative_data`"),
        (
            {"quantization": "static_int8", "representative_data": [[2]], "custom_ops": True},
            "Custom operations need floats",
        ),
        ({"custom_ops": ["none"]}, "must be True, False or a list of"),
        (
            {"shortlist": (["a"], ["b"])},
            "`shortlist` needs the custom operation tfc.TopLogits.*Ask",
        ),
        ({"force": 1}, r"`force` must be true or false\. Received: 1"),
        ({"tokenizer_graph": "no"}, "`tokenizer_graph` must be true or false"),
    ],
)
def test_impossible_options(options, message):
    with pytest.raises(InputError, match=message):
        ExportOptions(**options)


@pytest.mark.parametrize(
    ("model_type", "options", "message"),
    [
        ("translation", {"tokenizer": 1}, "takes no `tokenizer`.*Give source_tokenizer and target"),
        (
            "text_encoder",
            {"shortlist": 1, "custom_ops": True},
            "takes no `shortlist`.*Give tokenizer, or leave it out",
        ),
        ("text_encoder", {"target_tokenizer": 1}, "takes no `target_tokenizer`"),
    ],
)
def test_options_of_another_type_of_model(model_type, options, message):
    with pytest.raises(InputError, match=message):
        ExportOptions(**options).check_model_type(model_type)
    (other,) = {"translation", "text_encoder"} - {model_type}
    ExportOptions(**options).check_model_type(other)
    assert not {*options} & {*tokenizer_names(model_type)}
