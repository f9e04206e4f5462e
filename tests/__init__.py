"""Two tests run at a time, each of whose threads would wait for the other's, busily."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # a quarter of the time; before PyTorch's import
