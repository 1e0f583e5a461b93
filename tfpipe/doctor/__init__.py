"""Is this machine, and what is installed on it, fit for tfpipe; and what to do where it is not.

python -m tfpipe.doctor                  # or, in Python:

for finding in tp.doctor.examine(quick=True):
    print(finding.name, finding.state, finding.found, finding.todo)
"""

from tfpipe.doctor.checks import examine
from tfpipe.doctor.finding import Finding

__all__ = ["Finding", "examine"]
