"""`vfsearch report`: what runs found and measured, gathered and written."""
