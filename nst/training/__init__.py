"""Training: the settings, photos, one network's run and its log; used by train.py."""
