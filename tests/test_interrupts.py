"""Where Ctrl-C takes effect."""

import signal
import threading

import pytest

from tfcompress.interrupts import Interrupts


@pytest.fixture(autouse=True)
def _python_handles_interrupts():
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def test_the_first_interrupt_waits_for_a_check():
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts() as interrupts:  # noqa: PT012
        interrupts.check()
        signal.raise_signal(signal.SIGINT)
        done.append("step")
        assert interrupts.noted
        interrupts.check()
        done.append("beyond")
    assert done == ["step"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_does_not_wait():
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        done.append("step")
        signal.raise_signal(signal.SIGINT)
        done.append("beyond")
    assert done == ["step"]


def test_an_interrupt_without_check_takes_effect_at_the_end():
    done = []
    with pytest.raises(KeyboardInterrupt), Interrupts():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        done.append("step")
    assert done == ["step"]


def test_noting_only():
    interrupts = Interrupts(defer=False)
    with pytest.raises(KeyboardInterrupt), interrupts:
        signal.raise_signal(signal.SIGINT)
    assert interrupts.noted


def test_one_within_another():
    outer = Interrupts(defer=False)
    with pytest.raises(KeyboardInterrupt), outer, Interrupts() as inner:  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        assert not outer.noted
        inner.check()
    assert outer.noted


def test_ignored_interrupts_stay_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert not interrupts.noted


def test_other_threads_are_left_alone():
    failures = []

    def work():
        try:
            with Interrupts() as interrupts:
                interrupts.check()
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not failures
