"""Why there is no GPU: one sentence for each place where the way to it can end."""

import pytest

from tfpipe.doctor import gpu
from tfpipe.doctor.gpu import Facts

GOOD = Facts(
    system="Linux",
    hardware=("NVIDIA",),
    visible=None,
    cuda="12.5.1",
    driver=0,
    driver_cuda="12.8",
    missing=(),
    used=(),
)
UNUSED = "there is an NVIDIA GPU, and TensorFlow does not use it: "


def found(**changes):
    finding = gpu.gpu(GOOD._replace(**changes))
    return finding.state, finding.found


def todo(**changes):
    return gpu.gpu(GOOD._replace(**changes)).todo


def test_one_that_is_used():
    used = "GPU:0, NVIDIA H100 80GB HBM3, compute capability 9.0"
    assert found(used=(used,)) == ("good", used)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hardware": ()}, "the machine has none: TensorFlow computes on the CPU"),
        (
            {"system": "Darwin"},
            "TensorFlow has no GPU support on macOS: it computes on the CPU",
        ),
        (
            {"system": "Windows"},
            "TensorFlow has no GPU support on Windows without WSL2: it computes on the CPU",
        ),
    ],
)
def test_where_there_can_be_none_nothing_is_wrong(changes, sentence):
    assert found(**changes) == ("good", sentence)


@pytest.mark.parametrize("value", ["", "-1", "none", "-1,0"])
def test_hidden_on_purpose(value):
    assert found(visible=value) == ("note", f"CUDA_VISIBLE_DEVICES={value!r} hides every GPU")
    assert todo(visible=value) == "Unless you mean it: unset CUDA_VISIBLE_DEVICES"


@pytest.mark.parametrize("value", ["0", "1,0", "GPU-8932f937", "MIG-1b5d"])
def test_named_is_not_hidden(value):
    assert found(visible=value)[0] == "wrong"


def test_amd():
    assert found(hardware=("AMD",)) == (
        "note",
        "TensorFlow's package does not compute on AMD's GPUs",
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"cuda": None}, "this TensorFlow was built for the CPU alone"),
        ({"driver": None}, "the driver's library, libcuda.so.1, is not there"),
        (
            {"driver": 803},
            "the driver does not start (cuInit returns 803: the driver's library and its kernel "
            "module are of different versions: reboot)",
        ),
        (
            {"driver": 36},
            "the driver does not start (cuInit returns 36: see CUresult in CUDA's documentation)",
        ),
        ({"driver_cuda": "11.8"}, "the driver knows CUDA 11.8, and TensorFlow needs 12.5.1"),
        (
            {"missing": ("nvidia-cudnn-cu12",)},
            "CUDA's packages are missing (nvidia-cudnn-cu12)",
        ),
        ({}, "driver and packages are there"),
    ],
)
def test_an_idle_one_is_wrong(changes, why):
    assert found(**changes) == ("wrong", UNUSED + why)
    assert todo(**changes)


def test_the_command_that_installs_cuda_names_this_tensorflow():
    command = f'python -m pip install "tensorflow[and-cuda]=={gpu.tf.__version__}"'
    assert todo(cuda=None) == todo(missing=("x",)) == command


def test_the_hardware_is_that_of_the_pci_bus(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "PCI", tmp_path)
    monkeypatch.setattr(gpu, "WSL", tmp_path / "dxg")
    devices = {
        "0": ("0x10de", "0x030200"),
        "1": ("0x8086", "0x030000"),
        "2": ("0x10de", "0x040300"),
    }
    assert gpu.facts().hardware == ()
    for name, (vendor, kind) in devices.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(f"{vendor}\n")
        (tmp_path / name / "class").write_text(f"{kind}\n")
    assert gpu.facts().hardware == ("NVIDIA",)


def test_under_windows_a_gpu_is_no_pci_device(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "PCI", tmp_path / "none")
    monkeypatch.setattr(gpu, "WSL", tmp_path)
    assert gpu.facts().hardware == ("NVIDIA",)


def test_missing_packages_are_those_of_tensorflows_extra(monkeypatch):
    monkeypatch.setattr(gpu, "installed", lambda name: None if "cudnn" in name else "12.0")
    assert gpu.facts().missing == ("nvidia-cudnn-cu12",)
