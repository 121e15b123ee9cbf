from .run_directory import RunDirectory, read_run
from .tally import Kept, Tally, merged

__all__ = ["Kept", "RunDirectory", "Tally", "merged", "read_run"]
