"""Recorders of training runs: for any code (`Recorder`, `record`), and for Stable-Baselines3 (`integrations.sb3`).

What they record is a `trpo_theory.io.Run`, which `audit` reads.
"""

from trpo_theory.integrations.recording import Recorder, record

__all__ = ["Recorder", "record"]
