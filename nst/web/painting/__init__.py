"""A painting of one's own: training on the page, by train.py in a process of its own."""
