# WGAN Lab as a container: on any machine, or as a Docker Space of the Hugging Face Hub.
FROM python:3.11-slim

# `cpu`, or a CUDA version such as `cu130` for a machine with a GPU. `auto` would look for the GPU
# of the machine that builds, and a Space is built on one without. A Space passes its public
# variables on as build arguments.
ARG TORCH=cpu

ENV VIRTUAL_ENV=/opt/venv \
    PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1

WORKDIR /opt/app
COPY requirements.txt .
# Compiled now, because the user cannot write there later, so every start would compile again.
RUN pip install --no-cache-dir --quiet uv \
    && uv venv --quiet /opt/venv \
    && uv pip install --quiet --no-cache --compile-bytecode --torch-backend=${TORCH} \
        -r requirements.txt

COPY . .
RUN python -m compileall -q app.py pages wgan && chmod -R a+rX,go-w .

# A Space runs its container as user 1000. Everything that is written at run time goes below HOME,
# the only folder that the user owns; it is set last, or what installs would fill it as root.
# Where a volume is mounted (a Space has Storage Buckets for it), set the three to folders on it.
RUN useradd --create-home --home-dir /home/user --uid 1000 user
USER user
ENV HOME=/home/user \
    WGAN_DATA=/home/user/.cache/wgan-lab/data \
    WGAN_AUTOSAVE=/home/user/.cache/wgan-lab/runs \
    HF_HOME=/home/user/.cache/huggingface
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD python -c "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"

# A Space is shown in a frame of another site, where the cookie of the XSRF check is not sent, so
# that every upload would be refused. Marking it SameSite=None would help only over HTTPS, and not
# in browsers that block other sites' cookies. The check guards nothing here: there is no log-in,
# and an upload's address holds the session's random id. The check of a connection's origin (CORS)
# stays on: the Space's proxy passes the Host on, so page and server are of one origin.
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501", \
    "--server.headless=true", "--server.enableXsrfProtection=false"]
