"""The wizard (`wizard`, `permission`) and the owner's own pages (`stores`)."""
