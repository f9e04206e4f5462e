"""Two tests run at a time, each of whose threads would wait for the other's, busily."""

import os

# A quarter of the time of what trains; PyTorch's library of threads reads it when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
