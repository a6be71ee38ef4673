"""Scores: the room of the studio that shows what the reports of the runs say."""
