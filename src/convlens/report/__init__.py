"""From the best weights to a finished run: calibration, scores and the report page."""
