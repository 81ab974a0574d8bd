"""The pages. Gradio decides where uploads are kept when it is imported, so that is said before."""

import os
import tempfile
from pathlib import Path

from har_demo import storage

# Its own folder may have been made by another user of this machine.
if not storage.writable(Path(tempfile.gettempdir()) / "gradio"):
    os.environ.setdefault("GRADIO_TEMP_DIR", str(storage.root() / "gradio"))
