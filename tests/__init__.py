"""What holds for the processes that run the tests, and those that they start."""

import os
import signal

# Two tests run at a time, and each one's threads would wait busily for the other's: a quarter of
# the time of what trains.  PyTorch's library of threads reads it when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# What ends a process cannot be tested where it is ignored, as after `nohup` or in a script's
# background.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if os.name == "posix" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
