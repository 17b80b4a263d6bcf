"""Benchmarks on devices. `ssh`, `scp` and `adb` are small scripts that act on this machine."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from flavours import one_flavour
from native_library import LITERT
from small_models import sentences

from tfcompress.errors import InputError
from tfcompress.export import benchmark_on
from tfcompress.export.devices import benchmarking as devices

pytestmark = one_flavour

SSH = """#!/bin/sh
shift 2; [ "$1" = pi ] || { echo "ssh: Could not resolve hostname $1" >&2; exit 255; }
case "$2" in *mktemp*) mkdir -p "$DEVICE/tmp"; echo "$DEVICE/tmp";; *) sh -c "$2";; esac
"""
SCP = """#!/bin/sh
shift 4; for last; do :; done; target=${last#pi:}
while [ $# -gt 1 ]; do cp -r "$1" "$target"; shift; done
"""
ADB = """#!/bin/sh
[ "$1" = -s ] && { [ "$2" = abc ] || { echo "adb: device '$2' not found" >&2; exit 1; }; shift 2; }
if [ "$1" = shell ]; then
  case "$2" in
    "mktemp -d -p /data/local/tmp") mkdir -p "$DEVICE/tmp"; echo "$DEVICE/tmp";;
    *) sh -c "$2";;
  esac
else
  shift; for last; do :; done; while [ $# -gt 1 ]; do cp -r "$1" "$last"; shift; done
fi
"""


@pytest.fixture(scope="module")
def cache(built):
    """A cache with the native runtime for this machine, and for a phone that is this machine."""
    shutil.copytree(built, built.parent / "aarch64-android")
    return built.parents[2]


@pytest.fixture
def device(tmp_path, monkeypatch, cache):
    """The folder of what is on the device."""
    for name, script in {"ssh": SSH, "scp": SCP, "adb": ADB}.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)
    folder = tmp_path / "device"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("DEVICE", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return folder


@pytest.mark.parametrize("name", ["ssh:pi", "adb", "adb:abc"])
def test_measures_and_cleans_up(device, bundle, name):
    lines = []
    options = {"library": LITERT} if name.startswith("adb") else {}
    batch = [*sentences(3), ""]
    metrics = benchmark_on(name, bundle, batch, runs=1, warmup=0, log=lines.append, **options)
    assert metrics["device"] == name
    assert metrics["bundle"] == str(bundle)
    assert metrics["texts"] == 3
    assert metrics["latency_ms"]["p50"] > 0
    assert list(device.iterdir()) == []
    assert lines == [f"copying to {name}", "measuring"]


def test_a_device_that_goes_away(device, bundle, monkeypatch):
    lines = []
    reached = devices.Ssh("pi")
    run = reached.run

    def leaving(command):
        if "--input" in command:
            shutil.rmtree(device)
            (device.parent / "bin" / "ssh").write_text("#!/bin/sh\necho 'Lost' >&2; exit 255\n")
        return run(command)

    monkeypatch.setattr(reached, "run", leaving)
    monkeypatch.setattr(devices, "Ssh", lambda host: reached)
    with pytest.raises(InputError, match=r"failed on the device. Received: Lost from ssh:pi"):
        benchmark_on("ssh:pi", bundle, sentences(2), log=lines.append)
    assert lines[-1].startswith(f"{device}/tmp stays on the device (A command failed")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("toaster", "`device` must be local or one of emulator, ssh:HOST.*Received: 'toaster'"),
        ("ssh:", "`device` must be"),
        ("ssh:-oProxyCommand=x", "`device` must be"),
        ("ssh:nowhere", "Received: ssh: Could not resolve hostname nowhere.* from ssh:nowhere"),
        ("adb:xyz", "Received: adb: device 'xyz' not found from adb:xyz"),
        ("adb", "No wheel has .*aarch64-android. Give `library`"),
    ],
)
def test_one_clear_error(device, bundle, name, message):
    options = {"library": LITERT} if name == "adb:xyz" else {}
    with pytest.raises(InputError, match=message):
        benchmark_on(name, bundle, sentences(2), **options)
    assert list(device.iterdir()) == []


def test_what_the_device_says_is_passed_on(device, bundle, plain_bundle):
    with pytest.raises(InputError, match="Texts need a bundle with a tokenizer"):
        benchmark_on("ssh:pi", plain_bundle, sentences(2))
    with pytest.raises(InputError, match="There must be sentences"):
        benchmark_on("ssh:pi", bundle, ["", " "])
    with pytest.raises(InputError, match=r"must be LiteRT's library.*nothing\.so"):
        benchmark_on("ssh:pi", bundle, sentences(1), library="nothing.so")


def test_tools_that_are_missing(bundle, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TFCOMPRESS_QEMU", raising=False)
    with pytest.raises(InputError, match=r"emulator needs qemu-aarch64. Received: none. Install"):
        benchmark_on("emulator", bundle, sentences(1))
    old = tmp_path / "qemu"
    old.write_text(f"#!{sys.executable}\nprint('qemu-aarch64 version 7.2.17')\n")
    old.chmod(0o755)
    monkeypatch.setenv("TFCOMPRESS_QEMU", str(old))
    with pytest.raises(InputError, match=r"emulator needs qemu 8 or later. Received: 7"):
        benchmark_on("emulator", bundle, sentences(1))
    with pytest.raises(
        InputError, match=r"cannot run. Received: adb for adb .No such file or directory.. Install"
    ):
        benchmark_on("adb", bundle, sentences(1), library=LITERT)


@pytest.mark.slow
def test_the_emulator(bundle, monkeypatch, tmp_path):
    """Translates under emulation as here."""
    if not Path("/usr/aarch64-linux-gnu").is_dir() or "TFCOMPRESS_QEMU" not in os.environ:
        pytest.skip("needs aarch64-linux-gnu-g++, and TFCOMPRESS_QEMU set to a recent qemu-aarch64")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    metrics = benchmark_on("emulator", bundle, sentences(5), runs=1, warmup=0)
    assert "asimddp" in metrics["cpu"]["features"]
    here = benchmark_on("emulator", bundle, sentences(5), runs=1, warmup=0, beam_size=2)
    assert here["texts"] == metrics["texts"] == 5
