"""Lends each verb a fork of a process that has imported the libraries: `python lender.py SOCKET`, a descriptor.

An order is a line of JSON with descriptors for what the verb prints and for what becomes of it: its pid,
then its exit code, a line each. `support.warm` gives the orders.
"""

import atexit
import gc
import importlib
import json
import os
import signal
import site
import socket
import sys
import threading
import time
from pathlib import Path


def main():
    orders = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
    del sys.path[0]  # this folder, whose names are none of theirs
    standard = [path for path in sys.path if not path.startswith(sys.prefix)]
    while True:
        text, files = b"", []
        while not text.endswith(b"\n"):
            part, more, _, _ = socket.recv_fds(orders, 1 << 16, 3)
            if not part:
                return
            text, files = text + part, files + more
        order, (*files, status) = json.loads(text), files
        if "imports" in order:
            for name in order["imports"]:
                importlib.import_module(name)
            gc.freeze()  # or collecting would copy what is shared
            os.write(status, b"0\n")
        elif not os.fork():
            orders.close()
            keep(order, standard, files, status)
        for file in (*files, status):
            os.close(file)


def keep(order, standard, files, status):
    """Start the verb and tell what becomes of it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if not child:
        os.close(status)
        play(order, standard, files)
    os.write(status, f"{child}\n".encode())
    _, how = os.waitpid(child, 0)
    os.write(status, f"{os.waitstatus_to_exitcode(how)}\n".encode())
    os._exit(0)


def play(order, standard, files):
    """Be the verb, as the script of its environment would be."""
    os.setsid()
    for number, file in enumerate(files, 1):
        os.dup2(file, number)
        os.close(file)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    script = Path(order["script"])
    sys.argv = [str(script), *order["arguments"]]
    sys.prefix = sys.exec_prefix = str(script.parents[1])
    sys.executable = str(script.with_name("python"))
    sys.path[:] = [str(script.parent), *standard]
    site.addsitedir(order["packages"])
    code = 1
    try:
        if own := order["env"].get("PYTHONPATH"):
            sys.path.insert(1, own)
            sys.modules.pop("sitecustomize", None)  # a system may bring one
            importlib.import_module("sitecustomize")
        meet_plugins(Path(order["packages"]))
        importlib.import_module("mlops.cli").main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def meet_plugins(packages):
    """Let MLflow, which was imported elsewhere, know what the project brings for it."""
    if any("[mlflow." in file.read_text("utf-8") for file in packages.glob("*.dist-info/entry_points.txt")):
        from mlflow.tracking.request_auth.registry import _request_auth_provider_registry

        _request_auth_provider_registry.register_entrypoints()


if __name__ == "__main__":
    main()
