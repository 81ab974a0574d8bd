"""Start the app: `python app.py`, then open http://127.0.0.1:7860."""

from har_demo.installed import required

with required():
    from har_demo.interface.app import build, launch

demo = build()

if __name__ == "__main__":
    launch(demo)
