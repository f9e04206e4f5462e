"""The grid that upsampling leaves, and red spots: measured in pictures."""
