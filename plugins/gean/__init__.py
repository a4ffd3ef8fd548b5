"""GEAN: gaze that was learnt guides a captioner's attention."""
