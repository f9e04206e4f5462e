from __future__ import annotations

from tests.helpers import run_python

SCRIPT = """
import sys
from nst.web.postpone import postpone
postpone("pandas")
postpone("no_such_module_at_all")
import pandas as pd
assert "pandas.core" not in sys.modules
assert pd.Series([1, 2]).sum() == 3  # as always, once it is used
assert "pandas.core" in sys.modules
before = pd
postpone("pandas")  # too late
assert sys.modules["pandas"] is before
try:
    import no_such_module_at_all
except ModuleNotFoundError:
    print("as it should be")
"""


def test_a_module_is_imported_when_it_is_used() -> None:
    done = run_python("-c", SCRIPT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "as it should be\n"
