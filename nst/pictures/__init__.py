"""Picture files, colours and tensors."""
