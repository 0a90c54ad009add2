"""What an experiment uses to record itself: a run's window, steps and calls, as files that a pass can read.

    import reconcile

    with reconcile.record("chatdev") as run:
        client = run.watch(OpenAI())
        with run.step("plan"):
            ...

Imports nothing else of this package but its errors, and nothing outside the standard library, so that it weighs nothing
in an experiment. Prompts and answers are never written.
"""

from reconcile.recording.command import Ended, record_command, step_command
from reconcile.recording.finishing import finish, finish_run
from reconcile.recording.folder import VARIABLE
from reconcile.recording.record import record
from reconcile.recording.recorder import Recording

__all__ = ["VARIABLE", "Ended", "Recording", "finish", "finish_run", "record", "record_command", "step_command"]
