"""The pages. Gradio decides where uploads are kept when it is imported, and PyTorch how its threads wait: so
both are said before.
"""

import contextlib
import os

from har_demo import storage, threads

threads.share()

# A folder of our own: in Gradio's usual one lie other programs' files, which are not ours to delete.
if not os.environ.get("GRADIO_TEMP_DIR"):
    with contextlib.suppress(OSError):  # nothing at all can be written, as the log will say
        os.environ["GRADIO_TEMP_DIR"] = str(storage.uploads().absolute())
