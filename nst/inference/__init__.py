"""From a picture to a picture: engines, tiles, strength and colours."""
