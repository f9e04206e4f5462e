"""The camera, stylized frame by frame."""
