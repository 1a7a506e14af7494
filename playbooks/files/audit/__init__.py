"""What there is, held against what there shall be (`make audit`)."""
