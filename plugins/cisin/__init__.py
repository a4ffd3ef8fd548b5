"""CiSIN: character grounding and re-identification in video and text, trained jointly."""
