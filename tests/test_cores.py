"""The cores are those that the process was given."""

import os
import subprocess
import sys

import pytest

from tfpipe.cores import bound_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux binds processes")
def test_a_process_that_is_bound_to_one_core_has_one():
    program = (
        "import os; os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1]);"
        "from tfpipe.cores import num_cores; print(num_cores())"
    )
    assert subprocess.check_output([sys.executable, "-c", program]) == b"1\n"
    assert bound_cores() == len(os.sched_getaffinity(0))
