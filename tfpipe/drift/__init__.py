"""How far what comes in, what goes out and how long it takes are from what was verified."""

from tfpipe.drift.alarms import Alarm
from tfpipe.drift.comparison import Comparison, compare
from tfpipe.drift.finding import Finding
from tfpipe.drift.monitor import Monitor
from tfpipe.drift.profiles import LEAST_EXAMPLES, Profile, load_profile
from tfpipe.drift.profiling import MOST_EXAMPLES, profile
from tfpipe.drift.seeing import Seen
from tfpipe.drift.stored import stored

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
