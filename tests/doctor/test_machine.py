"""Cores and memory that a container does not get do not count."""

import os
import types

import psutil
import pytest

from tfpipe.doctor import machine


@pytest.fixture
def computer(monkeypatch):
    """Stands in for a machine of four cores and 16 GB."""

    def make(quota=None, limit=None, free=16e9, busy=0.5):
        monkeypatch.setattr(os, "cpu_count", lambda: 4)
        monkeypatch.setattr(os, "getloadavg", lambda: (busy, 0, 0))
        monkeypatch.setattr(machine, "bound_cores", lambda: 4)
        monkeypatch.setattr(machine, "num_cores", lambda: 4 if quota is None else 2)
        monkeypatch.setattr(machine, "cpu_quota", lambda: quota)
        monkeypatch.setattr(machine, "memory_limit", lambda: limit)
        there = types.SimpleNamespace(available=int(free), total=16_000_000_000)
        monkeypatch.setattr(psutil, "virtual_memory", lambda: there)

    return make


def test_a_quiet_machine(computer):
    computer()
    assert (machine.cores().state, machine.memory().state) == ("good", "good")
    assert machine.cores().found == "4 of 4; in the last minute, 0.5 were asked for"
    assert machine.memory().found == "16.0 GB free of 16.0 GB"


def test_a_container_with_less_time_than_cores(computer):
    computer(quota=1.5)
    found = machine.cores()
    assert found.state == "note"
    assert found.found.endswith("; the container gets the time of 1.5")
    assert found.todo == (
        "TensorFlow does not know and starts 4 threads: set TF_NUM_INTRAOP_THREADS=2, "
        "or give the container more"
    )


def test_a_busy_machine(computer):
    computer(busy=9.0)
    found = machine.cores()
    assert (found.state, found.todo) == ("note", "End other programs before you measure anything")


def test_a_processor_without_avx(computer, monkeypatch, tmp_path):
    computer()
    monkeypatch.setattr(machine.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(machine, "CPU_INFO", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text("flags : fpu sse4_2 avx2\n")
    assert machine.cores().state == "wrong"
    (tmp_path / "cpuinfo").write_text("flags : fpu sse4_2 avx avx2\n")
    assert machine.cores().state == "good"


@pytest.mark.parametrize(
    ("limit", "free", "state"),
    [(3e9, 9e9, "note"), (1e9, 9e9, "wrong"), (None, 1e9, "wrong"), (None, 3e9, "note")],
)
def test_little_memory(computer, limit, free, state):
    computer(limit=limit and int(limit), free=free)
    found = machine.memory()
    assert (found.state, bool(found.todo)) == (state, True)
    assert ("the container gets" in found.found) == (limit is not None)
