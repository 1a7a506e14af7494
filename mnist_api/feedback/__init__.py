"""What was misread, kept for the next training, and never served back."""
