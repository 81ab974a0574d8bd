# The page in a container of its own, as a user who may write to /cache alone:
#
#     docker build -t action-atlas .
#     docker run --rm -p 7860:7860 -v action-atlas:/cache action-atlas
#
# With NVIDIA's container toolkit, `--gpus all` lends it the machine's GPUs.
FROM python:3.12-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.txt constraints.txt ./
RUN pip install --no-cache-dir -r requirements.txt -c constraints.txt

# They belong to root, so that the app can read and run them and change nothing.
COPY app.py ./
COPY har_demo har_demo
COPY checkpoints checkpoints
COPY results results
RUN python -m compileall -q har_demo && mkdir /cache && chown 1000:1000 /cache

USER 1000:1000
ENV HAR_CACHE=/cache/har_demo \
    HF_HOME=/cache/huggingface \
    GRADIO_TEMP_DIR=/cache/har_demo/gradio \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860
VOLUME /cache
EXPOSE 7860
CMD ["python", "app.py"]
