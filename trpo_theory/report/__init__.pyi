from .audit_figure import audit_figure
from .audit_tables import write_audit
from .diagram import transition_diagram
from .figures import bars, learning_curves, lines
from .hasse import hasse_diagram
from .slack_figure import slack_histogram
from .step_tables import bounds_table, quantities_table
from .style import save, save_as
from .table_files import write
from .tables import Table, show
from .tikz import tikz_diagram
from .verdict_tables import verdicts_table
from .witness_latex import verdict_latex, witness_latex

__all__ = [
    "Table",
    "audit_figure",
    "bars",
    "bounds_table",
    "hasse_diagram",
    "learning_curves",
    "lines",
    "quantities_table",
    "save",
    "save_as",
    "show",
    "slack_histogram",
    "tikz_diagram",
    "transition_diagram",
    "verdict_latex",
    "verdicts_table",
    "witness_latex",
    "write",
    "write_audit",
]
