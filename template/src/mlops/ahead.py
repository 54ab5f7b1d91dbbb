# The template's: `copier update` renews this file.
"""The judge's process, started ahead: it opens the tracking store while the stages before it still run.

To import MLflow and to make a new store takes as long as all other stages of a small project together, and a
second core is idle meanwhile. `python -m mlops.ahead` opens the store, waits for a line on its standard input
that names the stage, and runs it. It ends itself when that input is closed, as it is when the starter is killed.
"""

import os
import subprocess
import sys
import threading

from mlops.errors import MlopsError, UsageError
from mlops.interpreter import roomy, spare_collections

STAGE = "register"


class Ahead:
    """One such process; unused until `start`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process unless it was started."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlops.ahead"],
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )

    @property
    def started(self) -> bool:
        return self._process is not None

    def run(self) -> None:
        """Let the process run the stage, and wait for it.

        Raises:
            MlopsError: what the stage raised there.
        """
        process = self._process
        if process is None or process.stdin is None or process.stderr is None:
            raise MlopsError("the judge's process was not started; this is a fault of the machinery")
        try:
            process.stdin.write(f"{STAGE}\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended before its time: what it said tells why
        said = process.stderr.read().strip()
        code = process.wait()
        self._process = None
        if code == UsageError.exit_code:
            raise UsageError(said)
        if code:
            raise MlopsError(said or f"the stage {STAGE} ended with exit code {code}; run again to go on")

    def stop(self) -> None:
        """End the process if it is not needed."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _end_with_the_starter() -> None:
    os.read(sys.stdin.fileno(), 1)  # beneath the stream, whose lock the end of this process would wait for
    os._exit(1)


@roomy
def main() -> None:
    spare_collections()
    from mlops.pipeline import run_stage
    from mlops.project import load_project
    from mlops.settings import load_settings
    from mlops.tracking import open_client

    try:
        load_project()
        open_client(load_settings())
        if sys.stdin.readline().strip() != STAGE:
            return
        threading.Thread(target=_end_with_the_starter, daemon=True).start()
        run_stage(STAGE)
    except MlopsError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
