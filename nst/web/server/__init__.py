"""What the page needs of its server: files, uploads, environment, start."""
