"""What is measured about the networks: artifacts, evaluation, claims, figures."""
