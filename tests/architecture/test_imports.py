"""What importing does: nothing to the world, only downwards, and light for who uses the light rooms."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata

from architecture.sources import ROOT, house_modules

LIGHT_ROOMS = ("resilience", "journal", "instrument")

# Reports every effect that a module of ours causes while it is imported: what the import system itself opens, and what
# third parties read on their own, is not ours.
WATCH_IMPORTS = """
import importlib, json, os, sys, threading
modules, house = json.loads(sys.argv[1]), sys.argv[2]
EFFECTS = {"socket.__new__", "_thread.start_new_thread", "subprocess.Popen", "os.fork", "os.mkdir", "os.remove",
           "os.rename", "sqlite3.connect", "os.system", "signal.signal"}
found, here = [], ""

def judge(event, args):
    if event not in EFFECTS and event != "open":
        return
    writes = event == "open" and bool((args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    frame = sys._getframe(1)
    while frame:
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib"):
            return
        if name.startswith(house):
            found.append(f"{here}: {event} {args[0]!r:.80} at {name}:{frame.f_lineno}")
            return
        if event == "open" and not writes and not name.startswith((sys.base_prefix, "<frozen")):
            return
        if event == "open" and not writes and "site-packages" in name:
            return
        frame = frame.f_back

def judge_thread(start):
    def judged(*args, **kwargs):
        judge("_thread.start_new_thread", args)
        return start(*args, **kwargs)
    return judged

sys.addaudithook(judge)
for name in {"_start_new_thread", "_start_joinable_thread"} & set(vars(threading)):  # no audit event before 3.12
    setattr(threading, name, judge_thread(getattr(threading, name)))
for here in modules:
    importlib.import_module(here)
print(json.dumps(found))
"""

# Imports the light rooms while everything else is out of reach, and tells which packages they took.
IMPORT_LIGHT = """
import importlib, json, sys
rooms, allowed = json.loads(sys.argv[1]), set(json.loads(sys.argv[2]))

class Wall:
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root not in allowed and root not in sys.stdlib_module_names and not root.startswith("_"):
            raise ImportError(f"{name} is not in the base install")

sys.meta_path.insert(0, Wall())
for room in rooms:
    importlib.import_module(f"holdfast.{room}")
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names))))
"""


def run_python(script, *arguments):
    """Run a script in an interpreter of its own, which finds the source tree, and give what it prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", script, *arguments],
        cwd=ROOT / "src",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def find_base_packages():
    """Give the import names of the base install: its dependencies and theirs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting, seen = list(project["dependencies"]), set()
    while waiting:
        requirement = waiting.pop()
        name = re.split(r"[\s<>=!~;\[(]", requirement, maxsplit=1)[0].lower().replace("_", "-")
        if name not in seen and "extra ==" not in requirement:
            seen.add(name)
            try:
                waiting += metadata.requires(name) or []
            except metadata.PackageNotFoundError:
                continue  # only for another version of Python
    return [
        package
        for package, owners in metadata.packages_distributions().items()
        if seen & {owner.lower().replace("_", "-") for owner in owners}
    ]


def test_importing_a_module_changes_nothing_and_opens_nothing():
    modules = [module.name for module in house_modules() if "/migrations/" not in module.place]
    modules = [name for name in modules if not name.endswith("__main__")]
    effects = run_python(WATCH_IMPORTS, json.dumps(modules), str(ROOT / "src"))
    assert not effects, "\n".join(effects)


def test_the_light_rooms_need_the_base_install_only():
    run_python(IMPORT_LIGHT, json.dumps(LIGHT_ROOMS), json.dumps(["holdfast", *find_base_packages()]))


def test_resilience_needs_the_standard_library_only():
    taken = run_python(IMPORT_LIGHT, json.dumps(["resilience"]), json.dumps(["holdfast"]))
    assert set(taken) <= {"holdfast", "__main__"} | {name for name in taken if name.startswith("_")}


# In a process of its own: the linter silences every logger that exists when it starts.
LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def test_rooms_import_only_rooms_below_them():
    command = [sys.executable, "-W", "ignore", "-c", LINT_IMPORTS]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    linted = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
