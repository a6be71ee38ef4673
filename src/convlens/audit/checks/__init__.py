"""One module for each kind of check; each returns findings and changes nothing."""
