"""How far what comes in, what goes out and how long it takes are from what was verified.

Names load when they are first used, so that the command's `--help` need not wait for TensorFlow.
"""

from typing import TYPE_CHECKING

from tfpipe.lazy import lazy

if TYPE_CHECKING:  # what `__getattr__` loads, for type checkers and editors
    from tfpipe.drift.alarms import Alarm
    from tfpipe.drift.comparison import Comparison, compare
    from tfpipe.drift.finding import Finding
    from tfpipe.drift.monitor import Monitor
    from tfpipe.drift.profiles import LEAST_EXAMPLES, Profile, load_profile
    from tfpipe.drift.profiling import MOST_EXAMPLES, profile
    from tfpipe.drift.seeing import Seen
    from tfpipe.drift.storing import stored

_MODULES = {
    "LEAST_EXAMPLES": "profiles",
    "MOST_EXAMPLES": "profiling",
    "Alarm": "alarms",
    "Comparison": "comparison",
    "Finding": "finding",
    "Monitor": "monitor",
    "Profile": "profiles",
    "Seen": "seeing",
    "compare": "comparison",
    "load_profile": "profiles",
    "profile": "profiling",
    "stored": "storing",
}

__all__ = [
    "LEAST_EXAMPLES",
    "MOST_EXAMPLES",
    "Alarm",
    "Comparison",
    "Finding",
    "Monitor",
    "Profile",
    "Seen",
    "compare",
    "load_profile",
    "profile",
    "stored",
]

__getattr__, __dir__ = lazy(__name__, _MODULES)
