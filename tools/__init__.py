"""What keeps the repository in order: checks, generated documentation, releases."""
