"""A request to stop is heard whatever the main thread does at that moment."""

import signal
import subprocess
import sys
import time
from contextlib import closing

from collectors.stop_signal import StopSignal

# In a process of its own: pytest's time-outs need the timer, too.
STORM = """
import random, signal
from contextlib import closing
from collectors.stop_signal import StopSignal
rng = random.Random(4)
for _ in range(3_000):
    with closing(StopSignal([signal.SIGALRM])) as stop:
        stop.listen()
        # Once, so that one that is not heard is missed.
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, 60e-6))
        while not stop.wait(0 if rng.random() < 0.5 else 30):
            pass
        assert stop.is_set()
"""


def test_a_signal_at_any_moment_of_the_waiting_is_heard() -> None:
    storm = subprocess.run(
        [sys.executable, "-c", STORM], capture_output=True, text=True, timeout=60, check=False
    )
    assert (storm.returncode, storm.stderr) == (0, "")


def test_waiting_ends_when_its_time_is_up() -> None:
    with closing(StopSignal([signal.SIGUSR2])) as stop:
        stop.listen()
        assert not stop.wait(0)
        begun = time.monotonic()
        assert not stop.wait(0.05)
        assert time.monotonic() - begun >= 0.05
        assert not stop.is_set()


def test_other_signals_of_the_process_are_no_stop_and_do_not_keep_it_busy() -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with closing(StopSignal([signal.SIGUSR2])) as stop:
            stop.listen()
            signal.raise_signal(signal.SIGUSR1)
            assert not stop.wait(30)
            begun = time.monotonic()
            assert not stop.wait(0.05)
            assert time.monotonic() - begun >= 0.05
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_signals_are_given_back() -> None:
    before = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    with closing(StopSignal([signal.SIGUSR2])) as stop:
        stop.listen()
        signal.raise_signal(signal.SIGUSR2)
        signal.raise_signal(signal.SIGUSR2)
        assert stop.wait(30)
    assert signal.signal(signal.SIGUSR2, before) == signal.SIG_IGN
