"""One function a command: a workspace in, an artefact in it out."""
