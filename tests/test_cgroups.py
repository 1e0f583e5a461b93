"""The limits are those that the kernel writes for a process' own group, and for those around it."""

import pytest

from tfpipe import cgroups, cores


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Stands in for the kernel: writes what it shows under /proc and /sys/fs/cgroup."""
    monkeypatch.setattr(cgroups, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path / "mount")

    def write(groups, **files):
        (tmp_path / "groups").write_text(groups)
        for name, text in files.items():
            file = tmp_path / "mount" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    return write


def test_version_2(system):
    system("0::/job\n", **{"job/cpu.max": "250000 100000\n", "job/memory.max": "2147483648\n"})
    assert (cgroups.cpu_quota(), cgroups.memory_limit()) == (2.5, 2**31)


def test_version_2_without_limits(system):
    system("0::/\n", **{"cpu.max": "max 100000\n", "memory.max": "max\n"})
    assert (cgroups.cpu_quota(), cgroups.memory_limit()) == (None, None)


def test_version_1(system):
    system(
        "9:name=systemd:/\n4:memory:/job\n1:cpu,cpuacct:/job\n0::/\n",
        **{
            "memory/job/memory.limit_in_bytes": "1073741824\n",
            "cpu,cpuacct/job/cpu.cfs_quota_us": "150000\n",
            "cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
        },
    )
    assert (cgroups.cpu_quota(), cgroups.memory_limit()) == (1.5, 2**30)


def test_version_1_without_limits(system):
    system(
        "4:memory:/\n1:cpu:/\n",
        **{
            "memory/memory.limit_in_bytes": "9223372036854771712\n",
            "cpu/cpu.cfs_quota_us": "-1\n",
            "cpu/cpu.cfs_period_us": "100000\n",
        },
    )
    assert (cgroups.cpu_quota(), cgroups.memory_limit()) == (None, None)


def test_the_tightest_of_all_groups_around_counts(system):
    files = {"cpu.max": "400000 100000", "a/cpu.max": "100000 100000", "a/b/cpu.max": "max 100000"}
    system("0::/a/b\n", **files, **{"a/memory.max": "3000", "a/b/memory.max": "5000"})
    assert (cgroups.cpu_quota(), cgroups.memory_limit()) == (1.0, 3000)


def test_a_group_of_the_host_that_the_container_does_not_see(system):
    system("4:memory:/docker/abc\n", **{"memory/memory.limit_in_bytes": "1000"})
    assert cgroups.memory_limit() == 1000


def test_a_system_without_control_groups(system):
    assert (cgroups.cpu_quota(), cgroups.memory_limit()) == (None, None)


@pytest.mark.parametrize(("quota", "cores_used"), [("10000", 1), ("100000", 1), ("110000", 2)])
def test_a_share_of_a_core_counts_as_one(system, monkeypatch, quota, cores_used):
    monkeypatch.setattr(cores, "bound_cores", lambda: 8)
    system("0::/\n", **{"cpu.max": f"{quota} 100000"})
    assert cores.num_cores() == cores_used


def test_a_quota_over_the_cores_does_not_make_more_of_them(system, monkeypatch):
    monkeypatch.setattr(cores, "bound_cores", lambda: 2)
    system("0::/\n", **{"cpu.max": "800000 100000"})
    assert cores.num_cores() == 2
