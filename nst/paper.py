"""The numbers of "Can Depthwise Separable Convolution Make Neural Style Transfer More
Lightweight?".

Only what is printed there; what we measured comes from our own files.
"""

from __future__ import annotations

# Table 1, for one picture of 256×256 px on a CPU.
LATENCY_SIDE = 256  # px
LATENCY_MS = {"baseline": 71.31, "v1": 60.46, "v2": 57.65, "v3": 49.49}
PARAMETERS = {"baseline": 1_679_235, "v1": 381_315, "v2": 292_796, "v3": 207_865}

# Section 3.3, training.
SPLIT = {"test": 50, "train": 4455, "validation": 495}  # of the 5,000 photos of COCO val2017
EPOCHS = 20
BATCH_SIZE = 4
LEARNING_RATE = 1e-3  # of Adam
EARLY_STEP = 800  # at which its figure 4 shows the networks
