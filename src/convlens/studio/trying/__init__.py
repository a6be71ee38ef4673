"""Room 4, Try: a process of its own holds the classifier of a run and answers what a page shows."""
