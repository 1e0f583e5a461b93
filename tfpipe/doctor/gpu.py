"""The GPUs that TensorFlow uses; or why it uses none, from the hardware up to the packages.

Example:

    gpu(facts())            # a Finding; in a process of TensorFlow's

TensorFlow's installation guide ("Install TensorFlow with pip") says which systems have GPUs: Linux
and WSL2 with NVIDIA's, under `tensorflow[and-cuda]`; since 2.11 no Windows, and no macOS.
"""

import ctypes
import importlib.metadata
import os
import pathlib
import platform
import re
from typing import NamedTuple

import tensorflow as tf
from packaging.requirements import Requirement

from tfpipe.doctor.finding import GOOD, NOTE, WRONG, Finding
from tfpipe.doctor.requirements import installed

PCI = pathlib.Path("/sys/bus/pci/devices")
WSL = pathlib.Path("/dev/dxg")  # a GPU of Windows, seen from WSL2
VENDORS = {"0x10de": "NVIDIA", "0x1002": "AMD"}
DISPLAY = "0x03"  # PCI's class of display controllers, those without a display too
# CUDA's driver API (cuda.h, CUresult); other codes are shown as they are.
RESULTS = {
    100: "it sees no device",
    101: "the device is not valid",
    802: "the system is not ready: on machines with NVSwitch, start nvidia-fabricmanager",
    803: "the driver's library and its kernel module are of different versions: reboot",
    804: "the driver is too old for the CUDA compatibility package",
    999: "unknown error: look at dmesg, and reboot",
}


class Facts(NamedTuple):
    """What can be known of the GPUs of a machine."""

    system: str  # as platform.system() has it
    hardware: tuple[str, ...]  # "NVIDIA" or "AMD" for each GPU in the machine
    visible: str | None  # CUDA_VISIBLE_DEVICES
    cuda: str | None  # the version that TensorFlow was built for; None: built for the CPU alone
    driver: int | None  # what cuInit returns; None: there is no driver's library
    driver_cuda: str | None  # the newest CUDA that the driver knows
    missing: tuple[str, ...]  # of the packages of tensorflow[and-cuda]
    used: tuple[str, ...]  # TensorFlow's GPUs, described


def facts() -> Facts:
    """Of this machine and this process."""
    driver, driver_cuda = _driver()
    return Facts(
        system=platform.system(),
        hardware=_hardware(),
        visible=os.environ.get("CUDA_VISIBLE_DEVICES"),
        cuda=tf.sysconfig.get_build_info().get("cuda_version"),
        driver=driver,
        driver_cuda=driver_cuda,
        missing=_missing(),
        used=tuple(map(_described, tf.config.list_physical_devices("GPU"))),
    )


def gpu(known: Facts) -> Finding:
    """What the facts mean: that there is no GPU is no mistake, and one that stands idle is."""
    if known.used:
        return Finding("gpu", GOOD, "; ".join(known.used))
    if known.system != "Linux":
        return Finding("gpu", GOOD, _elsewhere(known.system))
    if not known.hardware:
        return Finding("gpu", GOOD, "the machine has none: TensorFlow computes on the CPU")
    if "NVIDIA" not in known.hardware:
        found = "TensorFlow's package does not compute on AMD's GPUs"
        return Finding("gpu", NOTE, found, "AMD's own is tensorflow-rocm, which is not tested here")
    if known.visible is not None and not re.match(r"\d|GPU-|MIG-", known.visible):
        found = f"CUDA_VISIBLE_DEVICES={known.visible!r} hides every GPU"
        return Finding("gpu", NOTE, found, "Unless you mean it: unset CUDA_VISIBLE_DEVICES")
    found, todo = _why(known)
    unused = "there is an NVIDIA GPU, and TensorFlow does not use it"
    return Finding("gpu", WRONG, f"{unused}: {found}", todo)


def _why(known: Facts) -> tuple[str, str]:
    """What stands between an NVIDIA GPU and TensorFlow, and what to do."""
    if known.cuda is None:
        return "this TensorFlow was built for the CPU alone", _install_cuda()
    if known.driver is None:
        return (
            "the driver's library, libcuda.so.1, is not there",
            "Install NVIDIA's driver (nvidia-smi must list the GPU); in a container, start it with "
            "--gpus all and the NVIDIA Container Toolkit",
        )
    if known.driver != 0:
        said = RESULTS.get(known.driver, "see CUresult in CUDA's documentation")
        todo = "Mend the driver first: nvidia-smi must list the GPU"
        return f"the driver does not start (cuInit returns {known.driver}: {said})", todo
    if known.driver_cuda is not None and _major(known.driver_cuda) < _major(known.cuda):
        old = f"the driver knows CUDA {known.driver_cuda}, and TensorFlow needs {known.cuda}"
        return old, f"Install a newer driver, for CUDA {known.cuda}"
    if known.missing:
        return f"CUDA's packages are missing ({', '.join(known.missing)})", _install_cuda()
    return (
        "driver and packages are there",
        "Look at what TensorFlow says: TF_CPP_MIN_LOG_LEVEL=0 python -c "
        "'import tensorflow as tf; tf.config.list_physical_devices()'",
    )


def _elsewhere(system: str) -> str:
    where = {"Darwin": "macOS", "Windows": "Windows without WSL2"}.get(system, system)
    return f"TensorFlow has no GPU support on {where}: it computes on the CPU"


def _install_cuda() -> str:
    return f'python -m pip install "tensorflow[and-cuda]=={tf.__version__}"'


def _major(version: str) -> int:
    return int(version.split(".")[0])


def _hardware() -> tuple[str, ...]:
    devices = PCI.iterdir() if PCI.is_dir() else ()
    found = [VENDORS.get(_text(d / "vendor")) for d in devices if _text(d / "class")[:4] == DISPLAY]
    return tuple(vendor for vendor in found if vendor) or (("NVIDIA",) if WSL.exists() else ())


def _text(file: pathlib.Path) -> str:
    return file.read_text().strip() if file.exists() else ""


def _driver() -> tuple[int | None, str | None]:
    """What cuInit returns, and the newest CUDA that the driver knows."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None, None
    version = ctypes.c_int()
    known = library.cuDriverGetVersion(ctypes.byref(version)) == 0  # 12050 is 12.5
    text = f"{version.value // 1000}.{version.value % 1000 // 10}" if known else None
    return library.cuInit(0), text


def _missing() -> tuple[str, ...]:
    """What `tensorflow[and-cuda]` would install, and is not there."""
    found = [Requirement(line) for line in importlib.metadata.requires("tensorflow") or ()]
    names = [r.name for r in found if r.marker and "and-cuda" in str(r.marker)]
    return tuple(name for name in names if installed(name) is None)


def _described(device: tf.config.PhysicalDevice) -> str:
    """For instance "GPU:0, NVIDIA H100 80GB HBM3, compute capability 9.0"."""
    details = tf.config.experimental.get_device_details(device)
    capability = ".".join(map(str, details.get("compute_capability", ("?",))))
    name = details.get("device_name", "a GPU")
    return f"{device.name.split(':', 1)[-1]}, {name}, compute capability {capability}"
